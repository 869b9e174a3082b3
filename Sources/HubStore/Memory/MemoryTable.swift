/// Rows by key that can be taken back to where the transaction began.
struct MemoryTable<Key: Hashable & Comparable & Sendable, Row: Sendable>: Sendable {
    private(set) var rows: [Key: Row] = [:]
    /// What stood there before, newest last; empty between transactions.
    private var undo: [(key: Key, row: Row?)] = []
    /// All keys in order; nil until somebody asks, and again after a change in its middle.
    private var order: ArraySlice<Key>?

    init() {}

    subscript(key: Key) -> Row? {
        get { rows[key] }
        set {
            let old: Row?
            if let newValue {
                old = rows.updateValue(newValue, forKey: key)
                if old == nil { added(key) }
            } else {
                old = rows.removeValue(forKey: key)
                if old == nil { return }
                removed(key)
            }
            undo.append((key, old))
        }
    }

    /// Makes the changes stay.
    mutating func commit() {
        if !undo.isEmpty { undo.removeAll(keepingCapacity: true) }
    }

    mutating func rollBack() {
        guard !undo.isEmpty else { return }
        for (key, row) in undo.reversed() { rows[key] = row }
        undo.removeAll(keepingCapacity: true)
        order = nil
    }

    /// The keys after that one (nil: all), in order.
    mutating func keys(after key: Key?) -> ArraySlice<Key> {
        let keys = order ?? rows.keys.sorted()[...]
        order = keys
        guard let key else { return keys }
        var low = keys.startIndex
        var high = keys.endIndex
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] <= key { low = middle + 1 } else { high = middle }
        }
        return keys[low...]
    }

    private mutating func added(_ key: Key) {
        guard let keys = order else { return }
        if let last = keys.last, !(last < key) { order = nil } else { order?.append(key) }
    }

    private mutating func removed(_ key: Key) {
        guard let keys = order else { return }
        if keys.first == key {
            order = keys.dropFirst()
        } else if keys.last == key {
            order = keys.dropLast()
        } else {
            order = nil
        }
    }
}
