package import PostgresClient

/// Where a ``PostgresStore`` is, how much it keeps in memory and takes together.
package struct PostgresStoreOptions: Sendable {
    /// The server. The tables stand in the first schema of the connection's `search_path`.
    package var server: PostgresOptions
    /// Golden records kept decoded.
    package var cachedGoldenRecords = 10_000
    /// Target states, and as many links, kept decoded.
    package var cachedTargets = 20_000
    /// Outbox rows kept for the publisher.
    package var outboxRowsInMemory = 10_000
    package var outboxBytesInMemory = 16 << 20
    /// Transactions that wait for the store's thread; whoever submits another one then waits.
    package var queueLength = 1024
    /// Transactions that share one commit at most: each is a savepoint, of which PostgreSQL keeps 64 at hand.
    package var transactionsPerCommit = 48
    /// No transaction joins a commit that has been open for longer.
    package var commitInterval = Duration.milliseconds(5)
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
