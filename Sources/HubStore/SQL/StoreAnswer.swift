import Dispatch
import Synchronization

/// What a transaction that was submitted has answered, for a thread that goes on and asks later.
package final class StoreAnswer<T: Sendable>: Sendable {
    private let result = Mutex<Result<T, StoreError>?>(nil)
    private let arrived = DispatchSemaphore(value: 0)

    package init() {}

    package func set(_ result: Result<T, StoreError>) {
        self.result.withLock { $0 = result }
        arrived.signal()
    }

    /// Blocks until the answer is there; to be called once.
    package func wait() -> Result<T, StoreError> {
        arrived.wait()
        return result.withLock { $0 } ?? .failure(StoreError(.failed, "The store gave no answer."))
    }
}
