package import HubModel

/// Breaks bytes in random but repeatable ways, for tests that throw damaged input at a reader.
package struct ByteMutator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// The same seed gives the same sequence of damages.
    package init(seed: UInt64) { state = seed }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A whole number from 0 up to `bound`, without it; 0 where `bound` is not positive.
    package mutating func below(_ bound: Int) -> Int { bound > 0 ? Int(next() % UInt64(bound)) : 0 }

    /// Bytes that readers take as structure, and values at the edges.
    private static let telling: [UInt8] =
        Array(#"{}[]":,\-+.eE0 u9tfn/"#.utf8) + [0x00, 0x0A, 0x1F, 0x7F, 0x80, 0xBF, 0xC0, 0xED, 0xF4, 0xFF]

    /// The bytes with one to four damages: bits flipped, bytes replaced, inserted, removed, doubled, swapped, the end cut off.
    package mutating func mutated(_ source: [UInt8]) -> [UInt8] {
        var bytes = source
        for _ in 0...below(4) { damage(&bytes) }
        return bytes
    }

    /// The record with its key, a header's value, a header's name or, most of all, its value damaged.
    package mutating func mutated(_ source: Record) -> Record {
        var record = source
        let place = below(record.headers.count)
        switch below(5) {
        case 0: record.key = record.key.map { mutated($0) }
        case 1 where !record.headers.isEmpty: record.headers[place].value = record.headers[place].value.map { mutated($0) }
        case 2 where !record.headers.isEmpty:
            record.headers[place].name = String(decoding: mutated(Array(record.headers[place].name.utf8)), as: UTF8.self)
        default: record.value = record.value.map { mutated($0) }
        }
        return record
    }

    private mutating func damage(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else {
            bytes.append(Self.telling[below(Self.telling.count)])
            return
        }
        let place = below(bytes.count)
        let length = min(1 + below(16), bytes.count - place)
        switch below(8) {
        case 0: bytes[place] ^= 1 << UInt8(below(8))
        case 1: bytes[place] = Self.telling[below(Self.telling.count)]
        case 2: bytes.insert(Self.telling[below(Self.telling.count)], at: place)
        case 3: bytes.removeSubrange(place..<place + length)
        case 4: bytes.insert(contentsOf: bytes[place..<place + length], at: below(bytes.count))
        case 5: bytes.swapAt(place, below(bytes.count))
        case 6: bytes.removeSubrange(place...)
        default: bytes[place] = UInt8(truncatingIfNeeded: next())
        }
    }
}
