/// Escapes inside JSON strings, resolved.
enum JSONEscapes {
    /// Writes the text that a checked string's inner bytes stand for; never longer than these. Returns its length in bytes.
    static func resolve(_ source: UnsafeBufferPointer<UInt8>, into target: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var count = 0
        var i = 0
        while i < source.count {
            let byte = source[i]
            guard byte == 0x5C, i + 1 < source.count else {
                target[count] = byte
                count += 1
                i += 1
                continue
            }
            let kind = source[i + 1]
            i += 2
            switch kind {
            case 0x62: target[count] = 0x08
            case 0x66: target[count] = 0x0C
            case 0x6E: target[count] = 0x0A
            case 0x72: target[count] = 0x0D
            case 0x74: target[count] = 0x09
            case 0x75:
                var scalar = unit(source, i)
                i += 4
                if scalar & 0xFC00 == 0xD800 {
                    scalar = 0x10000 + (scalar & 0x3FF) << 10 + (unit(source, i + 2) & 0x3FF)
                    i += 6
                }
                for code in UTF8.encode(Unicode.Scalar(scalar) ?? "\u{FFFD}") ?? UTF8.encodedReplacementCharacter {
                    target[count] = code
                    count += 1
                }
                continue
            default: target[count] = kind
            }
            count += 1
        }
        return count
    }

    private static func unit(_ source: UnsafeBufferPointer<UInt8>, _ start: Int) -> UInt32 {
        guard start + 4 <= source.count else { return 0xFFFD }
        return (start..<start + 4).reduce(0) { $0 << 4 | UInt32(JSONReader.hexadecimalDigit(source[$1]) ?? 0) }
    }
}
