package import HubModel

/// Writes JSON without white space: commas by itself, only the escapes that must be, numbers as they were written.
package struct JSONWriter: Sendable {
    /// What has been written so far.
    package private(set) var bytes: [UInt8] = []
    private var wantsComma = false

    package init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Starts a new document, keeping the memory of the last.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        wantsComma = false
    }

    package mutating func beginObject() { begin(0x7B) }
    package mutating func endObject() { finish(0x7D) }
    package mutating func beginArray() { begin(0x5B) }
    package mutating func endArray() { finish(0x5D) }

    /// A member's name; its value has to follow.
    package mutating func name(_ name: String) {
        separate()
        quote(name)
        bytes.append(0x3A)
        wantsComma = false
    }

    /// A member's name that stands ready: quoted, escaped, with its colon behind it.
    mutating func name(ready bytes: [UInt8]) {
        separate()
        self.bytes.append(contentsOf: bytes)
        wantsComma = false
    }

    /// A member.
    package mutating func member(_ name: String, _ value: Value) {
        self.name(name)
        write(value)
    }

    package mutating func write(_ text: String) {
        separate()
        quote(text)
    }

    package mutating func write(_ number: Number) {
        separate()
        number.append(to: &bytes)
    }

    package mutating func write(_ integer: some FixedWidthInteger) {
        separate()
        if let small = Int64(exactly: integer) {
            Number(small).append(to: &bytes)
        } else {
            bytes.append(contentsOf: String(integer).utf8)
        }
    }

    package mutating func write(_ bool: Bool) { write(raw: bool ? "true" : "false") }

    package mutating func writeNull() { write(raw: "null") }

    private mutating func write(raw text: StaticString) {
        separate()
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Bytes that are one JSON value already: a node's ``JSONNode/rawBytes``, another writer's ``bytes``.
    package mutating func write(raw value: some Collection<UInt8>) {
        separate()
        bytes.append(contentsOf: value)
    }

    /// A node as it stands in its document.
    package mutating func write(_ node: JSONNode) { write(raw: node.rawBytes) }

    package mutating func write(_ fields: Fields) {
        beginObject()
        for (name, value) in fields { member(name, value) }
        endObject()
    }

    package mutating func write(_ value: Value) {
        switch value {
        case .null: writeNull()
        case .bool(let bool): write(bool)
        case .number(let number): write(number)
        case .string(let text): write(text)
        case .array(let elements):
            beginArray()
            for element in elements { write(element) }
            endArray()
        case .object(let fields): write(fields)
        }
    }

    // MARK: Parts

    @inline(__always)
    private mutating func separate() {
        if wantsComma { bytes.append(0x2C) }
        wantsComma = true
    }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        wantsComma = false
    }

    private mutating func finish(_ bracket: UInt8) {
        bytes.append(bracket)
        wantsComma = true
    }

    private mutating func quote(_ text: String) {
        bytes.append(0x22)
        var text = text
        text.withUTF8 { source in
            if Self.isPlain(source) {
                bytes.append(contentsOf: source)
                return
            }
            var plain = 0
            for i in source.indices {
                let byte = source[i]
                if byte >= 0x20 && byte != 0x22 && byte != 0x5C { continue }
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: source[plain..<i]))
                plain = i + 1
                escape(byte)
            }
            bytes.append(contentsOf: plain == 0 ? source : UnsafeBufferPointer(rebasing: source[plain...]))
        }
        bytes.append(0x22)
    }

    /// True where nothing has to be escaped; looked at eight bytes at a time.
    @inline(__always)
    private static func isPlain(_ source: UnsafeBufferPointer<UInt8>) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        var at = 0
        if let base = source.baseAddress {
            while at + 8 <= source.count {
                let part = UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self)
                let quotes = part ^ (ones &* 0x22)
                let slashes = part ^ (ones &* 0x5C)
                let control = (part &- ones &* 0x20) & ~part
                if (control | (quotes &- ones) & ~quotes | (slashes &- ones) & ~slashes) & tops != 0 { return false }
                at += 8
            }
        }
        while at < source.count {
            let byte = source[at]
            if byte < 0x20 || byte == 0x22 || byte == 0x5C { return false }
            at += 1
        }
        return true
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(0x5C)
        switch byte {
        case 0x22, 0x5C: bytes.append(byte)
        case 0x08: bytes.append(0x62)
        case 0x09: bytes.append(0x74)
        case 0x0A: bytes.append(0x6E)
        case 0x0C: bytes.append(0x66)
        case 0x0D: bytes.append(0x72)
        default:
            let digits = Array("0123456789abcdef".utf8)
            bytes.append(contentsOf: [0x75, 0x30, 0x30, digits[Int(byte >> 4)], digits[Int(byte & 15)]])
        }
    }
}

extension Value {
    /// This as JSON without white space.
    package var json: [UInt8] {
        var writer = JSONWriter()
        writer.write(self)
        return writer.bytes
    }
}

extension Fields {
    /// This as a JSON object without white space.
    package var json: [UInt8] {
        var writer = JSONWriter()
        writer.write(self)
        return writer.bytes
    }
}
