/// How a ``SQLiteStore`` works.
package struct SQLiteOptions: Sendable {
    package var limits = StoreLimits(transactionsPerCommit: 256)
    /// Pages that the database may have at most; nil: as many as the disk holds.
    package var maxPages: Int?
    /// The tables.
    package var schema = StoreSchema.current

    package init() {}
}
