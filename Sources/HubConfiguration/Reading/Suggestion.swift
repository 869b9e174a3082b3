/// Finds what a person probably meant.
package enum Suggestion {
    /// The candidate nearest to a misspelt word; nil where none is near. Upper and lower case count half.
    package static func nearest(_ word: String, _ candidates: some Sequence<String>) -> String? {
        var best: (distance: Int, text: String)?
        for candidate in candidates.sorted() {
            let distance = distance(word, candidate)
            // A third of the letters may be wrong: more than that is a guess, not a slip.
            guard distance <= max(2, min(word.count, candidate.count) * 2 / 3), distance < 2 * max(word.count, 1) else { continue }
            if distance < (best?.distance ?? .max) { best = (distance, candidate) }
        }
        return best?.text
    }

    /// `did you mean "driver"?`, or else the words that are possible, where they are few.
    static func text(_ word: String, _ candidates: some Collection<String>) -> String? {
        if let nearest = nearest(word, candidates) { return "did you mean \"\(nearest)\"?" }
        guard !candidates.isEmpty, candidates.count <= 14 else { return nil }
        return "possible: " + candidates.joined(separator: ", ")
    }

    /// Twice the number of letters to insert, remove, replace or swap with their neighbour; one for a change of case.
    static func distance(_ a: String, _ b: String) -> Int {
        let x = Array(a)
        let y = Array(b)
        if x.isEmpty || y.isEmpty { return 2 * max(x.count, y.count) }
        var before: [Int] = []
        var previous = (0...y.count).map { 2 * $0 }
        for i in 1...x.count {
            var row = [2 * i]
            for j in 1...y.count {
                let same = x[i - 1] == y[j - 1]
                let cost = same ? 0 : x[i - 1].lowercased() == y[j - 1].lowercased() ? 1 : 2
                var least = min(previous[j - 1] + cost, previous[j] + 2, row[j - 1] + 2)
                if i > 1, j > 1, x[i - 1] == y[j - 2], x[i - 2] == y[j - 1] { least = min(least, before[j - 2] + 2) }
                row.append(least)
            }
            before = previous
            previous = row
        }
        return previous[y.count]
    }
}
