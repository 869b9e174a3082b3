import HubModel

/// The newest rows of the outbox, kept in memory so that the publisher need not read back what has just been written.
///
/// Bounded: the oldest leave first, and are read from the database when asked for.
struct OutboxTail {
    private var rows: ArraySlice<OutboxRow> = []
    private var bytes = 0
    /// Every stored row past this sequence is in `rows`.
    private(set) var floor: Int64
    let maxRows: Int
    let maxBytes: Int

    init(floor: Int64, maxRows: Int, maxBytes: Int) {
        self.floor = floor
        self.maxRows = maxRows
        self.maxBytes = maxBytes
    }

    mutating func append(_ row: OutboxRow) {
        rows.append(row)
        bytes += row.record.size
        while rows.count > maxRows || bytes > maxBytes, let first = rows.popFirst() {
            bytes -= first.record.size
            floor = first.sequence
        }
    }

    /// The rows past `after`; nil where the database has to be asked.
    func rows(after: Int64, limit: Int) -> [OutboxRow]? {
        guard after >= floor else { return nil }
        return Array(rows[place(after: after)...].prefix(max(0, limit)))
    }

    /// Rows up to there are gone. Should the transaction be rolled back, the database has them, which the raised floor says.
    mutating func clear(through sequence: Int64) {
        let end = place(after: sequence)
        for row in rows[..<end] { bytes -= row.record.size }
        if let last = rows[..<end].last { floor = max(floor, last.sequence) }
        rows = rows[end...]
    }

    /// Forgets what was appended after that sequence.
    mutating func rollBack(to sequence: Int64) {
        while let last = rows.last, last.sequence > sequence {
            bytes -= last.record.size
            rows.removeLast()
        }
        floor = min(floor, sequence)
    }

    private func place(after sequence: Int64) -> Int {
        var low = rows.startIndex
        var high = rows.endIndex
        while low < high {
            let middle = (low + high) / 2
            if rows[middle].sequence <= sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
