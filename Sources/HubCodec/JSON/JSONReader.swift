/// The reader behind ``JSONDocument``: one loop without recursion. While a container is open, its tape word's length
/// holds its parent's index, so that no stack is needed.
struct JSONReader {
    /// A refusal before its line is known.
    struct Failure: Error {
        var offset: Int
        var reason: String
        /// The tape was too short, not the document wrong.
        var tapeIsFull = false
    }

    private let base: UnsafePointer<UInt8>
    private let end: Int
    private let tape: UnsafeMutablePointer<UInt64>
    private let capacity: Int
    private var i = 0
    private(set) var count = 0

    static func read(_ bytes: [UInt8], limits: JSONLimits) throws(JSONError) -> JSONDocument {
        guard bytes.count <= limits.maxBytes else {
            throw JSONError(
                offset: limits.maxBytes, line: 1,
                reason: "the document has \(bytes.count) bytes, the limit is \(limits.maxBytes)")
        }
        // A word for every byte is always enough; usually far fewer are. A long document gets a guess first.
        var capacity = bytes.count <= 1024 ? bytes.count + 2 : bytes.count / 4 + 256
        while true {
            var failure: Failure?
            let tape = [UInt64](unsafeUninitializedCapacity: capacity) { buffer, count in
                bytes.withUnsafeBufferPointer { source in
                    guard let start = source.baseAddress, let words = buffer.baseAddress, !source.isEmpty else {
                        failure = Failure(offset: 0, reason: "the document is empty")
                        return
                    }
                    var reader = JSONReader(base: start, end: source.count, tape: words, capacity: capacity)
                    do throws(Failure) {
                        try reader.run(maxDepth: limits.maxDepth)
                        count = reader.count
                    } catch {
                        failure = error
                    }
                }
            }
            guard let failure else { return JSONDocument(bytes: bytes, tape: tape) }
            if failure.tapeIsFull {
                capacity = bytes.count + 2
                continue
            }
            let line = bytes.prefix(failure.offset).reduce(1) { $1 == 0x0A ? $0 + 1 : $0 }
            throw JSONError(offset: failure.offset, line: line, reason: "\(failure.reason) at byte \(failure.offset), line \(line)")
        }
    }

    private init(base: UnsafePointer<UInt8>, end: Int, tape: UnsafeMutablePointer<UInt64>, capacity: Int) {
        self.base = base
        self.end = end
        self.tape = tape
        self.capacity = capacity
    }

    // MARK: The loop

    private mutating func run(maxDepth: Int) throws(Failure) {
        if end >= 3, base[0] == 0xEF, base[1] == 0xBB, base[2] == 0xBF {
            throw Failure(offset: 0, reason: "a byte order mark, which JSON does not allow,")
        }
        var depth = 0
        var open = 0
        var inObject = false
        value: while true {
            skipSpace()
            guard i < end else { throw Failure(offset: i, reason: "the document ends where a value should stand") }
            let byte = base[i]
            switch byte {
            case 0x22:
                try string()
            case 0x7B, 0x5B:
                guard depth < maxDepth else { throw Failure(offset: i, reason: "depth limit of \(maxDepth) reached") }
                depth += 1
                let isObject = byte == 0x7B
                try push(.tape(isObject ? .object : .array, length: open, place: i))
                open = count - 1
                inObject = isObject
                i += 1
                skipSpace()
                if i < end, base[i] == (isObject ? 0x7D : 0x5D) {
                    break  // closed below, as any other end
                }
                if isObject { try name() }
                continue value
            case 0x2D, 0x30...0x39:
                try number()
            case 0x74:
                try literal("true", .true)
            case 0x66:
                try literal("false", .false)
            case 0x6E:
                try literal("null", .null)
            default:
                throw Failure(offset: i, reason: "\(Self.shown(byte)) where a value should stand")
            }
            // A value is complete, or an empty container is about to be.
            while true {
                skipSpace()
                if depth == 0 {
                    guard i == end else { throw Failure(offset: i, reason: "\(Self.shown(base[i])) after the document's end") }
                    return
                }
                guard i < end else {
                    throw Failure(offset: i, reason: "the document ends inside an \(inObject ? "object" : "array")")
                }
                let next = base[i]
                if next == 0x2C {
                    i += 1
                    if inObject {
                        skipSpace()
                        try name()
                    }
                    continue value
                }
                guard next == (inObject ? 0x7D : 0x5D) else {
                    let container = inObject ? "object" : "array"
                    throw Failure(offset: i, reason: "\(Self.shown(next)) where a comma or the end of the \(container) should stand")
                }
                i += 1
                let word = tape[open]
                let parent = word.tapeLength
                try push(.tape(.end, length: open, place: i))
                tape[open] = .tape(inObject ? .object : .array, length: count - 1, place: word.tapePlace)
                depth -= 1
                open = parent
                inObject = depth > 0 && tape[open].tapeKind == .object
            }
        }
    }

    @inline(__always)
    private mutating func push(_ word: UInt64) throws(Failure) {
        guard count < capacity else { throw Failure(offset: i, reason: "", tapeIsFull: true) }
        tape[count] = word
        count += 1
    }

    @inline(__always)
    private mutating func skipSpace() {
        while i < end {
            let byte = base[i]
            if byte > 0x20 { return }
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            i += 1
        }
    }

    // MARK: Parts

    /// A member's name and its colon; the name's quote should stand here.
    @inline(__always)
    private mutating func name() throws(Failure) {
        guard i < end, base[i] == 0x22 else {
            throw missing("a member's name")
        }
        try string()
        skipSpace()
        guard i < end, base[i] == 0x3A else {
            throw missing("a colon")
        }
        i += 1
    }

    /// What an object lacks at this place.
    private func missing(_ part: String) -> Failure {
        guard i < end else { return Failure(offset: i, reason: "the document ends inside an object") }
        return Failure(offset: i, reason: "\(Self.shown(base[i])) where \(part) should stand")
    }

    @inline(__always)
    private mutating func string() throws(Failure) {
        let start = i + 1
        var at = start
        var escaped = false
        while true {
            // Eight plain bytes at a time: no quote, backslash, control character or byte past ASCII among them.
            while at &+ 8 <= end {
                let word = UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self).littleEndian
                let quote = word ^ 0x2222_2222_2222_2222
                let backslash = word ^ 0x5C5C_5C5C_5C5C_5C5C
                let low: UInt64 = 0x0101_0101_0101_0101
                let special =
                    ((quote &- low) | (backslash &- low) | (word &- 0x2020_2020_2020_2020) | word) & 0x8080_8080_8080_8080
                if special == 0 {
                    at &+= 8
                } else {
                    // The lowest flagged byte is truly special: borrows only travel upwards.
                    at &+= special.trailingZeroBitCount >> 3
                    break
                }
            }
            guard at < end else { throw Failure(offset: at, reason: "the document ends inside a string") }
            let byte = base[at]
            if byte == 0x22 {
                break
            } else if byte == 0x5C {
                escaped = true
                at = try escape(at)
            } else if byte >= 0x80 {
                at = try sequence(at)
            } else if byte < 0x20 {
                throw Failure(offset: at, reason: "\(Self.shown(byte)) unescaped in a string")
            } else {
                at &+= 1
            }
        }
        i = at + 1
        try push(.tape(escaped ? .escapedString : .string, length: at - start, place: start))
    }

    /// The place after the escape at `at`, a pair of surrogates taken together.
    private func escape(_ at: Int) throws(Failure) -> Int {
        guard at + 1 < end else { throw Failure(offset: at, reason: "the document ends inside a string") }
        switch base[at + 1] {
        case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: return at + 2
        case 0x75:
            guard let unit = hexadecimal(at + 2) else { throw Failure(offset: at, reason: "\\u without four hexadecimal digits") }
            if unit & 0xF800 != 0xD800 { return at + 6 }
            guard unit < 0xDC00, at + 7 < end, base[at + 6] == 0x5C, base[at + 7] == 0x75,
                let low = hexadecimal(at + 8), low & 0xFC00 == 0xDC00
            else { throw Failure(offset: at, reason: "half of a surrogate pair, which is no text,") }
            return at + 12
        default: throw Failure(offset: at, reason: "a backslash before \(Self.shown(base[at + 1]))")
        }
    }

    private func hexadecimal(_ at: Int) -> UInt32? {
        guard at + 4 <= end else { return nil }
        var unit: UInt32 = 0
        for offset in 0..<4 {
            guard let digit = Self.hexadecimalDigit(base[at + offset]) else { return nil }
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }

    static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }

    /// The place after the UTF-8 sequence of two to four bytes at `at` (Unicode 15, table 3-7).
    private func sequence(_ at: Int) throws(Failure) -> Int {
        let first = base[at]
        let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        guard first >= 0xC2, first <= 0xF4, at + length <= end else {
            throw Failure(offset: at, reason: "\(Self.shown(first)), which is not UTF-8,")
        }
        let second = base[at + 1]
        let lowest: UInt8 = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80
        let highest: UInt8 = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF
        guard second >= lowest, second <= highest, length < 3 || base[at + 2] & 0xC0 == 0x80, length < 4 || base[at + 3] & 0xC0 == 0x80
        else { throw Failure(offset: at, reason: "\(Self.shown(first)), which is not UTF-8,") }
        return at + length
    }

    @inline(__always)
    private mutating func number() throws(Failure) {
        let start = i
        var at = i
        if base[at] == 0x2D { at += 1 }
        let first = at
        at = digits(at)
        guard at > first else { throw Failure(offset: at, reason: "a minus sign without a digit") }
        guard at == first + 1 || base[first] != 0x30 else { throw Failure(offset: first, reason: "a number with a leading zero") }
        if at < end, base[at] == 0x2E {
            let fraction = at + 1
            at = digits(fraction)
            guard at > fraction else { throw Failure(offset: at, reason: "a decimal point without a digit behind it") }
        }
        if at < end, base[at] | 0x20 == 0x65 {
            at += 1
            if at < end, base[at] == 0x2B || base[at] == 0x2D { at += 1 }
            let exponent = at
            at = digits(exponent)
            guard at > exponent else { throw Failure(offset: at, reason: "an exponent without a digit") }
        }
        i = at
        try push(.tape(.number, length: at - start, place: start))
    }

    @inline(__always)
    private func digits(_ start: Int) -> Int {
        var at = start
        while at < end, base[at] &- 0x30 < 10 { at &+= 1 }
        return at
    }

    private mutating func literal(_ text: StaticString, _ kind: TapeKind) throws(Failure) {
        let length = text.utf8CodeUnitCount
        guard i + length <= end else { throw Failure(offset: i, reason: "the document ends where \(text) should stand") }
        for offset in 0..<length where base[i + offset] != text.utf8Start[offset] {
            throw Failure(offset: i + offset, reason: "\(Self.shown(base[i + offset])) where \(text) should stand")
        }
        try push(.tape(kind, length: length, place: i))
        i += length
    }

    /// A byte as people read it.
    static func shown(_ byte: UInt8) -> String {
        byte > 0x20 && byte < 0x7F ? "'\(Character(Unicode.Scalar(byte)))'" : "byte 0x" + String(byte, radix: 16, uppercase: true)
    }
}
