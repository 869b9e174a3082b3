/// How much a ``SQLiteStore`` keeps in memory and takes together. The defaults suit a hub; tests make them tiny.
package struct SQLiteOptions: Sendable {
    /// Golden records kept decoded.
    package var cachedGoldenRecords = 10_000
    /// Target states, and as many links, kept decoded.
    package var cachedTargets = 20_000
    /// Outbox rows kept for the publisher.
    package var outboxRowsInMemory = 10_000
    package var outboxBytesInMemory = 16 << 20
    /// Transactions that wait for the store's thread; whoever submits another one then waits.
    package var queueLength = 1024
    /// Transactions that share one commit at most.
    package var transactionsPerCommit = 256
    /// No transaction joins a commit that has been open for longer.
    package var commitInterval = Duration.milliseconds(5)
    /// Pages that the database may have at most; nil: as many as the disk holds.
    package var maxPages: Int?
    /// The tables.
    package var schema = StoreSchema.current

    package init() {}
}
