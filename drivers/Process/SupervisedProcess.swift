import HubDriver
import HubModel
import Logging

/// A driver's process as its driver holds it: when the last driver goes, the process does too.
final class SupervisedProcess: Sendable {
    let loop: ProcessLoop
    let description: Description

    /// Starts the process and lets it describe itself: blocks, at most the start time.
    init(_ launch: Launch, logger: Logger) throws(DriverError) {
        let loop = try ProcessLoop(launch, logger: logger)
        do throws(DriverError) {
            description = try loop.start()
        } catch {
            loop.shutDown()
            throw error
        }
        self.loop = loop
    }

    deinit { loop.shutDown() }

    func ask(_ method: Method, _ params: Fields) async throws(DriverError) -> Value {
        try await loop.call(method, params, limit: description.time(method)).get()
    }

    /// Reads a result; a result that is not as the protocol has it is no answer.
    func understood<T>(_ method: Method, _ read: () throws(Shape.Mismatch) -> T) throws(DriverError) -> T {
        do throws(Shape.Mismatch) {
            return try read()
        } catch {
            throw DriverError(
                .protocolViolation, "the driver's process of \(loop.launch.application) answered \(method.rawValue) wrongly: \(error.text)")
        }
    }
}
