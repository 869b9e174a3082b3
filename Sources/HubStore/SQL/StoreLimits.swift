/// How much a store keeps in memory and takes together. The defaults suit a hub; tests make them tiny.
package struct StoreLimits: Sendable {
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
    package var transactionsPerCommit: Int
    /// No transaction joins a commit that has been open for longer.
    package var commitInterval = Duration.milliseconds(5)

    package init(transactionsPerCommit: Int) { self.transactionsPerCommit = transactionsPerCommit }

    /// For looking only.
    static var reading: StoreLimits {
        var limits = StoreLimits(transactionsPerCommit: 1)
        limits.cachedGoldenRecords = 1000
        limits.cachedTargets = 1000
        return limits
    }
}
