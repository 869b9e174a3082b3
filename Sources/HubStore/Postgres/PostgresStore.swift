import Dispatch
import Foundation
import HubModel
import PostgresClient
import Synchronization

/// The store on a PostgreSQL server.
///
/// One thread writes; transactions that arrive while others are being written share the next commit, each in a savepoint of its own.
/// Several stores may write to the same tables: they take turns, and forget what they have in memory when another one has written.
package final class PostgresStore: Store {
    /// The server, the password left out, for people.
    package let name: String
    private let options: PostgresStoreOptions
    private let core: PostgresCore
    private let queue: SubmissionQueue
    // nonisolated(unsafe) because after the start it is only compared.
    nonisolated(unsafe) private let thread: Thread
    private let ended = DispatchSemaphore(value: 0)

    /// Opens the store, or makes its tables. Blocks.
    ///
    /// - Throws: `newer` where a newer hub made it, `failed` where the server cannot be reached or refuses.
    package init(_ options: PostgresStoreOptions) throws(StoreError) {
        self.options = options
        name = Self.name(options.server.connection)
        let core = try PostgresCore(options)
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

    /// Statements sent so far, for benchmarks.
    package var statementCount: Int { core.statements.load(ordering: .relaxed) }

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
            completion(.failure(StoreError(.closed, "The store \(name) has been closed.")))
        }
    }

    package func backup(to path: String) throws(StoreError) {
        throw StoreError(.failed, "The store \(name) is backed up as its database is, with pg_dump or the server's own archive.")
    }

    package func close() {
        queue.close()
        guard Thread.current !== thread else { return }
        ended.wait()
        ended.signal()
    }

    /// A connection string without its password.
    package static func name(_ connection: String) -> String {
        guard var address = URLComponents(string: connection), address.host != nil else { return "in PostgreSQL" }
        address.password = nil
        address.query = nil
        return address.string ?? "in PostgreSQL"
    }

    /// Keeps an answer where a closure and its maker can both reach it.
    private final class AnswerBox<T: Sendable>: Sendable {
        let answer = Mutex<Result<T, StoreError>?>(nil)
    }
}
