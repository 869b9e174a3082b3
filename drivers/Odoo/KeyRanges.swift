/// A set of whole numbers as text: `1-7,9`. Odoo's numbers grow without large gaps, so that a hundred thousand fit a few kilobytes.
struct KeyRanges: Sendable, Equatable {
    /// Ascending, not touching each other.
    private(set) var ranges: [ClosedRange<Int64>] = []

    init() {}

    init(_ keys: some Sequence<Int64>) {
        for key in keys.sorted() {
            if let last = ranges.last, key <= last.upperBound { continue }
            if let last = ranges.last, key == last.upperBound + 1 {
                ranges[ranges.count - 1] = last.lowerBound...key
            } else {
                ranges.append(key...key)
            }
        }
    }

    /// From ``text``; nil where it is none.
    init?(text: String) {
        for part in text.split(separator: ",") {
            let ends = part.split(separator: "-").map { Int64($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first <= last,
                ranges.last.map({ $0.upperBound < first }) ?? true
            else { return nil }
            ranges.append(first...last)
        }
    }

    var text: String {
        ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
    }

    func contains(_ key: Int64) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < key { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(key)
    }

    /// The numbers of this that `other` lacks, ascending.
    func subtracting(_ other: KeyRanges) -> [Int64] { ranges.flatMap { $0.filter { !other.contains($0) } } }

    /// The numbers above one, ascending.
    func above(_ key: Int64) -> [Int64] {
        ranges.flatMap { $0.upperBound > key ? Array(max($0.lowerBound, key + 1)...$0.upperBound) : [] }
    }

    /// This with more numbers.
    func union(_ keys: [Int64]) -> KeyRanges {
        let new = keys.filter { !contains($0) }
        if new.isEmpty { return self }
        var result = KeyRanges()
        let added = KeyRanges(new).ranges
        for range in (ranges + added).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = result.ranges.last, range.lowerBound <= last.upperBound + 1 {
                result.ranges[result.ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                result.ranges.append(range)
            }
        }
        return result
    }

    /// This without some numbers.
    func without(_ keys: Set<Int64>) -> KeyRanges {
        if keys.isEmpty { return self }
        return KeyRanges(ranges.lazy.flatMap { $0 }.filter { !keys.contains($0) })
    }
}
