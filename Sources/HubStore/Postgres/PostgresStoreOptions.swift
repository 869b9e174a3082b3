package import PostgresClient

/// Where a ``PostgresStore`` is, how much it keeps in memory and takes together.
package struct PostgresStoreOptions: Sendable {
    /// The server. The tables stand in the first schema of the connection's `search_path`.
    package var server: PostgresOptions
    /// Each transaction of a commit is a savepoint, of which PostgreSQL keeps 64 at hand.
    package var limits = StoreLimits(transactionsPerCommit: 48)
    /// How long the store tries to reach a server that has gone, before it fails what has been submitted.
    package var reconnectTime = Duration.seconds(30)
    /// A path beside which a lock is taken, so that one hub of this configuration runs on this machine; nil: none.
    package var lockPath: String?
    /// The tables.
    package var schema = PostgresStoreSchema.current

    package init(_ connection: String, password: String? = nil) {
        server = PostgresOptions(connection, name: "multipoint store")
        server.password = password
        server.preparedStatements = 512
    }
}
