import HubDriver
import PostgresClient

/// One change out of a slot's stream.
struct SlotChange: Sendable {
    var change: CapturedChange
    /// A row that was not there before: its key joins the list of keys told.
    var isNew = false
    /// The log does not have all of the row: what is missing is read from the table.
    var isPartial = false
    /// Of the message that told it, in bytes.
    var size = 0
    /// The declared type whose trail leads from the event's key to the documents; nil where the key is a document's.
    var trail: String?
}

/// Transactions that have come and that the hub does not have yet. Plain state: the stream's thread fills it, `capture` takes from it.
///
/// What has been taken stays until a later place is asked for, so that the same place gives the same again.
struct SlotBuffer {
    struct Taken {
        var changes: [SlotChange] = []
        /// Behind the last of them.
        var reached: LogPlace
        /// The numbers of the transactions that the changes are of.
        var transactions: Set<UInt32> = []
        /// Types whose tables were emptied at `reached`.
        var truncated: Set<String> = []
        /// The place of the truncation in the feed.
        var truncatedAt: LogPlace?
        /// The transaction is larger than what was asked for, and goes on in the next batch.
        var isCut = false
    }

    private struct Transaction {
        var commit: LogSequenceNumber
        var number: UInt32
        /// nil until its end has come.
        var end: LogSequenceNumber?
        /// How many changes before the first one here have been dropped.
        var first = 0
        var changes: ArraySlice<SlotChange> = []
        var truncated: Set<String> = []
    }

    /// Everything from here on is in the buffer, or still to come.
    private var start: LogPlace
    private var transactions: ArraySlice<Transaction> = []
    private let maxBytes: Int
    private var bytes = 0
    /// The server has read its log up to here, and everything committed before it has come.
    private(set) var seen: LogSequenceNumber

    init(from start: LogPlace, maxBytes: Int) {
        self.start = start
        self.maxBytes = maxBytes
        seen = start.lsn
    }

    /// Nothing more is to be put in for now.
    var isFull: Bool { bytes >= maxBytes }

    // MARK: Filling

    mutating func begin(_ commit: LogSequenceNumber, _ number: UInt32) {
        transactions.append(Transaction(commit: commit, number: number))
    }

    mutating func append(_ change: SlotChange) {
        guard let last = transactions.indices.last, transactions[last].end == nil else { return }
        bytes += Self.size(change)
        transactions[last].changes.append(change)
    }

    /// What a change takes in memory: it has a size of its own besides its values.
    private static func size(_ change: SlotChange) -> Int { change.size + 256 }

    mutating func truncate(_ natives: some Sequence<String>) {
        guard let last = transactions.indices.last else { return }
        transactions[last].truncated.formUnion(natives)
    }

    mutating func commit(_ end: LogSequenceNumber) {
        guard let last = transactions.indices.last, transactions[last].end == nil else { return }
        transactions[last].end = end
        seen = max(seen, end)
        if transactions[last].changes.isEmpty, transactions[last].truncated.isEmpty { transactions.removeLast() }
    }

    /// The server has nothing more to tell up to here.
    mutating func keepalive(_ end: LogSequenceNumber) {
        if transactions.last.map({ $0.end != nil }) ?? true { seen = max(seen, end) }
    }

    // MARK: Taking

    /// What follows a place, whole transactions as far as they fit; nil where the stream has begun behind that place.
    mutating func take(after place: LogPlace, limit: Int) -> Taken? {
        guard place >= start else { return nil }
        drop(until: place)
        start = place
        var taken = Taken(reached: place)
        for transaction in transactions {
            guard let end = transaction.end, transaction.changes.count <= limit - taken.changes.count else {
                if taken.reached == place, transaction.changes.count >= limit || isFull {
                    taken.changes = Array(transaction.changes.prefix(limit))
                    taken.reached = LogPlace(transaction.commit, transaction.first + taken.changes.count)
                    taken.isCut = true
                    taken.transactions.insert(transaction.number)
                }
                return taken
            }
            taken.changes += transaction.changes
            taken.transactions.insert(transaction.number)
            taken.reached = LogPlace(end)
            guard transaction.truncated.isEmpty else {
                taken.truncated = transaction.truncated
                taken.truncatedAt = LogPlace(transaction.commit, transaction.first + transaction.changes.count + 1)
                return taken
            }
        }
        // Behind the last change there may be much of the log that concerns nobody here.
        if seen > taken.reached.lsn { taken.reached = LogPlace(seen) }
        return taken
    }

    private mutating func drop(until place: LogPlace) {
        while let index = transactions.indices.first {
            if let end = transactions[index].end, end <= place.lsn {
                bytes -= transactions[index].changes.reduce(0) { $0 + Self.size($1) }
                transactions.removeFirst()
                continue
            }
            let passed = place.index - transactions[index].first
            guard transactions[index].commit == place.lsn, passed > 0 else { return }
            let count = min(passed, transactions[index].changes.count)
            bytes -= transactions[index].changes.prefix(count).reduce(0) { $0 + Self.size($1) }
            transactions[index].changes.removeFirst(count)
            transactions[index].first += count
            return
        }
    }
}
