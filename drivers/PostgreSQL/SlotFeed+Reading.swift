import HubDriver
import HubModel
import PostgresClient
import Synchronization

/// What is read from the tables themselves: whole tables, keys, and what the log leaves out.
extension SlotFeed {
    /// Rows of a page at most.
    private static let pageSize = 1000

    // MARK: Whole tables

    /// The next page of a table, as the database was at one place in the log.
    func read(_ work: SlotPosition.Work, _ position: inout SlotPosition, _ limit: Int) async throws(DriverError) -> [SlotChange] {
        let size = min(limit, Self.pageSize)
        let rows: Rows
        do throws(PostgresError) {
            rows = try await desk.perform(patience: Self.patience) { [self] session throws(PostgresError) in
                do throws(PostgresError) {
                    let place = try snapshot(session)
                    let connection = try session.connection()
                    return Rows(documents: try page(work, size, on: connection), place: place, time: try Self.time(on: connection))
                } catch {
                    // A snapshot ends with the first mistake.
                    session.drop()
                    state.withLock { $0.snapshot = nil }
                    throw error
                }
            }
        } catch {
            throw PostgreSQLDriver.failure(error)
        }
        let (documents, place, time) = (rows.documents, rows.place, rows.time)
        if position.place.lsn == .zero { position.place = LogPlace(place) }
        for index in position.work.indices where position.work[index].kind == .compare && position.work[index].at == nil {
            position.work[index].at = LogPlace(place)
        }
        if documents.count < size {
            position.work.removeFirst()
            if !position.work.contains(where: { $0.kind == .read }) { await endSnapshot() }
        } else {
            position.work[0].key = documents.last?.key.rawValue
        }
        let company = base.tables.first { $0.native == work.native }?.company
        return documents.filter { !$0.isDeleted }.map { document in
            let event = ChangeEvent(
                id: "\(place.rawValue)-\(work.native)-\(document.key)", type: work.native, operation: .snapshot, key: document.key,
                position: LogPlace(place).source, token: document.token, time: time, reference: document.reference,
                company: company.flatMap { document.fields[$0]?.keyText })
            return SlotChange(change: CapturedChange(event: event, fields: document.fields), isNew: true)
        }
    }

    /// Of one page, of which place in the log, and when it was read.
    private struct Rows: Sendable {
        var documents: [NativeDocument]
        var place: LogSequenceNumber
        var time: Instant
    }

    /// The database's clock, which the times of transactions are of: the hub's may be another.
    private static func time(on connection: PostgresConnection) throws(PostgresError) -> Instant {
        let row = try connection.run("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint").first
        return Instant(milliseconds: row?.integer(0) ?? 0)
    }

    private func page(
        _ work: SlotPosition.Work, _ size: Int, on connection: PostgresConnection
    ) throws(PostgresError) -> [NativeDocument] {
        guard let shape = try base.shape(work.native, on: connection) else { return [] }
        var arguments: [PostgresValue] = [.text(base.application), .text(work.native)]
        if let key = work.key { arguments.append(.text(key)) }
        arguments.append(.integer(Int64(size)))
        var documents: [NativeDocument] = []
        for row in try connection.run(shape.page(isFirst: work.key == nil, hasCompany: false), arguments).rows {
            var document = try shape.document(row)
            document.reference = document.reference ?? row.optionalID(4)
            documents.append(document)
        }
        return documents
    }

    /// The place of the snapshot that the session's transaction sees; makes both where the connection is a new one.
    private func snapshot(_ session: PostgresSession) throws(PostgresError) -> LogSequenceNumber {
        let connection = try session.connection()
        if let held = state.withLock({ $0.snapshot }), held.process == connection.serverProcess { return held.place }
        let stream = try ReplicationStream(options)
        defer { stream.close() }
        let beginning = try stream.beginning(slot: "\(slot)_read\(connection.serverProcess)")
        guard beginning.snapshot.allSatisfy({ $0.isHexDigit || $0 == "-" }) else {
            throw PostgresError(.lost, "The server gave a snapshot that is none: \(beginning.snapshot)")
        }
        try connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try connection.run("SET TRANSACTION SNAPSHOT '\(beginning.snapshot)'")
        state.withLock { $0.snapshot = (beginning.place, connection.serverProcess) }
        return beginning.place
    }

    private func endSnapshot() async {
        state.withLock { $0.snapshot = nil }
        // An open transaction would keep the server from cleaning up.
        try? await desk.perform(patience: Self.patience) { session throws(PostgresError) in session.drop() }
    }

    // MARK: Keys

    /// Keys looked at in one call.
    private static let keysAtOnce = 10_000

    /// Deletions that the log does not tell: keys that were told, and that no row has now.
    func compare(_ work: SlotPosition.Work, _ position: inout SlotPosition, _ limit: Int) async throws(DriverError) -> [SlotChange] {
        let at = work.at ?? position.place
        typealias Found = (keys: [(key: NativeKey, isLiving: Bool)], time: Instant)
        let (found, time): Found = try await base.ask { [base] session throws(PostgresError) in
            let connection = try session.connection()
            let time = try Self.time(on: connection)
            guard let shape = try base.shape(work.native, on: connection) else { return ([], time) }
            let keys = try connection.run(
                ToldKeys.look(shape),
                [.text(base.application), .text(work.native), .text(work.key ?? ""), .integer(Int64(Self.keysAtOnce))]
            ).rows.map { (key: $0.id(0) as NativeKey, isLiving: $0.flag(1)) }
            return (keys, time)
        }
        let gone = found.filter { !$0.isLiving }.prefix(limit).map(\.key)
        // Behind the last one that is told, or behind all that were looked at.
        let reached = gone.count == limit ? gone.last : found.last?.key
        if let reached { position.work[0].key = reached.rawValue } else { position.work.removeFirst() }
        return gone.map { key in
            let event = ChangeEvent(
                id: "\(at.lsn.rawValue)-\(at.index)-\(work.native)-\(key)", type: work.native, operation: .delete, key: key,
                position: at.source, time: time)
            return SlotChange(change: CapturedChange(event: event, fields: nil))
        }
    }

    /// The keys that a batch ends without, by native type.
    static func gone(_ changes: [SlotChange]) -> [String: [NativeKey]] {
        guard changes.contains(where: { $0.change.event.operation == .delete }) else { return [:] }
        var last: [String: [NativeKey: Bool]] = [:]
        for change in changes {
            guard let key = change.change.event.key else { continue }
            last[change.change.event.type, default: [:]][key] = change.change.event.operation == .delete
        }
        return last.mapValues { $0.filter(\.value).keys.sorted() }.filter { !$0.value.isEmpty }
    }

    /// What has to be done where tables were emptied: the log does not say which rows went.
    func work(_ taken: SlotBuffer.Taken) -> [SlotPosition.Work] {
        let emptied = base.tables.filter { taken.truncated.contains($0.native) }
        let types = Set(emptied.filter { $0.document == nil }.map(\.native)).sorted()
        // Parts that are gone: every document may have had some.
        let wholes = Set(emptied.compactMap(\.document)).subtracting(types).sorted()
        return types.map { SlotPosition.Work(kind: .compare, native: $0, at: taken.truncatedAt) }
            + wholes.map { SlotPosition.Work(kind: .read, native: $0) }
    }

    // MARK: What others see

    /// Transactions of which others may not see anything yet.
    ///
    /// A commit stands in the log, and comes with the stream, some moments before it is seen; where it waits for a standby, long before.
    /// Who reads meanwhile, through the application's interface or in the tables, reads what was there before.
    private static let unseen = """
        SELECT FROM pg_locks WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND granted AND transactionid::text = ANY ($1::text[])
        """

    /// True where others see what these transactions did.
    func areSeen(_ transactions: Set<UInt32>) async throws(DriverError) -> Bool {
        if transactions.isEmpty { return true }
        return try await base.ask { session throws(PostgresError) in
            try session.connection().run(Self.unseen, [.texts(transactions.sorted().map { String($0) })]).count == 0
        }
    }

    // MARK: Parts

    /// Puts the documents that a row belongs to in the row's place, where the way to them leads through other tables. It is the way of now:
    /// whatever changes it tells its documents itself.
    func followed(_ changes: [SlotChange], _ setup: Setup) async throws(DriverError) -> [SlotChange] {
        var keys: [String: Set<String>] = [:]
        for change in changes {
            if let native = change.trail, let key = change.change.event.key { keys[native, default: []].insert(key.rawValue) }
        }
        if keys.isEmpty { return changes }
        let asked = keys
        let found: [String: [NativeKey: [NativeKey]]] = try await base.ask { session throws(PostgresError) in
            let connection = try session.connection()
            var found: [String: [NativeKey: [NativeKey]]] = [:]
            for (native, keys) in asked.sorted(by: { $0.key < $1.key }) {
                guard let question = setup.trails[native] else { continue }
                for row in try connection.run(question, [.texts(keys.sorted())]).rows {
                    found[native, default: [:]][row.id(0), default: []].append(row.id(1))
                }
            }
            return found
        }
        return changes.flatMap { change -> [SlotChange] in
            guard let native = change.trail, let key = change.change.event.key else { return [change] }
            return (found[native]?[key] ?? []).sorted().map { document in
                var told = change
                told.trail = nil
                told.change.event.key = document
                told.change.event.id += "-\(document)"
                return told
            }
        }
    }

    // MARK: What the log leaves out

    /// Puts in what stands elsewhere: the hub's references, columns that the log does not have; and keeps the list of keys told.
    func complete(_ changes: [SlotChange], removing: [String: [NativeKey]]) async throws(DriverError) -> [CapturedChange] {
        var told = changes.map(\.change)
        let open = needs(changes)
        if open.isEmpty, removing.isEmpty { return told }
        let keys = told.map { $0.event.key ?? "" }
        let found: [String: Found] = try await base.ask { [base] session throws(PostgresError) in
            let connection = try session.connection()
            for (native, keys) in removing {
                try connection.run(ToldKeys.remove, [.text(base.application), .text(native), .texts(keys.map(\.rawValue))])
            }
            var found: [String: Found] = [:]
            for (native, need) in open.sorted(by: { $0.key < $1.key }) {
                found[native] = try Self.find(native, need, keys, base, on: connection)
            }
            return found
        }
        for (native, need) in open {
            for place in need.references { told[place].event.reference = found[native]?.references[keys[place]] }
            for place in need.rows {
                // The log's own columns are of the change, the others are of now.
                guard let found = found[native], let row = found.rows[keys[place]], let fields = told[place].fields else { continue }
                let isNew = changes[place].isNew
                told[place].fields = row.fields.filter { isNew || found.generated.contains($0.name) }.overlaid(with: fields)
            }
        }
        return told
    }

    private func needs(_ changes: [SlotChange]) -> [String: Needs] {
        var needs: [String: Needs] = [:]
        let tables = Dictionary(base.tables.map { ($0.native, (hasReference: $0.reference != nil, archives: $0.archived != nil)) }) {
            (hasReference: $0.hasReference, archives: $0.archives || $1.archives)
        }
        for (place, change) in changes.enumerated() {
            guard let table = tables[change.change.event.type] else { continue }
            let operation = change.change.event.operation
            let isGone = operation == .delete
            let wantsReference = change.change.event.reference == nil && (!table.hasReference || isGone) && operation != .snapshot
            // A row that was archived may come back.
            let isNew = !isGone && (change.isNew || table.archives)
            guard wantsReference || change.isPartial || isNew else { continue }
            needs[change.change.event.type, default: Needs()].add(place, reference: wantsReference, row: change.isPartial, new: isNew)
        }
        return needs
    }

    /// Places in a batch.
    private struct Needs {
        var references: [Int] = []
        var rows: [Int] = []
        var new: [Int] = []

        mutating func add(_ place: Int, reference: Bool, row: Bool, new isNew: Bool) {
            if reference { references.append(place) }
            if row { rows.append(place) }
            if isNew { new.append(place) }
        }
    }

    private struct Found: Sendable {
        var references: [NativeKey: CanonicalID] = [:]
        var rows: [NativeKey: NativeDocument] = [:]
        var generated: Set<String> = []
    }

    private static func find(
        _ native: String, _ need: Needs, _ keys: [NativeKey], _ base: PostgreSQLDriver, on connection: PostgresConnection
    ) throws(PostgresError) -> Found {
        var found = Found()
        func unique(_ places: [Int]) -> [NativeKey] { Set(places.map { keys[$0] }).sorted() }
        if !need.references.isEmpty {
            found.references = try WriteLog.references(unique(need.references), native, of: base.application, on: connection)
        }
        if !need.rows.isEmpty, let shape = try base.shape(native, on: connection) {
            found.rows = try base.read(unique(need.rows), shape, on: connection)
            found.generated = Set(shape.columns.values.filter(\.isGenerated).map(\.name))
        }
        if !need.new.isEmpty {
            var keys = PostgresColumn()
            for key in unique(need.new) { keys.append(key.rawValue) }
            try connection.run(ToldKeys.add, [.text(base.application), .text(native), .column(keys)])
        }
        return found
    }
}
