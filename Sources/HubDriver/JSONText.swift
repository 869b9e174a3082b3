import HubCodec
public import HubModel

/// JSON as drivers read and write it: strict, numbers exactly as written, never through binary floating point.
public enum JSONText {
    /// The compact text of a value; members in the order of their names' bytes.
    public static func bytes(_ value: Value) -> [UInt8] {
        var writer = JSONWriter()
        writer.write(value)
        return writer.bytes
    }

    /// ``bytes(_:)`` as text.
    public static func text(_ value: Value) -> String { String(decoding: bytes(value), as: UTF8.self) }

    /// The value that these bytes are; of repeated members the last.
    ///
    /// - Parameter maxBytes: longer texts are refused.
    /// - Throws: ``JSONTextError`` where it is not JSON (RFC 8259), too long, or nested deeper than 128 levels.
    public static func value(_ bytes: [UInt8], maxBytes: Int = 64 << 20) throws(JSONTextError) -> Value {
        do { return try JSONDocument.parse(bytes, limits: JSONLimits(maxBytes: maxBytes)).root.value } catch {
            throw JSONTextError(offset: error.offset, line: error.line, reason: error.reason)
        }
    }

    /// ``value(_:maxBytes:)`` of a text.
    public static func value(_ text: String) throws(JSONTextError) -> Value { try value(Array(text.utf8)) }

    /// The members of the object that this text is.
    public static func fields(_ text: String) throws(JSONTextError) -> Fields {
        guard case .object(let fields) = try value(text) else {
            throw JSONTextError(offset: 0, line: 1, reason: "the text is no JSON object")
        }
        return fields
    }
}

/// Why a text is not JSON.
public struct JSONTextError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Bytes before the mistake.
    public var offset: Int
    /// Counted from 1.
    public var line: Int
    /// What is wrong, in words for people, the place included.
    public var reason: String

    public init(offset: Int, line: Int, reason: String) {
        self.offset = offset
        self.line = line
        self.reason = reason
    }

    public var description: String { reason }
}
