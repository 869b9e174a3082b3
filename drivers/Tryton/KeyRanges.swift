/// A set of keys as runs of neighbours: Tryton counts its keys up, so a million of them are mostly a few runs.
struct KeyRanges: Sendable, Hashable {
    private(set) var runs: [ClosedRange<Int64>] = []

    var count: Int64 { runs.reduce(0) { $0 + $1.upperBound - $1.lowerBound + 1 } }
    var last: Int64 { runs.last?.upperBound ?? 0 }

    func contains(_ key: Int64) -> Bool {
        let index = place(of: key)
        return index < runs.count && runs[index].contains(key)
    }

    /// The first run that ends at or behind the key.
    private func place(of key: Int64) -> Int {
        var low = 0
        var high = runs.count
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].upperBound < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    mutating func insert(_ key: Int64) {
        let index = place(of: key)
        if index < runs.count, runs[index].contains(key) { return }
        let joinsBefore = index > 0 && runs[index - 1].upperBound == key - 1
        let joinsAfter = index < runs.count && runs[index].lowerBound == key + 1
        switch (joinsBefore, joinsAfter) {
        case (true, true):
            runs[index - 1] = runs[index - 1].lowerBound...runs[index].upperBound
            runs.remove(at: index)
        case (true, false): runs[index - 1] = runs[index - 1].lowerBound...key
        case (false, true): runs[index] = key...runs[index].upperBound
        case (false, false): runs.insert(key...key, at: index)
        }
    }

    mutating func remove(_ key: Int64) {
        let index = place(of: key)
        guard index < runs.count, runs[index].contains(key) else { return }
        let run = runs.remove(at: index)
        if run.upperBound > key { runs.insert(key + 1...run.upperBound, at: index) }
        if run.lowerBound < key { runs.insert(run.lowerBound...key - 1, at: index) }
    }

    /// Keys of this set in `range` that are not among `present`.
    func missing(from present: KeyRanges, limit: Int) -> [Int64] {
        var result: [Int64] = []
        for run in runs {
            var key = run.lowerBound
            while key <= run.upperBound, result.count < limit {
                let index = present.place(of: key)
                if index < present.runs.count, present.runs[index].contains(key) {
                    key = present.runs[index].upperBound + 1
                } else {
                    result.append(key)
                    key += 1
                }
            }
        }
        return result
    }

    // MARK: Text

    /// `1-500,502`.
    var text: String {
        runs.map { $0.lowerBound == $0.upperBound ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
    }

    init() {}

    /// Nil where the text is none of ``text``'s.
    init?(_ text: String) {
        for part in text.split(separator: ",") {
            let ends = part.split(separator: "-").map { Int64($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first <= last, first > self.last else {
                return nil
            }
            runs.append(first...last)
        }
    }
}
