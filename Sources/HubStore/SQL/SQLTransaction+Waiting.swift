import HubModel

/// `ready` says of each waiting event whether what it waits for has come; it is kept right by whatever makes that so or not, so that
/// looking for events to release touches no other. An event that waits for its turn becomes ready when it is the first of its document.
extension SQLTransaction {
    func append(_ event: WaitingEvent) throws(StoreError) {
        let isReady: Bool
        if case .turn = event.awaits { isReady = try !isWaiting(event.document) } else { isReady = try hasEnded(event) }
        let sequence = try next("waiting event")
        let awaited = AwaitedColumns(event.awaits)
        let document = event.document
        let record = event.record
        try change { () throws(StoreError) in
            try connection.run(
                """
                INSERT INTO waiting_event (sequence, application, company, entity, "key", kind, awaited_application, awaited_company,
                    awaited_entity, awaited_key, ready, since, topic, "partition", "offset", timestamp, record_key, headers, value)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
                """, .integer(sequence), .text(document.application), .text(document.company), .text(document.entity), .text(document.key),
                .text(awaited.kind), awaited.application, awaited.company, awaited.entity, awaited.key, .flag(isReady),
                .integer(event.since.milliseconds), .text(record.topic), .integer(Int64(record.partition)), .integer(record.offset),
                .optional(record.timestamp), .optional(record.key), .json(record.storedHeaders), .optional(record.value))
        }
        waitingCount += 1
    }

    func isWaiting(_ document: NativeReference) throws(StoreError) -> Bool {
        if waitingCount == 0 { return false }
        return try firstSequence(document) != nil
    }

    private func firstSequence(_ document: NativeReference) throws(StoreError) -> Int64? {
        try connection.first(
            "SELECT min(sequence) FROM waiting_event WHERE application = $1 AND company = $2 AND entity = $3 AND \"key\" = $4",
            .text(document.application), .text(document.company), .text(document.entity), .text(document.key)
        ) { $0.optionalInteger(0) } ?? nil
    }

    func nextWaiting(_ document: NativeReference) throws(StoreError) -> WaitingEvent? {
        if waitingCount == 0 { return nil }
        guard let sequence = try firstSequence(document) else { return nil }
        return try waitingEvent(sequence)
    }

    private func waitingEvent(_ sequence: Int64) throws(StoreError) -> WaitingEvent? {
        try connection.first(
            """
            SELECT topic, "partition", "offset", timestamp, record_key, headers, value, sequence, application, company, entity, "key",
                kind, awaited_application, awaited_company, awaited_entity, awaited_key, since
            FROM waiting_event WHERE sequence = $1
            """, .integer(sequence), read: Self.waitingEvent)
    }

    func releasable(limit: Int) throws(StoreError) -> [WaitingEvent] {
        if waitingCount == 0 { return [] }
        let first = try connection.all(
            // Left alone, SQLite goes along the primary key for the sake of the order, through all that waits.
            Connection.isServer
                ? """
                SELECT sequence FROM waiting_event AS w WHERE ready = 1 AND NOT EXISTS (
                    SELECT 1 FROM waiting_event AS v WHERE v.application = w.application AND v.company = w.company AND v.entity = w.entity
                        AND v."key" = w."key" AND v.sequence < w.sequence)
                ORDER BY sequence LIMIT $1
                """
                : """
                SELECT sequence FROM waiting_event AS w INDEXED BY waiting_ready WHERE ready = 1 AND NOT EXISTS (
                    SELECT 1 FROM waiting_event AS v WHERE v.application = w.application AND v.company = w.company AND v.entity = w.entity
                        AND v."key" = w."key" AND v.sequence < w.sequence)
                ORDER BY sequence LIMIT $1
                """, .limit(limit)
        ) { $0.integer(0) }
        var events: [WaitingEvent] = []
        for sequence in first { if let event = try waitingEvent(sequence) { events.append(event) } }
        return events
    }

    func waitingEvents(after: Int64, limit: Int) throws(StoreError) -> [WaitingEvent] {
        try connection.all(
            """
            SELECT topic, "partition", "offset", timestamp, record_key, headers, value, sequence, application, company, entity, "key",
                kind, awaited_application, awaited_company, awaited_entity, awaited_key, since
            FROM waiting_event WHERE sequence > $1 ORDER BY sequence LIMIT $2
            """, .integer(after), .limit(limit), read: Self.waitingEvent)
    }

    func update(_ event: WaitingEvent) throws(StoreError) {
        guard let stored = try waitingEvent(event.sequence) else { return }
        let isReady: Bool
        if case .turn = event.awaits {
            isReady = try firstSequence(stored.document) == event.sequence
        } else {
            isReady = try hasEnded(event)
        }
        let awaited = AwaitedColumns(event.awaits)
        try change { () throws(StoreError) in
            try connection.run(
                """
                UPDATE waiting_event SET kind = $1, awaited_application = $2, awaited_company = $3, awaited_entity = $4, awaited_key = $5,
                    ready = $6, since = $7 WHERE sequence = $8
                """, .text(awaited.kind), awaited.application, awaited.company, awaited.entity, awaited.key, .flag(isReady),
                .integer(event.since.milliseconds), .integer(event.sequence))
        }
    }

    func removeWaiting(_ sequence: Int64) throws(StoreError) {
        guard let event = try waitingEvent(sequence) else { return }
        try change { () throws(StoreError) in
            try connection.run("DELETE FROM waiting_event WHERE sequence = $1", .integer(sequence))
            waitingCount -= 1
            guard let next = try firstSequence(event.document) else { return }
            try connection.run("UPDATE waiting_event SET ready = 1 WHERE sequence = $1 AND kind = 'turn'", .integer(next))
        }
    }

    // MARK: Waking

    /// Whether what the event waits for (not its turn) has come.
    private func hasEnded(_ event: WaitingEvent) throws(StoreError) -> Bool {
        switch event.awaits {
        case .turn: false
        case .link(let reference): try link(reference) != nil
        case .intents(let application, let entity): try !hasIntents(application, entity, sentBy: event.since)
        }
    }

    /// The link exists now.
    func wakeEvents(awaiting link: NativeReference) throws(StoreError) {
        try change { () throws(StoreError) in
            try connection.run(
                """
                UPDATE waiting_event SET ready = 1 WHERE kind = 'link' AND awaited_application = $1 AND awaited_company = $2
                    AND awaited_entity = $3 AND awaited_key = $4 AND ready = 0
                """, .text(link.application), .text(link.company), .text(link.entity), .text(link.key))
        }
    }

    /// Unresolved creates of that application and entity have come or gone.
    func wakeEvents(awaiting application: ApplicationID, _ entity: EntityName) throws(StoreError) {
        let first = try firstIntent(application, entity)
        try change { () throws(StoreError) in
            try connection.run(
                """
                UPDATE waiting_event SET ready = CASE WHEN since < $1 THEN 1 ELSE 0 END
                WHERE kind = 'intents' AND awaited_application = $2 AND awaited_entity = $3
                    AND ready <> CASE WHEN since < $1 THEN 1 ELSE 0 END
                """, .integer(first?.milliseconds ?? .max), .text(application), .text(entity))
        }
    }

    // MARK: Columns

    private struct AwaitedColumns {
        var kind: String
        var application = SQLValue.null
        var company = SQLValue.null
        var entity = SQLValue.null
        var key = SQLValue.null

        init(_ awaits: WaitingEvent.Awaited) {
            switch awaits {
            case .turn: kind = "turn"
            case .link(let reference):
                kind = "link"
                application = .text(reference.application)
                company = .text(reference.company)
                entity = .text(reference.entity)
                key = .text(reference.key)
            case .intents(let of, let entityName):
                kind = "intents"
                application = .text(of)
                entity = .text(entityName)
            }
        }
    }

    private static func waitingEvent(_ row: Connection.Row) throws(StoreError) -> WaitingEvent {
        let awaits: WaitingEvent.Awaited
        switch row.text(12) {
        case "turn": awaits = .turn
        case "link": awaits = .link(NativeReference(row.id(13), row.id(14), row.id(15), row.id(16)))
        case "intents": awaits = .intents(row.id(13), row.id(15))
        case let kind: throw StoreError(.corrupt, "Waiting event \(row.integer(7)) waits for “\(kind)”, which this hub does not know.")
        }
        return WaitingEvent(
            sequence: row.integer(7), document: NativeReference(row.id(8), row.id(9), row.id(10), row.id(11)), awaits: awaits,
            record: try row.record(), since: row.instant(17))
    }
}

extension SQLRowReading {
    /// The record whose seven columns begin at `first`.
    func record(_ first: Int32 = 0) throws(StoreError) -> Record {
        Record(
            topic: text(first), partition: Int32(truncatingIfNeeded: integer(first + 1)), offset: integer(first + 2),
            timestamp: optionalInteger(first + 3), key: optionalBytes(first + 4), value: optionalBytes(first + 6),
            headers: try Record.headers(stored: bytes(first + 5)))
    }
}
