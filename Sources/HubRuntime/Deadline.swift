import HubDriver
import Synchronization

/// Time limits for calls that may not come back.
enum Deadline {
    /// Runs a call; after the limit its caller is told that there was no answer, and the call is cancelled.
    static func run<T: Sendable>(
        _ limit: Duration, _ body: @escaping @Sendable () async throws(DriverError) -> T
    ) async throws(DriverError) -> T {
        let once = Once<T>()
        let result: Result<T, DriverError> = await withCheckedContinuation { continuation in
            once.set(continuation)
            let call = Task {
                do throws(DriverError) {
                    once.resume(.success(try await body()))
                } catch {
                    once.resume(.failure(error))
                }
            }
            // Ends with the call, at the latest after the limit.
            let alarm = Task {
                guard (try? await Task.sleep(for: limit)) != nil else { return }
                once.resume(.failure(DriverError(.noAnswer, "no answer within \(limit)")))
                call.cancel()
            }
            once.whenDone { alarm.cancel() }
        }
        return try result.get()
    }

    /// A continuation that is resumed by whoever comes first.
    private final class Once<T: Sendable>: Sendable {
        private struct State {
            var continuation: CheckedContinuation<Result<T, DriverError>, Never>?
            var isDone = false
            var cleanUp: (@Sendable () -> Void)?
        }

        private let state = Mutex(State())

        func set(_ continuation: CheckedContinuation<Result<T, DriverError>, Never>) {
            state.withLock { $0.continuation = continuation }
        }

        func resume(_ result: Result<T, DriverError>) {
            let (continuation, cleanUp) = state.withLock { state in
                defer {
                    state.continuation = nil
                    state.isDone = true
                    state.cleanUp = nil
                }
                return (state.continuation, state.cleanUp)
            }
            continuation?.resume(returning: result)
            cleanUp?()
        }

        func whenDone(_ cleanUp: @escaping @Sendable () -> Void) {
            let isDone = state.withLock { state in
                if !state.isDone { state.cleanUp = cleanUp }
                return state.isDone
            }
            if isDone { cleanUp() }
        }
    }
}
