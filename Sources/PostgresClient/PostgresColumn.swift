package import HubModel

/// A column of values for `unnest`: an array in PostgreSQL's binary form, which the server takes without a look for quotes.
package struct PostgresColumn: Sendable {
    /// What its elements are.
    package enum Element: Sendable {
        /// `text[]`, or whatever the statement casts a text to.
        case text
        /// `bytea[]`.
        case bytes

        /// Its number in `pg_type`.
        fileprivate var type: Int32 {
            switch self {
            case .text: 25
            case .bytes: 17
            }
        }
    }

    private let element: Element
    /// Each value behind its length, four bytes, the highest first; -1 is null.
    private var values: [UInt8] = []
    package private(set) var count = 0
    private var hasNull = false

    package init(_ element: Element = .text, capacity: Int = 0) {
        self.element = element
        values.reserveCapacity(capacity)
    }

    /// Bytes that the values take.
    package var size: Int { values.count }

    package mutating func append(_ text: String) {
        appendLength(text.utf8.count)
        values.append(contentsOf: text.utf8)
    }

    /// For texts: UTF-8.
    package mutating func append(_ bytes: [UInt8]) {
        appendLength(bytes.count)
        values.append(contentsOf: bytes)
    }

    /// The number's own text.
    package mutating func append(_ number: Number) {
        let place = values.count
        appendLength(0)
        number.append(to: &values)
        // The length is known now.
        let length = Int32(values.count - place - Self.lengthSize)
        withUnsafeBytes(of: length.bigEndian) { bytes in
            for index in 0..<Self.lengthSize { values[place + index] = bytes[index] }
        }
    }

    package mutating func append(_ integer: Int) { append(Number(Int64(integer))) }

    package mutating func appendNull() {
        hasNull = true
        appendLength(-1)
    }

    private static let lengthSize = MemoryLayout<Int32>.size

    private mutating func appendLength(_ length: Int) {
        count += 1
        Self.append(Int32(clamping: length), to: &values)
    }

    private static func append(_ integer: Int32, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: integer.bigEndian) { bytes.append(contentsOf: $0) }
    }

    /// The whole array: dimensions, whether there are nulls, the elements' type, the dimension's length and first index, the values.
    func append(to bytes: inout [UInt8]) {
        Self.append(count == 0 ? 0 : 1, to: &bytes)
        Self.append(hasNull ? 1 : 0, to: &bytes)
        Self.append(element.type, to: &bytes)
        if count == 0 { return }
        Self.append(Int32(clamping: count), to: &bytes)
        Self.append(1, to: &bytes)
        bytes.append(contentsOf: values)
    }
}
