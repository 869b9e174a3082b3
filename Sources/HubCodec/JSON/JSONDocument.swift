package import HubModel

/// A JSON document read in one pass: the bytes as they came and a tape of where everything in them stands.
///
/// Nothing is decoded before it is asked for. RFC 8259, strictly, and where it leaves a choice:
/// - bytes that are not UTF-8 (surrogates, overlong forms and code points past U+10FFFF among them) are refused, so is a byte order mark;
/// - an escaped surrogate that is not one half of a pair is refused, because it is no Unicode text; `\u0000` is accepted;
/// - numbers of any size and exponent are accepted and kept as written;
/// - repeated member names are accepted: the last one counts, ``duplicateNames`` tells of them;
/// - nesting is accepted up to ``JSONLimits/maxDepth``.
package struct JSONDocument: Sendable {
    /// The document as it came.
    package let bytes: [UInt8]
    /// One word per value, member name and closing bracket, in document order.
    let tape: [UInt64]

    init(bytes: [UInt8], tape: [UInt64]) {
        self.bytes = bytes
        self.tape = tape
    }

    package var root: JSONNode { JSONNode(document: self, index: 0) }

    /// The whole document as a value.
    package var value: Value { root.value }

    /// Reads one JSON text that fills the bytes, white space around it aside.
    package static func parse(_ bytes: [UInt8], limits: JSONLimits = .init()) throws(JSONError) -> JSONDocument {
        try JSONReader.read(bytes, limits: limits)
    }

    /// Reads one JSON text.
    package static func parse(_ text: String, limits: JSONLimits = .init()) throws(JSONError) -> JSONDocument {
        try JSONReader.read(Array(text.utf8), limits: limits)
    }
}

/// What a word of the tape says: the kind in the top 4 bits, then 28 bits of length, then 32 bits of place.
///
/// - scalars and names: place and length in the bytes, a string's without its quotes;
/// - `object`, `array`: place of the bracket; the length is the tape index of the closing word;
/// - `end`: place after the closing bracket; the length is the tape index of the opening word.
enum TapeKind: UInt64 {
    case null = 0
    case `false`, `true`, number, string, escapedString, object, array, end
}

extension UInt64 {
    @inline(__always)
    static func tape(_ kind: TapeKind, length: Int, place: Int) -> UInt64 {
        kind.rawValue << 60 | UInt64(truncatingIfNeeded: length) << 32 | UInt64(truncatingIfNeeded: place)
    }
    @inline(__always)
    var tapeKind: TapeKind { TapeKind(rawValue: self >> 60) ?? .null }
    @inline(__always)
    var tapeLength: Int { Int(truncatingIfNeeded: self >> 32 & 0xFFF_FFFF) }
    @inline(__always)
    var tapePlace: Int { Int(truncatingIfNeeded: self & 0xFFFF_FFFF) }
    @inline(__always)
    var isTapeContainer: Bool { self >> 60 == TapeKind.object.rawValue || self >> 60 == TapeKind.array.rawValue }
    @inline(__always)
    var isTapeString: Bool { self >> 60 == TapeKind.string.rawValue || self >> 60 == TapeKind.escapedString.rawValue }
    /// The index of the word after this value, which stands at `index`.
    @inline(__always)
    func tapeNext(after index: Int) -> Int { isTapeContainer ? tapeLength + 1 : index + 1 }
}
