import HubModel
import PostgresClient

/// A look into a store on a server while hubs write it. It never writes.
package final class PostgresStoreReader {
    private let connection = StoreConnection()
    private let transaction: SQLTransaction<StoreConnection>

    /// Blocks.
    package init(_ options: PostgresStoreOptions) throws(StoreError) {
        transaction = SQLTransaction(connection, isReadOnly: true, limits: .reading)
        try connection.open(options.server)
        do throws(StoreError) {
            _ = try options.schema.check(connection, mustExist: true)
        } catch {
            connection.close()
            throw error
        }
    }

    /// Runs a body on one consistent state of the store. Whatever in it would change something throws. Blocks.
    package func read<T>(_ body: (any StoreTransaction) throws -> T) throws(StoreError) -> T {
        try connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        defer { connection.rollBack() }
        try transaction.reload()
        transaction.begin()
        do { return try body(transaction) } catch { throw StoreError(ofBody: error) }
    }

    package func close() { connection.close() }

    deinit { close() }
}
