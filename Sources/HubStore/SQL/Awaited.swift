import Dispatch
import Synchronization

/// What was asked of the store, of a driver or of the bus and is answered on another thread, for a thread that waits for it, at once or
/// later.
package final class Awaited<T: Sendable, Failure: Error>: Sendable {
    private let result = Mutex<Result<T, Failure>?>(nil)
    private let arrived = DispatchSemaphore(value: 0)

    package init() {}

    /// The first answer counts.
    package func set(_ result: Result<T, Failure>) {
        let isFirst = self.result.withLock { known in
            defer { known = known ?? result }
            return known == nil
        }
        if isFirst { arrived.signal() }
    }

    /// Blocks until the answer is there.
    package func wait() -> Result<T, Failure> {
        while true {
            if let result = result.withLock({ $0 }) { return result }
            arrived.wait()
        }
    }
}
