import HubCodec
import HubModel

extension SQLTransaction {
    // MARK: Outbox

    func append(_ row: OutboxRow) throws(StoreError) {
        try willChange()
        let sequence = counters.add(1, Self.outboxSequence)
        let record = row.record
        try change { () throws(StoreError) in
            try connection.gather(
                .appendOutbox, .integer(sequence), .text(record.topic), .integer(Int64(record.partition)), .integer(record.offset),
                .optional(record.timestamp), .optional(record.key), .json(record.storedHeaders), .optional(record.value))
        }
        tail.append(OutboxRow(sequence: sequence, record: record))
    }

    func outbox(after: Int64, limit: Int) throws(StoreError) -> [OutboxRow] {
        if !isReadOnly, let rows = tail.rows(after: after, limit: limit) { return rows }
        return try connection.all(
            """
            SELECT topic, "partition", "offset", timestamp, record_key, headers, value, sequence
            FROM outbox WHERE sequence > $1 ORDER BY sequence LIMIT $2
            """, .integer(after), .limit(limit)
        ) { row throws(StoreError) in OutboxRow(sequence: row.integer(7), record: try row.record()) }
    }

    func clearOutbox(through sequence: Int64) throws(StoreError) {
        try change { () throws(StoreError) in
            // A server would go through what was removed before, until it has been vacuumed.
            try connection.run("DELETE FROM outbox WHERE sequence > $1 AND sequence <= $2", .integer(clearedOutbox), .integer(sequence))
        }
        clearedOutbox = max(clearedOutbox, min(sequence, counters[Self.outboxSequence]))
        tail.clear(through: sequence)
    }

    // MARK: Dead letters

    func append(_ letter: DeadLetter) throws(StoreError) -> Int64 {
        let id = try next("dead letter")
        let record = letter.record
        try change { () throws(StoreError) in
            try connection.run(
                """
                INSERT INTO dead_letter (id, application, target_application, target_company, target_id, version, code, reason, time,
                    replayed, topic, "partition", "offset", timestamp, record_key, headers, value)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
                """, .integer(id), .optional(letter.application), .optional(letter.target?.application), .optional(letter.target?.company),
                .optional(letter.target?.id), .optional(letter.version?.description), .text(letter.code), .text(letter.reason),
                .integer(letter.time.milliseconds), .optional(letter.replayed), .optional(record?.topic),
                .optional(record.map { Int64($0.partition) }), .optional(record?.offset), .optional(record?.timestamp),
                .optional(record?.key), record.map { .json($0.storedHeaders) } ?? .null, .optional(record?.value))
        }
        return id
    }

    func deadLetters(after: Int64, limit: Int, includeReplayed: Bool) throws(StoreError) -> [DeadLetter] {
        if includeReplayed {
            return try connection.all(
                """
                SELECT topic, "partition", "offset", timestamp, record_key, headers, value, id, application, target_application,
                    target_company, target_id, version, code, reason, time, replayed
                FROM dead_letter WHERE id > $1 ORDER BY id LIMIT $2
                """, .integer(after), .limit(limit), read: Self.deadLetter)
        }
        return try connection.all(
            """
            SELECT topic, "partition", "offset", timestamp, record_key, headers, value, id, application, target_application,
                target_company, target_id, version, code, reason, time, replayed
            FROM dead_letter WHERE id > $1 AND replayed IS NULL ORDER BY id LIMIT $2
            """, .integer(after), .limit(limit), read: Self.deadLetter)
    }

    func deadLetter(_ id: Int64) throws(StoreError) -> DeadLetter? {
        try connection.first(
            """
            SELECT topic, "partition", "offset", timestamp, record_key, headers, value, id, application, target_application,
                target_company, target_id, version, code, reason, time, replayed
            FROM dead_letter WHERE id = $1
            """, .integer(id), read: Self.deadLetter)
    }

    private static func deadLetter(_ row: Connection.Row) throws(StoreError) -> DeadLetter {
        DeadLetter(
            id: row.integer(7), application: row.optionalID(8), record: row.isNull(0) ? nil : try row.record(),
            target: row.isNull(9) ? nil : Target(row.id(9), row.id(10), row.id(11)), version: row.optionalText(12).flatMap { Version($0) },
            code: row.text(13), reason: row.text(14), time: row.instant(15), replayed: row.optionalInstant(16))
    }

    func markReplayed(_ id: Int64, at time: Instant) throws(StoreError) {
        try change { () throws(StoreError) in
            try connection.run("UPDATE dead_letter SET replayed = $1 WHERE id = $2", .integer(time.milliseconds), .integer(id))
        }
    }

    // MARK: Conflicts and alarms

    func append(_ conflict: Conflict) throws(StoreError) {
        let id = try next("conflict")
        try change { () throws(StoreError) in
            try connection.run(
                """
                INSERT INTO conflict (id, document, field, application, refused, kept, winner, rule, event, time)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                """, .integer(id), .text(conflict.document), .text(conflict.field), .text(conflict.application),
                .json(conflict.refused.json),
                conflict.kept.map { .json($0.json) } ?? .null, .optional(conflict.winner), .text(conflict.rule), .text(conflict.event),
                .integer(conflict.time.milliseconds))
        }
    }

    func conflicts(after: Int64, limit: Int) throws(StoreError) -> [Conflict] {
        try connection.all(
            """
            SELECT id, document, field, application, refused, kept, winner, rule, event, time
            FROM conflict WHERE id > $1 ORDER BY id LIMIT $2
            """, .integer(after), .limit(limit)
        ) { row throws(StoreError) in
            let name = "conflict \(row.integer(0))"
            return Conflict(
                id: row.integer(0), document: row.id(1), field: row.text(2), application: row.id(3),
                refused: try StoredJSON(name, row.bytes(4)).root.value,
                kept: row.isNull(5) ? nil : try StoredJSON(name, row.bytes(5)).root.value, winner: row.optionalID(6), rule: row.text(7),
                event: row.text(8), time: row.instant(9))
        }
    }

    func append(_ alarm: Alarm) throws(StoreError) {
        let known = try connection.first(
            Connection.isServer
                ? """
                SELECT 1 FROM alarm WHERE (document = $1 OR $1::text IS NULL AND document IS NULL) AND code = $2
                    AND application IS NOT DISTINCT FROM $3 AND text = $4 LIMIT 1
                """
                : "SELECT 1 FROM alarm WHERE document IS $1 AND code = $2 AND application IS $3 AND text = $4 LIMIT 1",
            .optional(alarm.document),
            .text(alarm.code), .optional(alarm.application), .text(alarm.text)
        ) { $0.flag(0) }
        if known != nil { return }
        let id = try next("alarm")
        try change { () throws(StoreError) in
            try connection.run(
                "INSERT INTO alarm (id, code, application, document, text, time) VALUES ($1, $2, $3, $4, $5, $6)", .integer(id),
                .text(alarm.code),
                .optional(alarm.application), .optional(alarm.document), .text(alarm.text), .integer(alarm.time.milliseconds))
        }
    }

    func clearAlarms(_ code: String, of application: ApplicationID, except texts: [String]) throws(StoreError) {
        let kept = Set(texts.map { ExactText($0) })
        let known = try connection.all(
            "SELECT id, text FROM alarm WHERE document IS NULL AND code = $1 AND application = $2", .text(code), .text(application)
        ) { row in (id: row.integer(0), text: ExactText(row.text(1))) }
        for alarm in known where !kept.contains(alarm.text) {
            try change { () throws(StoreError) in try connection.run("DELETE FROM alarm WHERE id = $1", .integer(alarm.id)) }
        }
    }

    func alarms(after: Int64, limit: Int) throws(StoreError) -> [Alarm] {
        try connection.all(
            "SELECT id, code, application, document, text, time FROM alarm WHERE id > $1 ORDER BY id LIMIT $2", .integer(after),
            .limit(limit)
        ) { row in
            Alarm(
                id: row.integer(0), code: row.text(1), application: row.optionalID(2), document: row.optionalID(3), text: row.text(4),
                time: row.instant(5))
        }
    }

    // MARK: Counts

    func count(_ end: EventEnd, topic: String, by count: Int) throws(StoreError) {
        try willChange()
        counters.add(Int64(count), Counters.Key(.end, topic, end.rawValue))
    }

    func count(_ outcome: OutcomeKind, application: ApplicationID, by count: Int) throws(StoreError) {
        try willChange()
        counters.add(Int64(count), Counters.Key(.outcome, application.rawValue, outcome.rawValue))
    }

    /// The counters of that kind by their first name.
    private func counts(_ kind: Counters.Key.Kind) -> [(name: ExactText, counts: [ExactText: Int])] {
        var found: [ExactText: [ExactText: Int]] = [:]
        for (key, count) in counters.values where key.kind == kind && count != 0 { found[key.a, default: [:]][key.b] = Int(count) }
        return found.sorted { $0.key < $1.key }.map { (name: $0.key, counts: $0.value) }
    }

    func eventEnds() -> [(topic: String, end: EventEnd, count: Int)] {
        counts(.end).flatMap { topic in
            EventEnd.allCases.compactMap { end in
                topic.counts[ExactText(end.rawValue)].map { (topic: topic.name.rawValue, end: end, count: $0) }
            }
        }
    }

    func outcomeCounts() -> [(application: ApplicationID, kind: OutcomeKind, count: Int)] {
        counts(.outcome).flatMap { application in
            OutcomeKind.allCases.compactMap { kind in
                application.counts[ExactText(kind.rawValue)].map { (ApplicationID(application.name.rawValue), kind, $0) }
            }
        }
    }

    func goldenCounts() -> [(entity: EntityName, live: Int, deleted: Int)] {
        counts(.golden).map { (EntityName($0.name.rawValue), $0.counts["live"] ?? 0, $0.counts["deleted"] ?? 0) }
    }
}
