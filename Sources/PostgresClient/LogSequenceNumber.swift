/// A place in a server's write-ahead log: a count of bytes, which PostgreSQL writes as two hexadecimal halves, `16/B374D848`.
package struct LogSequenceNumber: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var rawValue: UInt64

    package static let zero = LogSequenceNumber(0)

    package init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// nil where the text is none.
    package init?(_ text: some StringProtocol) {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, let high = UInt32(halves[0], radix: 16), let low = UInt32(halves[1], radix: 16) else { return nil }
        rawValue = UInt64(high) << 32 | UInt64(low)
    }

    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

    package var description: String {
        String(rawValue >> 32, radix: 16, uppercase: true) + "/" + String(rawValue & 0xFFFF_FFFF, radix: 16, uppercase: true)
    }
}
