import HubModel

/// How a file writes text as bytes.
enum TextEncoding: String, Sendable, Hashable, CaseIterable {
    /// Strict: what is no UTF-8 is refused.
    case utf8 = "utf-8"
    case latin1 = "latin-1"
    case windows1252 = "windows-1252"

    /// What the bytes 0x80 to 0x9F mean in Windows-1252; 0 where they mean nothing.
    private static let windows: [UInt32] = [
        0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0, 0, 0x2018, 0x2019,
        0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178,
    ]
    private static let windowsRange: Range<UInt32> = 0x80..<0xA0

    /// The text; nil where these bytes are none in this encoding.
    func text(_ bytes: some Collection<UInt8>) -> String? {
        switch self {
        case .utf8: return String(validating: bytes, as: UTF8.self)
        case .latin1: return String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
        case .windows1252:
            var scalars = String.UnicodeScalarView()
            for byte in bytes {
                guard Self.windowsRange.contains(UInt32(byte)) else {
                    scalars.append(Unicode.Scalar(byte))
                    continue
                }
                let code = Self.windows[Int(byte) - Int(Self.windowsRange.lowerBound)]
                guard code != 0, let scalar = Unicode.Scalar(code) else { return nil }
                scalars.append(scalar)
            }
            return String(scalars)
        }
    }

    /// The bytes; nil where this encoding has none for a character.
    func bytes(_ text: String) -> [UInt8]? {
        if self == .utf8 { return Array(text.utf8) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            if scalar.value < 0x100, self == .latin1 || !Self.windowsRange.contains(scalar.value) {
                bytes.append(UInt8(scalar.value))
            } else if self == .windows1252, let place = Self.windows.firstIndex(of: scalar.value) {
                bytes.append(UInt8(place) + UInt8(Self.windowsRange.lowerBound))
            } else {
                return nil
            }
        }
        return bytes
    }
}
