import Dispatch
import Foundation

/// The one thread that a store works on, and the bounded queue in front of it.
final class StoreThread: Sendable {
    private let name: String
    private let queue: SubmissionQueue
    // nonisolated(unsafe) because after the start it is only compared.
    nonisolated(unsafe) private let thread: Thread
    private let ended = DispatchSemaphore(value: 0)

    /// - Parameter work: takes from the queue until that has been closed and drained.
    init(_ name: String, queueLength: Int, work: @escaping @Sendable (SubmissionQueue) -> Void) {
        self.name = name
        let queue = SubmissionQueue(capacity: queueLength)
        let ended = self.ended
        self.queue = queue
        thread = Thread {
            work(queue)
            ended.signal()
        }
        thread.name = "store"
        thread.stackSize = 8 << 20
        thread.start()
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (any StoreTransaction) throws -> T) throws(StoreError) -> T {
        if Thread.current === thread {
            throw StoreError(.failed, "A transaction cannot wait for another one on the store's own thread; submit it instead.")
        }
        let answer = Awaited<T, StoreError>()
        submit(body) { answer.set($0) }
        return try answer.wait().get()
    }

    func submit<T: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws -> T, completion: @escaping @Sendable (Result<T, StoreError>) -> Void
    ) {
        // The store's own thread (a completion) must not wait for itself to make room.
        let isOwnThread = Thread.current === thread
        if !queue.add(Submission(body, completion: completion), isUrgent: isOwnThread) {
            completion(.failure(StoreError(.closed, "The store \(name) has been closed.")))
        }
    }

    /// Ends after what has been submitted.
    func close() {
        queue.close()
        guard Thread.current !== thread else { return }
        ended.wait()
        ended.signal()
    }
}
