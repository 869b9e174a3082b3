import Foundation
import GRDB
import HubModel
import Synchronization

/// A look into a store's file while a hub writes it, also from another process: for lists and reports. It takes no lock and never writes.
package final class SQLiteReader: Sendable {
    private let path: String
    private let database: DatabaseQueue
    // nonisolated(unsafe) because it is touched only inside the database's own queue.
    nonisolated(unsafe) private let transaction: SQLTransaction<SQLConnection>

    fileprivate init(path: String, schema: StoreSchema) throws(StoreError) {
        self.path = path
        guard FileManager.default.fileExists(atPath: path) else {
            throw StoreError(.failed, "There is no store at \(path).")
        }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        database = try DatabaseQueue.opened(path, configuration)
        let connection = SQLConnection(try database.handle(), counter: StatementCounter())
        transaction = SQLTransaction(connection, isReadOnly: true, limits: .reading)
        do throws(StoreError) {
            try database.withConnection { () throws(StoreError) in
                try schema.check(connection, path: path, mustExist: true)
            }
        } catch {
            close()
            throw error
        }
    }

    /// Runs a body on one consistent state of the store. Whatever in it would change something throws. Blocks.
    package func read<T>(_ body: (any StoreTransaction) throws -> T) throws(StoreError) -> T {
        let transaction = transaction
        return try database.withConnection { () throws(StoreError) in
            try transaction.connection.run("BEGIN DEFERRED")
            defer { try? transaction.connection.run("ROLLBACK") }
            try transaction.reload()
            do { return try body(transaction) } catch { throw StoreError(ofBody: error) }
        }
    }

    /// Nothing may be called afterwards.
    package func close() {
        database.inDatabase { _ in transaction.connection.close() }
        // A connection that only reads has nothing to lose.
        try? database.close()
    }

    deinit { close() }
}

extension SQLiteStore {
    /// Opens a store for reading only, whether or not a hub runs on it.
    package static func openReader(path: String) throws(StoreError) -> SQLiteReader {
        try SQLiteReader(path: path, schema: .current)
    }
}
