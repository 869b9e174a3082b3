/// A set of code points, as `[…]`, `\d` or `\p{…}` mean them.
struct PatternSet: Sendable {
    private var ranges: [ClosedRange<UInt32>] = []
    private var parts: [PatternSet] = []
    private var property: UnicodeProperty?
    private var isNegated = false
    /// The verdicts on ASCII, by bit.
    private var low: (UInt64, UInt64) = (0, 0)

    init(_ ranges: [ClosedRange<UInt32>], isNegated: Bool = false) {
        self.ranges = ranges
        self.isNegated = isNegated
        prepare()
    }

    init(_ scalar: UInt32) { self.init([scalar...scalar]) }

    init(parts: [PatternSet], isNegated: Bool) {
        self.parts = parts
        self.isNegated = isNegated
        prepare()
    }

    init(property: UnicodeProperty, isNegated: Bool) {
        self.property = property
        self.isNegated = isNegated
        prepare()
    }

    static let digits = PatternSet([0x30...0x39])
    static let word = PatternSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    /// ECMA-262's WhiteSpace and LineTerminator.
    static let space = PatternSet([
        0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029, 0x202F...0x202F, 0x205F...0x205F,
        0x3000...0x3000, 0xFEFF...0xFEFF,
    ])
    /// What `.` means.
    static let noLineEnd = PatternSet([0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029], isNegated: true)

    var negated: PatternSet { PatternSet(parts: [self], isNegated: true) }

    func contains(_ scalar: UInt32) -> Bool {
        if scalar < 64 { return low.0 >> UInt64(scalar) & 1 == 1 }
        if scalar < 128 { return low.1 >> UInt64(scalar - 64) & 1 == 1 }
        return find(scalar)
    }

    private func find(_ scalar: UInt32) -> Bool {
        let isFound =
            ranges.contains { $0.contains(scalar) } || parts.contains { $0.find(scalar) } || property?.contains(scalar) == true
        return isFound != isNegated
    }

    private mutating func prepare() {
        low = (0, 0)
        for scalar in UInt32(0)..<64 {
            if find(scalar) { low.0 |= 1 << UInt64(scalar) }
            if find(scalar + 64) { low.1 |= 1 << UInt64(scalar) }
        }
    }
}
