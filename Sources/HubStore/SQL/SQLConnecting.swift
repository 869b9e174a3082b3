import HubModel

/// A connection to a database with the store's tables. Statements are literals, kept prepared by their address; their parameters are
/// `$1`, `$2`…, which have to appear in this order, as SQLite numbers them by their first appearance.
protocol SQLConnecting: AnyObject, SendableMetatype {
    associatedtype Row: SQLRowReading

    /// A server that several hubs use at once, with PostgreSQL's dialect; otherwise SQLite's.
    static var isServer: Bool { get }

    /// Runs a statement that has no rows to give.
    func run(_ sql: StaticString, _ arguments: SQLValue...) throws(StoreError)
    /// Runs a statement that has no rows to give. A server may get it later, with others of its kind: before any statement that is not
    /// run this way.
    func gather(_ statement: RowStatement, _ arguments: SQLValue...) throws(StoreError)
    /// The first row; nil where there is none.
    func first<T>(_ sql: StaticString, _ arguments: SQLValue..., read: (Row) throws(StoreError) -> T) throws(StoreError) -> T?
    /// All rows.
    func all<T>(_ sql: StaticString, _ arguments: SQLValue..., read: (Row) throws(StoreError) -> T) throws(StoreError) -> [T]
    /// Stores counters, in the order given.
    func write(_ counters: [(key: Counters.Key, count: Int64)]) throws(StoreError)
}

/// The row that a statement gives. A column of another type than asked for reads as nothing: 0, or empty.
protocol SQLRowReading: SendableMetatype {
    func integer(_ column: Int32) -> Int64
    func isNull(_ column: Int32) -> Bool
    func text(_ column: Int32) -> String
    func bytes(_ column: Int32) -> [UInt8]
}

extension SQLRowReading {
    func flag(_ column: Int32) -> Bool { integer(column) != 0 }
    func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }
    func instant(_ column: Int32) -> Instant { Instant(milliseconds: integer(column)) }
    func optionalInstant(_ column: Int32) -> Instant? { isNull(column) ? nil : instant(column) }
    func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }
    func id<I: Identifier>(_ column: Int32) -> I { I(text(column)) }
    func optionalID<I: Identifier>(_ column: Int32) -> I? { isNull(column) ? nil : I(text(column)) }
    func optionalBytes(_ column: Int32) -> [UInt8]? { isNull(column) ? nil : bytes(column) }
}
