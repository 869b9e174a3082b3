/// A small seeded generator (splitmix64): the same seed, the same run, on every machine.
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// From 0 up to, not including, 1.
    package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    package mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }

    package mutating func pick<C: RandomAccessCollection>(_ items: C) -> C.Element where C.Index == Int {
        items[items.startIndex + below(items.count)]
    }

    /// One of these, each as often as its weight says; nil where there is no weight at all.
    package mutating func draw<Choice>(_ choices: [(Choice, weight: Int)]) -> Choice? {
        let whole = choices.reduce(0) { $0 + $1.weight }
        guard whole > 0 else { return nil }
        var drawn = below(whole)
        return choices.first { choice in
            drawn -= choice.weight
            return drawn < 0
        }?.0
    }
}
