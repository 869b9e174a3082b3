import HubDriver
import HubModel
import PostgresClient

/// Tables marked `feed=yes` have a trigger that notes each change in `multipoint.change`.
///
/// A note is only a signal, *this row*, written in the transaction of the change. What is told is the row as it is when the feed is read,
/// in the same form as in answers and reads: several changes between two looks are told as one.
struct TriggerFeed: TableFeed {
    let base: PostgreSQLDriver

    func details(on connection: PostgresConnection) throws(PostgresError) -> [String] { [] }
    func close() async {}

    func capture(after position: String?, limit: Int) async throws(DriverError) -> CapturedBatch {
        guard let start = position.map({ FeedPosition($0) }) ?? FeedPosition() else {
            throw DriverError(.configuration, "\(position ?? "") is no position of this driver's feed.")
        }
        return try await base.ask { session throws(PostgresError) in
            let connection = try session.connection()
            try base.prepare(connection)
            var position = start
            var notes = try look(position, limit, on: connection)
            if notes.isEmpty {
                // This window has been told; the next one reaches up to the oldest transaction that is still open.
                let open = try connection.run("SELECT pg_snapshot_xmin(pg_current_snapshot())::text").first?.integer(0) ?? 0
                if open < position.high {
                    throw PostgresError(
                        .usage,
                        "The server's transactions are numbered \(open), and the hub has them up to \(position.high): the database was restored. "
                            + "Compare the application, then remove its capture position.")
                }
                guard open > position.high else { return CapturedBatch(changes: [], position: start.text) }
                position = FeedPosition(low: position.high, high: open, sequence: 0)
                notes = try look(position, limit, on: connection)
                try trim(position, on: connection)
            }
            var changes: [CapturedChange] = []
            for (native, several) in Dictionary(grouping: notes, by: \.native) {
                guard let shape = try base.shape(native, on: connection) else { continue }
                changes += try tell(several, shape, on: connection)
            }
            changes.sort { ($0.event.position?.minor ?? 0) < ($1.event.position?.minor ?? 0) }
            position.sequence = notes.last?.sequence ?? position.sequence
            return CapturedBatch(changes: changes, position: position.text)
        }
    }

    // MARK: Notes

    /// One change of one row.
    private struct Note {
        var sequence: Int64
        var native: String
        var key: NativeKey
    }

    private func look(_ position: FeedPosition, _ limit: Int, on connection: PostgresConnection) throws(PostgresError) -> [Note] {
        guard position.high > position.low else { return [] }
        let tables = base.tables.filter { $0.feed == .triggers }
        var natives: [String: String] = [:]
        for table in tables { if let shape = try base.shape(table.native, on: connection) { natives[shape.table] = table.native } }
        let rows = try connection.run(
            """
            SELECT c.seq, n.name, c."key" FROM multipoint.change AS c
            JOIN unnest($1::text[]) AS n(name) ON c.source = n.name::regclass::oid
            WHERE c.xid >= $2::text::xid8 AND c.xid < $3::text::xid8 AND c.seq > $4 ORDER BY c.seq LIMIT $5
            """,
            [
                .texts(natives.keys.sorted()), .integer(position.low), .integer(position.high), .integer(position.sequence),
                .integer(Int64(max(1, limit))),
            ])
        return rows.rows.compactMap { row in
            natives[row.text(1)].map { Note(sequence: row.integer(0), native: $0, key: row.id(2)) }
        }
    }

    /// The rows behind the notes as they are now, each once, at its newest note.
    private func tell(
        _ notes: [Note], _ shape: TableShape, on connection: PostgresConnection
    ) throws(PostgresError) -> [CapturedChange] {
        var newest: [NativeKey: Note] = [:]
        for note in notes { newest[note.key] = note }
        let keys = newest.keys.sorted()
        let documents = try base.read(keys, shape, on: connection)
        let references = try WriteLog.references(keys, shape.declaration.native, of: base.application, on: connection)
        return newest.values.map { note in
            let document = documents[note.key]
            let isGone = document?.isDeleted ?? true
            return CapturedChange(
                event: ChangeEvent(
                    id: "\(note.native)-\(note.sequence)", type: note.native, operation: isGone ? .delete : .upsert, key: note.key,
                    position: SourcePosition(minor: note.sequence), token: document?.token,
                    reference: document?.reference ?? references[note.key],
                    company: shape.declaration.company.flatMap { document?.fields[$0]?.keyText }), fields: document?.fields)
        }
    }

    /// Removes notes that the hub has had for an hour.
    private func trim(_ position: FeedPosition, on connection: PostgresConnection) throws(PostgresError) {
        try connection.run(
            """
            DELETE FROM multipoint.change WHERE seq IN (SELECT seq FROM multipoint.change
                WHERE xid < $1::text::xid8 AND noted_at < now() - interval '1 hour' ORDER BY seq LIMIT 5000)
            """, [.integer(position.low)])
    }
}

/// A place in the feed: notes of transactions `low ..< high` are being told in the order of their numbers, up to `sequence`.
///
/// Numbers are given before a transaction ends, so that a later one may be seen first; a transaction's id below that of the oldest open
/// one says that it has ended. Notes of one row have rising numbers, since its changes wait for each other. One of a long transaction may
/// come in a later window than a younger one; by then the row has been told as it is, and the lower position changes nothing.
struct FeedPosition {
    var low: Int64 = 0
    var high: Int64 = 0
    var sequence: Int64 = 0

    var text: String { "\(low)/\(high)/\(sequence)" }

    init(low: Int64 = 0, high: Int64 = 0, sequence: Int64 = 0) {
        self.low = low
        self.high = high
        self.sequence = sequence
    }

    init?(_ text: String) {
        let parts = text.split(separator: "/").compactMap { Int64($0) }
        guard parts.count == 3 else { return nil }
        self.init(low: parts[0], high: parts[1], sequence: parts[2])
    }
}
