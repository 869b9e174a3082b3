import HubModel

extension SQLTransaction {
    func target(_ target: Target) throws(StoreError) -> TargetState { try stored(target)?.state ?? TargetState() }

    private func stored(_ target: Target) throws(StoreError) -> StoredTarget? {
        if let known = targetCache.value(for: target) { return known }
        let found = try connection.first(
            "SELECT entity, doc FROM target WHERE application = $1 AND company = $2 AND id = $3", .text(target.application),
            .text(target.company), .text(target.id)
        ) { row throws(StoreError) in
            StoredTarget(entity: row.id(0), state: try TargetState(stored: row.bytes(1), of: target.description))
        }
        targetCache.set(found, for: target)
        return found
    }

    func put(_ new: TargetState, _ target: Target, _ entity: EntityName) throws(StoreError) {
        let old = try stored(target)
        let intent = new.intent?.sent
        let oldIntent = old?.state.intent?.sent
        let isRejected = new.rejected != nil
        try change { () throws(StoreError) in
            if let old, old.entity == entity, old.state.wait.isFiled(like: new.wait), intent == oldIntent,
                isRejected == (old.state.rejected != nil)
            {
                try connection.gather(
                    .updateTarget, .json(new.stored), .text(target.application), .text(target.company), .text(target.id))
            } else {
                try connection.run(
                    """
                    INSERT INTO target (application, company, id, entity, intent_sent, wait_reason, wait_since, wait_until, awaits, doc, rejected)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
                    ON CONFLICT (application, company, id) DO UPDATE SET entity = excluded.entity, intent_sent = excluded.intent_sent,
                        wait_reason = excluded.wait_reason, wait_since = excluded.wait_since, wait_until = excluded.wait_until,
                        awaits = excluded.awaits, doc = excluded.doc, rejected = excluded.rejected
                    """, .text(target.application), .text(target.company), .text(target.id), .text(entity), .optional(intent),
                    .optional(new.wait?.reason.rawValue), .optional(new.wait?.since), .optional(new.wait?.until),
                    .optional(new.wait?.awaits), .json(new.stored), isRejected ? .integer(1) : .null)
            }
            if (old?.state.leftOut ?? [:]) != new.leftOut {
                try putLeftOut(Set(new.leftOut.values), instead: Set(old?.state.leftOut.values.map { $0 } ?? []), target)
            }
        }
        targetCache.set(StoredTarget(entity: entity, state: new), for: target)
        touched(target)
        if waitingCount > 0 && (intent != oldIntent || old?.entity != entity) {
            if let old, oldIntent != nil { try wakeEvents(awaiting: target.application, old.entity) }
            if intent != nil { try wakeEvents(awaiting: target.application, entity) }
        }
    }

    private func putLeftOut(_ new: Set<CanonicalID>, instead old: Set<CanonicalID>, _ target: Target) throws(StoreError) {
        for id in old.subtracting(new) {
            try connection.run(
                "DELETE FROM left_out WHERE application = $1 AND awaits = $2 AND company = $3 AND id = $4", .text(target.application),
                .text(id),
                .text(target.company), .text(target.id))
        }
        for id in new.subtracting(old) {
            try connection.run(
                "INSERT INTO left_out (application, awaits, company, id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                .text(target.application),
                .text(id),
                .text(target.company), .text(target.id))
        }
    }

    func waiting(
        _ application: ApplicationID, _ reasons: Set<TargetState.Wait.Reason>, until: Instant?, limit: Int
    ) throws(StoreError) -> [TargetRow] {
        var found: [(since: Instant, target: Target)] = []
        for reason in reasons {
            found += try connection.all(
                """
                SELECT wait_since, company, id FROM target
                WHERE application = $1 AND wait_reason = $2 AND (wait_until IS NULL OR wait_until <= $3)
                ORDER BY wait_since, company, id LIMIT $4
                """, .text(application), .text(reason.rawValue), .integer(until?.milliseconds ?? .max), .limit(limit)
            ) { row in (since: row.instant(0), target: Target(application, row.id(1), row.id(2))) }
        }
        if reasons.count > 1 { found.sort { ($0.since, $0.target) < ($1.since, $1.target) } }
        return try rows(found.prefix(max(0, limit)).map(\.target))
    }

    func waitCounts(_ application: ApplicationID) throws(StoreError) -> [WaitCount] {
        try connection.all(
            """
            SELECT wait_reason, count(*), min(wait_since) FROM target WHERE application = $1 AND wait_reason IS NOT NULL
            GROUP BY wait_reason ORDER BY wait_reason
            """, .text(application)
        ) { row in
            TargetState.Wait.Reason(rawValue: row.text(0)).map { WaitCount($0, count: Int(row.integer(1)), since: row.instant(2)) }
        }.compactMap { $0 }
    }

    func rejections(_ application: ApplicationID, after: Target?, limit: Int) throws(StoreError) -> [TargetRow] {
        let first = Target(application, .shared, "")
        let start = max(after ?? first, first)
        guard start.application == application else { return [] }
        let found = try connection.all(
            // As with those that await: SQLite has to be told which index is the small one.
            Connection.isServer
                ? """
                SELECT company, id FROM target WHERE application = $1 AND rejected = 1 AND (company, id) > ($2, $3)
                ORDER BY company, id LIMIT $4
                """
                : """
                SELECT company, id FROM target INDEXED BY target_rejected
                WHERE application = $1 AND rejected = 1 AND (company, id) > ($2, $3) ORDER BY company, id LIMIT $4
                """, .text(application), .text(start.company), .text(start.id), .limit(limit)
        ) { row in Target(application, row.id(0), row.id(1)) }
        // What an older hub stored was marked by its text, which may mark one too many.
        return try rows(found).filter { $0.state.rejected != nil }
    }

    private func rows(_ targets: [Target]) throws(StoreError) -> [TargetRow] {
        var rows: [TargetRow] = []
        for target in targets {
            if let stored = try stored(target) { rows.append(TargetRow(target: target, entity: stored.entity, state: stored.state)) }
        }
        return rows
    }

    func nextWake(_ application: ApplicationID) throws(StoreError) -> Instant? {
        try connection.first(
            "SELECT min(wait_until) FROM target WHERE application = $1 AND wait_until IS NOT NULL", .text(application)
        ) { $0.optionalInstant(0) } ?? nil
    }

    func awaiting(_ application: ApplicationID, _ id: CanonicalID) throws(StoreError) -> [Target] {
        try connection.all(
            // Left alone, SQLite takes the primary key for the sake of the order, and reads every target of the application.
            Connection.isServer
                ? "SELECT company, id FROM target WHERE application = $1 AND awaits = $2 ORDER BY company, id"
                : "SELECT company, id FROM target INDEXED BY target_awaits WHERE application = $1 AND awaits = $2 ORDER BY company, id",
            .text(application), .text(id)
        ) { row in Target(application, row.id(0), row.id(1)) }
    }

    func leavingOut(_ application: ApplicationID, _ id: CanonicalID) throws(StoreError) -> [Target] {
        try connection.all(
            "SELECT company, id FROM left_out WHERE application = $1 AND awaits = $2 ORDER BY company, id", .text(application), .text(id)
        ) { row in Target(application, row.id(0), row.id(1)) }
    }

    func hasIntents(_ application: ApplicationID, _ entity: EntityName, sentBy time: Instant) throws(StoreError) -> Bool {
        guard let first = try firstIntent(application, entity) else { return false }
        return first <= time
    }

    /// When the oldest unresolved create was sent; nil where there is none.
    func firstIntent(_ application: ApplicationID, _ entity: EntityName) throws(StoreError) -> Instant? {
        try connection.first(
            "SELECT min(intent_sent) FROM target WHERE application = $1 AND entity = $2 AND intent_sent IS NOT NULL", .text(application),
            .text(entity)
        ) { $0.optionalInstant(0) } ?? nil
    }

    // MARK: Links

    func link(_ reference: NativeReference) throws(StoreError) -> CanonicalID? {
        if let known = linkCache.value(for: reference) { return known }
        let found: CanonicalID? = try connection.first(
            "SELECT id FROM link WHERE application = $1 AND company = $2 AND entity = $3 AND \"key\" = $4", .text(reference.application),
            .text(reference.company), .text(reference.entity), .text(reference.key)
        ) { $0.id(0) }
        linkCache.set(found, for: reference)
        return found
    }

    func putLink(_ reference: NativeReference, _ id: CanonicalID) throws(StoreError) {
        if let known = linkCache.value(for: reference), known == id { return }
        try change { () throws(StoreError) in
            try connection.run(
                """
                INSERT INTO link (application, company, entity, "key", id) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (application, company, entity, "key") DO UPDATE SET id = excluded.id
                """, .text(reference.application), .text(reference.company), .text(reference.entity), .text(reference.key), .text(id))
        }
        linkCache.set(id, for: reference)
        touched(reference)
        if waitingCount > 0 { try wakeEvents(awaiting: reference) }
    }

    func links(application: ApplicationID?, entity: EntityName?, after: NativeReference?, limit: Int) throws(StoreError) -> [Link] {
        // An application's links begin behind its bare name, which is no link's own place.
        let first = NativeReference(application ?? "", "", "", "")
        let start = max(after ?? first, first)
        return try connection.all(
            """
            SELECT application, company, entity, "key", id FROM link
            WHERE (application, company, entity, "key") > ($1, $2, $3, $4)
                AND (CAST($5 AS text) IS NULL OR application = $5) AND (CAST($6 AS text) IS NULL OR entity = $6)
            ORDER BY application, company, entity, "key" LIMIT $7
            """, .text(start.application), .text(start.company), .text(start.entity), .text(start.key), .optional(application),
            .optional(entity), .limit(limit)
        ) { row in Link(reference: NativeReference(row.id(0), row.id(1), row.id(2), row.id(3)), id: row.id(4)) }
    }
}

extension Optional where Wrapped == TargetState.Wait {
    /// True where both stand at the same place in every index.
    fileprivate func isFiled(like other: Self) -> Bool {
        self?.reason == other?.reason && self?.since == other?.since && self?.until == other?.until && self?.awaits == other?.awaits
    }
}
