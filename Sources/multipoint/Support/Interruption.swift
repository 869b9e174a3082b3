import Dispatch
import Foundation

/// Waits for signals: SIGTERM and SIGINT unless others are named.
final class Interruption: Sendable {
    // nonisolated(unsafe) because it is set once, before anything can arrive, and only kept alive afterwards.
    nonisolated(unsafe) private let sources: [any DispatchSourceSignal]
    private let arrived = DispatchSemaphore(value: 0)

    init(_ numbers: [Int32] = [SIGTERM, SIGINT]) {
        let arrived = arrived
        sources = numbers.map { number in
            // The source only hears of signals that have no effect of their own.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { arrived.signal() }
            source.resume()
            return source
        }
    }

    /// True once a signal has arrived.
    var hasArrived: Bool {
        guard arrived.wait(timeout: .now()) == .success else { return false }
        arrived.signal()
        return true
    }

    /// True once for each signal.
    var hasComeAgain: Bool { arrived.wait(timeout: .now()) == .success }

    /// Blocks until a signal arrives.
    func wait() { arrived.wait() }

    deinit { for source in sources { source.cancel() } }
}
