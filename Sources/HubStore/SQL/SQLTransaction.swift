import HubModel

/// A text that matches a golden record: what the cache of matches goes by.
struct MatchOwner: Hashable {
    var entity: EntityName
    var field: ExactText
    var id: CanonicalID
}

/// A partition in a consumer group: what the cache of positions goes by.
struct AssignmentKey: Hashable {
    var group: ExactText
    var partition: TopicPartition
}

/// Where a consumer group stands in a partition; what is not there has the epoch 0 and no offset.
struct StoredPosition {
    var epoch: Int64 = 0
    var offset: Int64?
}

/// A target as cached.
struct StoredTarget {
    var entity: EntityName
    var state: TargetState
}

/// The transaction of one connection, used again and again by its one thread, with write-through caches of what is asked most.
final class SQLTransaction<Connection: SQLConnecting>: RefusableTransaction {
    let connection: Connection
    let isReadOnly: Bool
    /// Why this transaction must not be kept, whatever its body makes of the error.
    var refusal: StoreError?

    var goldenCache: ClockCache<CanonicalID, GoldenRecord?>
    var targetCache: ClockCache<Target, StoredTarget?>
    var linkCache: ClockCache<NativeReference, CanonicalID?>
    var matchCache: ClockCache<MatchOwner, ExactText?>
    var counters = Counters()
    var tail: OutboxTail
    /// Positions as they stand: on a server, whose turn is this store's, until another one has written; elsewhere in the open transaction.
    var positions: [AssignmentKey: StoredPosition] = [:]
    /// The outbox has no rows up to there.
    var clearedOutbox: Int64 = 0
    /// Waiting events in the store: while there are none, nothing has to be woken.
    var waitingCount = 0

    // What this transaction put into the caches, to be dropped if it is rolled back.
    private var touchedGolden: [CanonicalID] = []
    private var touchedTargets: [Target] = []
    private var touchedLinks: [NativeReference] = []
    private var touchedMatches: [MatchOwner] = []
    private var waitingBefore = 0
    private var outboxBefore: Int64 = 0

    init(_ connection: Connection, isReadOnly: Bool, limits: StoreLimits) {
        self.connection = connection
        self.isReadOnly = isReadOnly
        goldenCache = ClockCache(capacity: limits.cachedGoldenRecords)
        targetCache = ClockCache(capacity: limits.cachedTargets)
        linkCache = ClockCache(capacity: limits.cachedTargets)
        matchCache = ClockCache(capacity: limits.cachedGoldenRecords)
        tail = OutboxTail(floor: 0, maxRows: limits.outboxRowsInMemory, maxBytes: limits.outboxBytesInMemory)
    }

    // MARK: Begin and end

    /// Forgets all that is known and reads the counters: at the start, and after a transaction was lost as a whole.
    func reload() throws(StoreError) {
        goldenCache.removeAll()
        targetCache.removeAll()
        linkCache.removeAll()
        matchCache.removeAll()
        touchedGolden = []
        touchedTargets = []
        touchedLinks = []
        touchedMatches = []
        forgetPositions()
        clearedOutbox = 0
        let rows = try connection.all("SELECT kind, a, b, count FROM counter") { row throws(StoreError) in
            guard let kind = Counters.Key.Kind(rawValue: row.text(0)) else {
                throw StoreError(.corrupt, "The store counts “\(row.text(0))”, which this hub does not know. Restore a backup.")
            }
            return (Counters.Key(kind, row.text(1), row.text(2)), row.integer(3))
        }
        counters.load(rows)
        waitingCount = Int(try connection.first("SELECT count(*) FROM waiting_event") { $0.integer(0) } ?? 0)
        tail = OutboxTail(floor: counters[Self.outboxSequence], maxRows: tail.maxRows, maxBytes: tail.maxBytes)
    }

    func begin() {
        refusal = nil
        counters.begin()
        waitingBefore = waitingCount
        if !Connection.isServer { forgetPositions() }
        outboxBefore = counters[Self.outboxSequence]
        touchedGolden.removeAll(keepingCapacity: true)
        touchedTargets.removeAll(keepingCapacity: true)
        touchedLinks.removeAll(keepingCapacity: true)
        touchedMatches.removeAll(keepingCapacity: true)
    }

    /// Drops from memory what this transaction decided; the database does the same with its savepoint.
    func rollBack() {
        refusal = nil
        counters.rollBack()
        waitingCount = waitingBefore
        tail.rollBack(to: outboxBefore)
        for id in touchedGolden { goldenCache.remove(id) }
        for target in touchedTargets { targetCache.remove(target) }
        for reference in touchedLinks { linkCache.remove(reference) }
        for owner in touchedMatches { matchCache.remove(owner) }
        forgetPositions()
        clearedOutbox = 0
        begin()
    }

    /// Writes the counters that the batch has changed.
    func writeCounters() throws(StoreError) {
        if counters.dirty.isEmpty { return }
        // In a fixed order, in which several hubs lock the rows too.
        let keys = counters.dirty.sorted { ($0.kind.rawValue, $0.a, $0.b) < ($1.kind.rawValue, $1.a, $1.b) }
        try connection.write(keys.map { ($0, counters[$0]) })
    }

    /// What was known of positions may have changed since.
    private func forgetPositions() { positions.removeAll(keepingCapacity: true) }

    /// Every change goes through here first.
    func willChange() throws(StoreError) {
        if isReadOnly { throw StoreError(.failed, "The store was opened for reading only.") }
    }

    /// Runs a statement that changes rows. After one that failed, the transaction is not kept.
    func change(_ work: () throws(StoreError) -> Void) throws(StoreError) {
        try willChange()
        do throws(StoreError) {
            try work()
        } catch {
            refusal = error
            throw error
        }
    }

    static var outboxSequence: Counters.Key { Counters.Key(.next, "outbox") }

    /// The next number of that series.
    func next(_ series: String) throws(StoreError) -> Int64 {
        try willChange()
        return counters.add(1, Counters.Key(.next, series))
    }

    // MARK: Golden records

    func golden(_ id: CanonicalID) throws(StoreError) -> GoldenRecord? {
        if let known = goldenCache.value(for: id) { return known }
        let found = try connection.first("SELECT entity, doc FROM golden WHERE id = $1", .text(id)) { row throws(StoreError) in
            try GoldenRecord(id: id, entity: row.id(0), stored: row.bytes(1))
        }
        goldenCache.set(found, for: id)
        return found
    }

    func put(_ golden: GoldenRecord) throws(StoreError) {
        let old = try self.golden(golden.id)
        try change { () throws(StoreError) in
            if let old, old.entity == golden.entity {
                try connection.gather(.updateGolden, .flag(golden.isDeleted), .json(golden.stored), .text(golden.id))
            } else {
                try connection.run(
                    """
                    INSERT INTO golden (id, entity, deleted, doc) VALUES ($1, $2, $3, $4)
                    ON CONFLICT (id) DO UPDATE SET entity = excluded.entity, deleted = excluded.deleted, doc = excluded.doc
                    """, .text(golden.id), .text(golden.entity), .flag(golden.isDeleted), .json(golden.stored))
            }
        }
        touchedGolden.append(golden.id)
        goldenCache.set(golden, for: golden.id)
        if let old {
            if old.entity == golden.entity && old.isDeleted == golden.isDeleted { return }
            counters.add(-1, Self.goldenKey(old))
        }
        counters.add(1, Self.goldenKey(golden))
    }

    private static func goldenKey(_ golden: GoldenRecord) -> Counters.Key {
        Counters.Key(.golden, golden.entity.rawValue, golden.isDeleted ? "deleted" : "live")
    }

    func newID(_ entity: EntityName) throws(StoreError) -> CanonicalID {
        try willChange()
        let number = counters.add(1, Counters.Key(.id, entity.rawValue))
        let id = CanonicalID("\(entity)-\(generation())-\(number)")
        // Never given before, so nothing can be stored under it.
        goldenCache.set(nil, for: id)
        touchedGolden.append(id)
        return id
    }

    func goldenRecords(_ entity: EntityName, after: CanonicalID?, limit: Int) throws(StoreError) -> [GoldenRecord] {
        try connection.all(
            "SELECT id, doc FROM golden WHERE entity = $1 AND id > $2 ORDER BY id LIMIT $3", .text(entity), .text(after ?? ""),
            .limit(limit)
        ) { row throws(StoreError) in try GoldenRecord(id: row.id(0), entity: entity, stored: row.bytes(1)) }
    }

    func matches(_ entity: EntityName, _ field: String, _ text: String) throws(StoreError) -> [CanonicalID] {
        // A server finds texts of any length by their digest; SQLite has no limit.
        try connection.all(
            Connection.isServer
                ? "SELECT id FROM match WHERE entity = $1 AND field = $2 AND md5(text) = md5($3) AND text = $3 ORDER BY id"
                : "SELECT id FROM match WHERE entity = $1 AND field = $2 AND text = $3 ORDER BY id",
            .text(entity), .text(field), .text(text)
        ) { $0.id(0) }
    }

    func putMatch(_ entity: EntityName, _ field: String, _ text: String?, _ id: CanonicalID) throws(StoreError) {
        let owner = MatchOwner(entity: entity, field: ExactText(field), id: id)
        let new = text.map { ExactText($0) }
        if let known = matchCache.value(for: owner), known == new { return }
        try change { () throws(StoreError) in
            if let text {
                try connection.run(
                    "INSERT INTO match (entity, field, id, text) VALUES ($1, $2, $3, $4) ON CONFLICT (entity, field, id) DO UPDATE SET text = excluded.text",
                    .text(entity), .text(field), .text(id), .text(text))
            } else {
                try connection.run(
                    "DELETE FROM match WHERE entity = $1 AND field = $2 AND id = $3", .text(entity), .text(field), .text(id))
            }
        }
        touchedMatches.append(owner)
        matchCache.set(new, for: owner)
    }

    func touched(_ target: Target) { touchedTargets.append(target) }
    func touched(_ reference: NativeReference) { touchedLinks.append(reference) }
}
