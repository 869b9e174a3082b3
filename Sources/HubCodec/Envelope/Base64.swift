/// Base64 (RFC 4648, section 4).
enum Base64 {
    /// The bytes; nil where the text is not padded Base64 of the standard alphabet.
    static func decode(_ text: String) -> [UInt8]? {
        let source = Array(text.utf8)
        guard source.count % 4 == 0 else { return nil }
        let padding = source.suffix(2).reversed().prefix { $0 == 0x3D }.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(source.count / 4 * 3)
        var bits: UInt32 = 0
        for (place, byte) in source.enumerated() {
            let isPadding = place >= source.count - padding
            guard let digit = isPadding ? 0 : digit(byte) else { return nil }
            bits = bits << 6 | digit
            if place % 4 == 3 {
                bytes += [UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255)]
                bits = 0
            }
        }
        bytes.removeLast(min(padding, bytes.count))
        return bytes
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x41...0x5A: UInt32(byte) - 0x41
        case 0x61...0x7A: UInt32(byte) - 0x61 + 26
        case 0x30...0x39: UInt32(byte) - 0x30 + 52
        case 0x2B: 62
        case 0x2F: 63
        default: nil
        }
    }
}
