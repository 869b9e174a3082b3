package import HubModel

/// An argument of a statement. Values never become a part of a statement's text.
package enum PostgresValue: Sendable {
    case null
    case integer(Int64)
    case flag(Bool)
    case number(Number)
    /// Text without a zero byte, which PostgreSQL cannot hold.
    case text(String)
    /// Bytes that are UTF-8 text, such as JSON.
    case utf8([UInt8])
    /// A `bytea`.
    case bytes([UInt8])
    /// A `timestamptz`.
    case instant(Instant)
    /// A `text[]`, or an array of whatever type the statement casts it to.
    case texts([String?])
    /// A `bigint[]`.
    case integers([Int64?])
    /// Many values at once, in binary.
    case column(PostgresColumn)

    package static func text(_ identifier: some Identifier) -> PostgresValue { .text(identifier.rawValue) }
    package static func optional(_ text: String?) -> PostgresValue { text.map { .text($0) } ?? .null }
    package static func optional(_ identifier: (some Identifier)?) -> PostgresValue { identifier.map { .text($0.rawValue) } ?? .null }
    package static func optional(_ bytes: [UInt8]?) -> PostgresValue { bytes.map { .bytes($0) } ?? .null }
    package static func optional(_ integer: Int64?) -> PostgresValue { integer.map { .integer($0) } ?? .null }
}

/// The arguments of one statement, as libpq takes them: one buffer, each argument ended by a zero byte.
struct ArgumentBuffer {
    /// Where an argument starts; nil for null.
    private(set) var starts: [Int?] = []
    private(set) var lengths: [Int32] = []
    /// 0: text, 1: binary.
    private(set) var formats: [Int32] = []
    private(set) var bytes: [UInt8] = []

    mutating func fill(_ arguments: [PostgresValue]) throws(PostgresError) {
        starts.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        formats.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
        for argument in arguments { try append(argument) }
    }

    private mutating func append(_ argument: PostgresValue) throws(PostgresError) {
        let start = bytes.count
        var isBinary = false
        switch argument {
        case .null:
            starts.append(nil)
            lengths.append(0)
            formats.append(0)
            return
        case .integer(let integer): Number(integer).append(to: &bytes)
        case .flag(let flag): bytes.append(flag ? 0x74 : 0x66)
        case .number(let number): number.append(to: &bytes)
        case .text(let text): bytes.append(contentsOf: text.utf8)
        case .utf8(let text): bytes.append(contentsOf: text)
        case .bytes(let raw):
            isBinary = true
            bytes.append(contentsOf: raw)
        case .instant(let instant): bytes.append(contentsOf: instant.postgresText.utf8)
        case .texts(let texts): PostgresArray.append(texts, to: &bytes)
        case .integers(let integers): PostgresArray.append(integers, to: &bytes)
        case .column(let column):
            // The server itself refuses a text with a zero byte.
            isBinary = true
            column.append(to: &bytes)
        }
        let count = bytes.count - start
        if count > 1 << 30 { throw PostgresError(.usage, "An argument of a statement has more than 1 GiB.") }
        if !isBinary, bytes[start...].contains(0) {
            throw PostgresError(.statement, "PostgreSQL's text cannot hold the character U+0000.", state: .noCharacter)
        }
        starts.append(start)
        lengths.append(Int32(count))
        formats.append(isBinary ? 1 : 0)
        bytes.append(0)
    }
}

/// Array literals: `{"a","b\"c",NULL}`.
enum PostgresArray {
    static func append(_ texts: [String?], to bytes: inout [UInt8]) {
        bytes.append(0x7B)
        for (index, text) in texts.enumerated() {
            if index > 0 { bytes.append(0x2C) }
            guard let text else {
                bytes.append(contentsOf: "NULL".utf8)
                continue
            }
            bytes.append(0x22)
            for byte in text.utf8 {
                if byte == 0x22 || byte == 0x5C { bytes.append(0x5C) }
                bytes.append(byte)
            }
            bytes.append(0x22)
        }
        bytes.append(0x7D)
    }

    static func append(_ integers: [Int64?], to bytes: inout [UInt8]) {
        bytes.append(0x7B)
        for (index, integer) in integers.enumerated() {
            if index > 0 { bytes.append(0x2C) }
            if let integer { Number(integer).append(to: &bytes) } else { bytes.append(contentsOf: "NULL".utf8) }
        }
        bytes.append(0x7D)
    }
}
