import HubModel

/// An argument of a statement.
enum SQLValue {
    case null
    case integer(Int64)
    case text(String)
    /// Bytes that are UTF-8 text, such as JSON.
    case json([UInt8])
    case bytes([UInt8])

    static func text(_ identifier: some Identifier) -> SQLValue { .text(identifier.rawValue) }
    static func optional(_ text: String?) -> SQLValue { text.map { .text($0) } ?? .null }
    static func optional(_ identifier: (some Identifier)?) -> SQLValue { identifier.map { .text($0.rawValue) } ?? .null }
    static func optional(_ bytes: [UInt8]?) -> SQLValue { bytes.map { .bytes($0) } ?? .null }
    static func optional(_ integer: Int64?) -> SQLValue { integer.map { .integer($0) } ?? .null }
    static func optional(_ time: Instant?) -> SQLValue { time.map { .integer($0.milliseconds) } ?? .null }
    /// A number of rows; none where it is negative (which SQLite would take for "all").
    static func limit(_ limit: Int) -> SQLValue { .integer(Int64(max(0, limit))) }
    static func flag(_ isSet: Bool) -> SQLValue { .integer(isSet ? 1 : 0) }
}
