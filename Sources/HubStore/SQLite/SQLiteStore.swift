import Foundation
import GRDB
import GRDBSQLite
import HubModel

/// The embedded store: one SQLite file, one hub, one thread that writes.
///
/// Transactions that arrive while others are being written share the next commit, each in a savepoint of its own. A commit is on the disk
/// (`synchronous=FULL`) before anybody hears of it. Text is compared byte for byte.
package final class SQLiteStore: Store {
    package let path: String
    private let core: SQLiteCore
    private let thread: StoreThread

    /// Opens the store in that file, or makes one there. Blocks.
    ///
    /// - Throws: `held` where another hub has it, `corrupt` where the file is something else, `newer` where a newer hub made it.
    package init(path: String, options: SQLiteOptions = SQLiteOptions()) throws(StoreError) {
        self.path = path
        let core = try SQLiteCore(path: path, options: options)
        self.core = core
        thread = StoreThread(path, queueLength: options.limits.queueLength) { core.run($0) }
    }

    deinit { close() }

    /// Statements run so far, for benchmarks.
    package var statementCount: Int { core.counter.value }

    package func write<T: Sendable>(_ body: @escaping @Sendable (any StoreTransaction) throws -> T) throws(StoreError) -> T {
        try thread.write(body)
    }

    package func submit<T: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws -> T, completion: @escaping @Sendable (Result<T, StoreError>) -> Void
    ) {
        thread.submit(body, completion: completion)
    }

    package func close() { thread.close() }
}
