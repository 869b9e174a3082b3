import Dispatch
import Foundation
import GRDB
import GRDBSQLite
import HubModel
import Synchronization

/// The embedded store: one SQLite file, one hub, one thread that writes.
///
/// Transactions that arrive while others are being written share the next commit, each in a savepoint of its own. A commit is on the disk
/// (`synchronous=FULL`) before anybody hears of it. Text is compared byte for byte.
package final class SQLiteStore: Store {
    package let path: String
    private let core: SQLiteCore
    private let queue: SubmissionQueue
    // nonisolated(unsafe) because after the start it is only compared.
    nonisolated(unsafe) private let thread: Thread
    private let ended = DispatchSemaphore(value: 0)

    /// Opens the store in that file, or makes one there. Blocks.
    ///
    /// - Throws: `held` where another hub has it, `corrupt` where the file is something else, `newer` where a newer hub made it.
    package init(path: String, options: SQLiteOptions = SQLiteOptions()) throws(StoreError) {
        self.path = path
        let core = try SQLiteCore(path: path, options: options)
        let queue = SubmissionQueue(capacity: options.queueLength)
        let ended = self.ended
        self.core = core
        self.queue = queue
        thread = Thread {
            core.run(queue)
            ended.signal()
        }
        thread.name = "store"
        thread.stackSize = 8 << 20
        thread.start()
    }

    deinit { close() }

    /// Statements run so far, for benchmarks.
    package var statementCount: Int { core.counter.value }

    package func write<T: Sendable>(_ body: @escaping @Sendable (any StoreTransaction) throws -> T) throws(StoreError) -> T {
        if Thread.current === thread {
            throw StoreError(.failed, "A transaction cannot wait for another one on the store's own thread; submit it instead.")
        }
        let box = AnswerBox<T>()
        let answered = DispatchSemaphore(value: 0)
        submit(body) { result in
            box.answer.withLock { $0 = result }
            answered.signal()
        }
        answered.wait()
        guard let result = box.answer.withLock({ $0 }) else { throw StoreError(.failed, "The store gave no answer.") }
        return try result.get()
    }

    package func submit<T: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws -> T, completion: @escaping @Sendable (Result<T, StoreError>) -> Void
    ) {
        // The store's own thread (a completion) must not wait for itself to make room.
        let isOwnThread = Thread.current === thread
        if !queue.add(Submission(body, completion: completion), isUrgent: isOwnThread) {
            completion(.failure(StoreError(.closed, "The store \(path) has been closed.")))
        }
    }

    package func close() {
        queue.close()
        guard Thread.current !== thread else { return }
        ended.wait()
        ended.signal()
    }

    /// Keeps an answer where a closure and its maker can both reach it.
    private final class AnswerBox<T: Sendable>: Sendable {
        let answer = Mutex<Result<T, StoreError>?>(nil)
    }
}
