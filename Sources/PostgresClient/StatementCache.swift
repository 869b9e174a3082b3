/// Which statements a connection has prepared, the least used one making room.
struct StatementCache {
    enum Found: Equatable {
        case known(String)
        /// To be prepared under that name, after `evicted` has been given up.
        case new(String, evicted: String?)
    }

    private struct Entry {
        var name: String
        var used: UInt64
    }

    private var entries: [String: Entry] = [:]
    private var clock: UInt64 = 0
    private var made: UInt64 = 0

    mutating func name(of sql: String, limit: Int) -> Found {
        clock += 1
        if let place = entries.index(forKey: sql) {
            entries.values[place].used = clock
            return .known(entries.values[place].name)
        }
        var evicted: String?
        if entries.count >= max(1, limit), let oldest = entries.min(by: { $0.value.used < $1.value.used }) {
            evicted = oldest.value.name
            entries[oldest.key] = nil
        }
        made += 1
        let name = "s\(made)"
        entries[sql] = Entry(name: name, used: clock)
        return .new(name, evicted: evicted)
    }

    /// It could not be prepared after all.
    mutating func forget(_ sql: String) { entries[sql] = nil }
}
