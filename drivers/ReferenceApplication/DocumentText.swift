package import HubModel

/// How documents stand in the file: compact JSON, numbers as they were written, so that any SQLite shell can read them.
package enum DocumentText {
    /// The text of these members.
    package static func text(_ fields: Fields) -> String {
        var bytes: [UInt8] = []
        write(.object(fields), to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The members that ``text(_:)`` wrote.
    package static func fields(_ text: String) throws(DocumentTextError) -> Fields {
        var reader = DocumentReader(bytes: Array(text.utf8))
        guard case .object(let fields) = try reader.value(), reader.isAtEnd else { throw DocumentTextError(offset: reader.place) }
        return fields
    }

    private static func write(_ value: Value, to bytes: inout [UInt8]) {
        switch value {
        case .null: bytes += "null".utf8
        case .bool(let bool): bytes += (bool ? "true" : "false").utf8
        case .number(let number): bytes += number.description.utf8
        case .string(let text): quote(text, to: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                write(element, to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                quote(member.name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                write(member.value, to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func quote(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                bytes += "\\u00".utf8
                bytes += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

/// The file holds something that is no document.
package struct DocumentTextError: Error, CustomStringConvertible {
    package var offset: Int
    package var description: String { "the file's document text is damaged at byte \(offset)" }
}

/// Reads what ``DocumentText`` writes; nothing else is meant to get here.
struct DocumentReader {
    let bytes: [UInt8]
    private(set) var place = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { place == bytes.count }

    mutating func value() throws(DocumentTextError) -> Value {
        switch try next() {
        case UInt8(ascii: "n"): return try word("ull", .null)
        case UInt8(ascii: "t"): return try word("rue", true)
        case UInt8(ascii: "f"): return try word("alse", false)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "["):
            var elements: [Value] = []
            if skip(UInt8(ascii: "]")) { return .array([]) }
            repeat { elements.append(try value()) } while skip(UInt8(ascii: ","))
            try expect(UInt8(ascii: "]"))
            return .array(elements)
        case UInt8(ascii: "{"):
            var members = Fields()
            if skip(UInt8(ascii: "}")) { return .object(members) }
            repeat {
                try expect(UInt8(ascii: "\""))
                let name = try string()
                try expect(UInt8(ascii: ":"))
                members[name] = try value()
            } while skip(UInt8(ascii: ","))
            try expect(UInt8(ascii: "}"))
            return .object(members)
        default:
            let start = place - 1
            while place < bytes.count, ![UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}")].contains(bytes[place]) { place += 1 }
            guard let number = Number(String(decoding: bytes[start..<place], as: UTF8.self)) else { throw damaged }
            return .number(number)
        }
    }

    private var damaged: DocumentTextError { DocumentTextError(offset: place) }

    private mutating func next() throws(DocumentTextError) -> UInt8 {
        guard place < bytes.count else { throw damaged }
        place += 1
        return bytes[place - 1]
    }

    private mutating func skip(_ byte: UInt8) -> Bool {
        guard place < bytes.count, bytes[place] == byte else { return false }
        place += 1
        return true
    }

    private mutating func expect(_ byte: UInt8) throws(DocumentTextError) { if try next() != byte { throw damaged } }

    private mutating func word(_ rest: String, _ value: Value) throws(DocumentTextError) -> Value {
        for byte in rest.utf8 { try expect(byte) }
        return value
    }

    private mutating func string() throws(DocumentTextError) -> String {
        var text: [UInt8] = []
        while true {
            let byte = try next()
            if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            let escaped = try next()
            guard escaped == UInt8(ascii: "u") else {
                text.append(escaped)
                continue
            }
            guard place + 4 <= bytes.count, let code = UInt8(String(decoding: bytes[place..<place + 4], as: UTF8.self), radix: 16)
            else { throw damaged }
            place += 4
            text.append(code)
        }
    }
}
