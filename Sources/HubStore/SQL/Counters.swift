import HubModel

/// Numbers that change with almost every transaction, kept in memory and written once per commit.
struct Counters {
    struct Key: Hashable {
        enum Kind: String {
            /// The store's generation.
            case generation
            /// The newest number given, by what it numbers.
            case next
            /// The newest id given, by entity.
            case id
            /// Golden records, by entity and `live` or `deleted`.
            case golden
            /// Ends of events, by topic and end.
            case end
            /// Outcomes, by application and kind.
            case outcome
        }

        var kind: Kind
        var a: ExactText
        var b: ExactText

        init(_ kind: Kind, _ a: String = "", _ b: String = "") {
            self.kind = kind
            self.a = ExactText(a)
            self.b = ExactText(b)
        }
    }

    private(set) var values: [Key: Int64] = [:]
    private(set) var dirty: Set<Key> = []
    /// What stood there before the transaction, newest last.
    private var undo: [(Key, Int64?)] = []

    subscript(key: Key) -> Int64 { values[key] ?? 0 }

    /// Adds, and gives the sum.
    @discardableResult
    mutating func add(_ count: Int64, _ key: Key) -> Int64 {
        let old = values[key]
        let new = (old ?? 0) &+ count
        values[key] = new
        undo.append((key, old))
        dirty.insert(key)
        return new
    }

    /// Takes over what the database says; only while nothing is unwritten.
    mutating func load(_ rows: [(Key, Int64)]) {
        values = Dictionary(rows) { $1 }
        dirty = []
        undo = []
    }

    mutating func begin() { undo.removeAll(keepingCapacity: true) }

    mutating func rollBack() {
        for (key, value) in undo.reversed() { values[key] = value }
        undo.removeAll(keepingCapacity: true)
    }

    mutating func written() { dirty.removeAll(keepingCapacity: true) }
}
