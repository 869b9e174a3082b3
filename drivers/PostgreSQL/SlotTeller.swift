import HubDriver
import HubModel
import PostgresClient

/// Makes changes of documents out of a slot's messages, on the stream's own thread.
struct SlotTeller {
    /// A declared table as the stream tells it now; one object, so that no row copies it.
    private final class Table {
        let declaration: TableDeclaration
        /// Sorted by name, as documents are.
        let columns: [(place: Int, name: String, kind: ColumnText)]
        let key: (place: Int, trims: Bool, isFlag: Bool)
        let version: Int?
        let reference: Int?
        let company: Int?
        let archived: Int?
        /// The table has columns that the log does not: generated ones.
        let isPartial: Bool

        init(
            _ declaration: TableDeclaration, _ relation: LogicalRelation, _ columns: [(place: Int, name: String, kind: ColumnText)],
            key: (place: Int, trims: Bool, isFlag: Bool), isPartial: Bool
        ) {
            func place(_ name: String?) -> Int? { name.flatMap { name in relation.columns.firstIndex { $0.name == name } } }
            self.declaration = declaration
            self.columns = columns
            self.key = key
            (version, reference) = (place(declaration.version), place(declaration.reference))
            (company, archived) = (place(declaration.company), place(declaration.archived))
            self.isPartial = isPartial
        }
    }

    private let base: PostgreSQLDriver
    private let session: PostgresSession
    /// Declared tables by their number in `pg_class`.
    private let declared: [UInt32: [TableDeclaration]]
    private var tables: [UInt32: [Table]] = [:]

    /// The transaction that is open: where it was committed and when, what the ids of its changes begin with, and how many it has had.
    private var commit = LogSequenceNumber.zero
    private var time = Instant(milliseconds: 0)
    private var idBeginning = ""
    private var count = 0
    /// What the open transaction has said of parts: a second word of the same says nothing new.
    private var parts: Set<Part> = []

    private struct Part: Hashable {
        var native: String
        var key: NativeKey
    }

    /// So many are remembered; what goes beyond is said again.
    private static let maxParts = 10_000

    init(base: PostgreSQLDriver, session: PostgresSession, declared: [UInt32: [TableDeclaration]]) {
        self.base = base
        self.session = session
        self.declared = declared
    }

    /// Puts one message into the buffer.
    /// - Throws: ``SlotFailure`` where it cannot be told.
    mutating func take(_ bytes: UnsafeRawBufferPointer, into buffer: (_ body: (inout SlotBuffer) -> Void) -> Void) throws(SlotFailure) {
        let message: LogicalMessage
        do throws(LogicalMessageError) { message = try LogicalMessage(bytes) } catch {
            throw SlotFailure(.protocolViolation, error.description)
        }
        switch message {
        case .begin(let commit, let time, let transaction):
            (self.commit, self.time) = (commit, time)
            (idBeginning, count) = ("\(commit.rawValue)-", 0)
            parts = []
            buffer { $0.begin(commit, transaction) }
        case .commit(_, let end): buffer { $0.commit(end) }
        case .origin, .type: break
        case .relation(let relation):
            do throws(PostgresError) { tables[relation.id] = try known(relation) } catch { throw SlotFailure(error) }
        case .truncate(let relations):
            let natives = relations.flatMap { tables[$0] ?? [] }.map(\.declaration.native)
            buffer { $0.truncate(natives) }
        case .insert(let relation, let new): try put(relation, nil, new, isInsert: true, bytes, buffer)
        case .update(let relation, let old, let new): try put(relation, old, new, isInsert: false, bytes, buffer)
        case .delete(let relation, let old): try put(relation, old, nil, isInsert: false, bytes, buffer)
        }
    }

    private mutating func put(
        _ relation: UInt32, _ old: LogicalTuple?, _ new: LogicalTuple?, isInsert: Bool, _ bytes: UnsafeRawBufferPointer,
        _ buffer: (_ body: (inout SlotBuffer) -> Void) -> Void
    ) throws(SlotFailure) {
        guard let tables = tables[relation] else {
            throw SlotFailure(.protocolViolation, "The stream tells a row of a table that it has not described.")
        }
        func append(_ change: SlotChange) {
            var change = change
            count += 1
            change.change.event.position = LogPlace(commit, count).source
            change.change.event.time = time
            change.change.event.id = idBeginning + String(count)
            change.size = bytes.count
            buffer { [change] in $0.append(change) }
        }
        do throws(PostgresError) {
            for table in tables {
                let oldKey = old.flatMap { key(table, $0, bytes) }
                let newKey = new.flatMap { key(table, $0, bytes, or: oldKey) }
                if let document = table.declaration.document {
                    // A part has come, gone or changed: its document has changed.
                    let trail = table.declaration.trail == nil ? nil : table.declaration.native
                    for key in Set([oldKey, newKey].compactMap(\.self)).sorted() where isNews(Part(native: trail ?? document, key: key)) {
                        append(SlotChange(change: CapturedChange(event: event(document, .upsert, key), fields: nil), trail: trail))
                    }
                    continue
                }
                var isNew = isInsert
                if let old, let oldKey, oldKey != newKey {
                    isNew = true
                    append(gone(table, oldKey, old, bytes))
                }
                if let new, let newKey { append(try told(table, newKey, old, new, bytes, isNew: isNew)) }
            }
        } catch {
            throw SlotFailure(error)
        }
    }

    // MARK: Rows

    private func gone(_ table: Table, _ key: NativeKey, _ old: LogicalTuple, _ bytes: UnsafeRawBufferPointer) -> SlotChange {
        var event = event(table.declaration.native, .delete, key)
        event.company = text(table.company, old, bytes)
        return SlotChange(change: CapturedChange(event: event, fields: nil))
    }

    private mutating func isNews(_ part: Part) -> Bool {
        if parts.contains(part) { return false }
        if parts.count < Self.maxParts { parts.insert(part) }
        return true
    }

    private func told(
        _ table: Table, _ key: NativeKey, _ old: LogicalTuple?, _ new: LogicalTuple, _ bytes: UnsafeRawBufferPointer, isNew: Bool
    ) throws(PostgresError) -> SlotChange {
        var fields = Fields()
        fields.reserveCapacity(table.columns.count)
        var isWhole = !table.isPartial
        for column in table.columns where column.place < new.columns.count {
            var value = new.columns[column.place]
            // With the whole old row in the log, what has not changed stands there.
            if case .unchanged = value, let old, column.place < old.columns.count, case .text = old.columns[column.place] {
                value = old.columns[column.place]
            }
            switch value {
            case .null: fields[column.name] = .null
            // Absent: not null, but as it was. Only a row under a new key has to be whole.
            case .unchanged: isWhole = isWhole && !isNew
            case .text(let range):
                let text = UnsafeRawBufferPointer(rebasing: bytes[range])
                if let value = column.kind.plain(text) {
                    fields[column.name] = value
                } else {
                    fields[column.name] = try column.kind.value(text, ask: ask)
                }
            }
        }
        let isArchived = table.archived.map { text($0, new, bytes) == "t" } ?? false
        var event = event(table.declaration.native, isArchived ? .delete : .upsert, key)
        event.token = text(table.version, new, bytes).map { VersionToken($0) }
        event.reference = text(table.reference, new, bytes).map { CanonicalID($0) }
        event.company = text(table.company, new, bytes)
        return SlotChange(change: CapturedChange(event: event, fields: fields), isNew: isNew, isPartial: !isWhole)
    }

    private func event(_ native: String, _ operation: ChangeEvent.Operation, _ key: NativeKey) -> ChangeEvent {
        ChangeEvent(type: native, operation: operation, key: key)
    }

    /// nil where the row does not tell it: then nothing has been asked of it, or there is `other`.
    private func key(
        _ table: Table, _ row: LogicalTuple, _ bytes: UnsafeRawBufferPointer, or other: NativeKey? = nil
    ) -> NativeKey? {
        guard var text = text(table.key.place, row, bytes) else { return other }
        if let type = table.declaration.keyType {
            guard text.hasPrefix(type + ",") else { return nil }
            text.removeFirst(type.count + 1)
        }
        if table.key.trims { text = String(text.reversed().drop { $0 == " " }.reversed()) }
        if table.key.isFlag { text = text == "t" ? "true" : "false" }
        return NativeKey(text)
    }

    private func text(_ place: Int?, _ row: LogicalTuple, _ bytes: UnsafeRawBufferPointer) -> String? {
        guard let place, place < row.columns.count, case .text(let range) = row.columns[place] else { return nil }
        return String(decoding: UnsafeRawBufferPointer(rebasing: bytes[range]), as: UTF8.self)
    }

    private func ask(_ text: String, _ type: String) throws(PostgresError) -> Value {
        let connection = try session.connection()
        guard let row = try connection.run("SELECT to_json($1::text::\(type))::text", [.text(text)]).first,
            let value = try? JSONText.value(row.utf8(0))
        else { throw PostgresError(.usage, "A value of the type \(type) cannot be read.") }
        return value
    }

    // MARK: Tables

    private func known(_ relation: LogicalRelation) throws(PostgresError) -> [Table] {
        guard let declarations = declared[relation.id] else { return [] }
        base.forgetShapes()
        let connection = try session.connection()
        let kinds = try ColumnText.of(Set(relation.columns.map(\.type)), on: connection)
        let columns = relation.columns.enumerated()
            .map { (place: $0.offset, name: $0.element.name, kind: kinds[$0.element.type] ?? .text) }
            .sorted { $0.name.precedesInBytes($1.name) }
        var tables: [Table] = []
        for declaration in declarations {
            let shape = try TableShape(declaration, on: connection)
            guard let key = relation.columns.firstIndex(where: { $0.name == shape.key.name }) else {
                throw PostgresError(.usage, "The change stream of \(declaration.table) has no column \(shape.key.name).")
            }
            try ReplicaIdentity.check(shape, has: Set(relation.columns.filter(\.isIdentity).map(\.name)))
            let isBlankPadded = relation.columns[key].type == Self.blankPadded
            tables.append(
                Table(
                    declaration, relation, columns, key: (key, isBlankPadded, kinds[relation.columns[key].type] == .flag),
                    isPartial: shape.columns.keys.contains { name in !relation.columns.contains { $0.name == name } }))
        }
        return tables
    }

    /// `character(n)` in `pg_type`: its blanks at the end are none of the key.
    private static let blankPadded: UInt32 = 1042
}

/// Why a slot's stream has ended.
struct SlotFailure: Error, Sendable {
    var error: DriverError
    /// The slot does not have what the hub needs any more, and never will.
    var isLost = false

    init(_ code: DriverError.Code, _ text: String) { error = DriverError(code, text) }

    init(_ cause: PostgresError) {
        error = PostgreSQLDriver.failure(cause)
        // No such slot or publication in this place of the log; a slot that was given up by the server.
        isLost = cause.kind != .usage && [SQLState("42704"), SQLState("55000")].contains(cause.state)
    }
}
