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
    private let thread: StoreThread

    /// Opens the store, or makes its tables. Blocks.
    ///
    /// - Throws: `newer` where a newer hub made it, `failed` where the server cannot be reached or refuses.
    package init(_ options: PostgresStoreOptions) throws(StoreError) {
        self.options = options
        name = Self.name(options.server.connection)
        let core = try PostgresCore(options)
        self.core = core
        thread = StoreThread(name, queueLength: options.limits.queueLength) { core.run($0) }
    }

    deinit { close() }

    /// Statements sent so far, for benchmarks.
    package var statementCount: Int { core.statements.load(ordering: .relaxed) }

    package func write<T: Sendable>(_ body: @escaping @Sendable (any StoreTransaction) throws -> T) throws(StoreError) -> T {
        try thread.write(body)
    }

    package func submit<T: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws -> T, completion: @escaping @Sendable (Result<T, StoreError>) -> Void
    ) {
        thread.submit(body, completion: completion)
    }

    package func backup(to path: String) throws(StoreError) {
        throw StoreError(.failed, "The store \(name) is backed up as its database is, with pg_dump or the server's own archive.")
    }

    package func close() { thread.close() }

    /// A connection string without its password.
    package static func name(_ connection: String) -> String {
        guard var address = URLComponents(string: connection), address.host != nil else { return "in PostgreSQL" }
        address.password = nil
        address.query = nil
        return address.string ?? "in PostgreSQL"
    }
}
