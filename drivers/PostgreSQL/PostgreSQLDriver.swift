import HubDriver
import HubModel
import PostgresClient
import Synchronization

/// The driver of a PostgreSQL database's tables.
///
/// A batch is one transaction: its rows, and one row per target in the write log. What the database refuses is halved until the one
/// delivery at fault stands alone, so that the others are kept.
struct PostgreSQLDriver: Driver, LookingUp, Reading, Paging {
    let manifest: Manifest
    let application: ApplicationID
    let tables: [TableDeclaration]
    /// How long a statement waits for a row that somebody holds; zero: for as long as it may run.
    let lockTimeout: Duration
    private let pool: PostgresPool
    private let catalog = Catalog()
    /// A call that has waited so long for a connection is not begun.
    private var patience: Duration { manifest.answerTime / 2 }

    init(manifest: Manifest, application: ApplicationID, tables: [TableDeclaration], options: PostgresOptions) {
        self.manifest = manifest
        self.application = application
        self.tables = tables
        lockTimeout = options.lockTimeout ?? .zero
        pool = PostgresPool(options, connections: manifest.limits.concurrentCalls)
    }

    func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] {
        // Nothing is committed past this moment, so that no call takes effect after the settle time.
        let until = ContinuousClock.now + manifest.answerTime * 3 / 4
        let answers: Result<[Answer], DriverError> = try await ask { session in
            var work = BatchWork(batch, driver: self, session: session, until: until)
            return work.run()
        }
        return try answers.get()
    }

    func probe() async throws(DriverError) -> ApplicationIdentity {
        try await ask { session throws(PostgresError) in
            let connection = try session.connection()
            catalog.forget()
            try prepare(connection)
            var names: [String] = []
            var read: [String] = []
            var absent: [String] = []
            for table in tables {
                guard let shape = try present(table, on: connection) else {
                    absent.append("not there, and left out: \(table.native) (\(table.table))")
                    continue
                }
                if table.document == nil, !table.isReadOnly { names.append(shape.table) } else { read.append(shape.table) }
            }
            var identity = try Self.identity(of: names, reading: read, on: connection)
            identity.details += absent
            return identity
        }
    }

    /// Whose database it is, and what the user may not do with those tables, some of which are only read.
    static func identity(
        of names: [String], reading: [String] = [], on connection: PostgresConnection
    ) throws(PostgresError) -> ApplicationIdentity {
        let row = try connection.run(
            """
            SELECT (SELECT system_identifier FROM pg_control_system())::text || '/' || d.oid::text, current_setting('server_version'),
                current_user, d.datname FROM pg_database d WHERE d.datname = current_database()
            """
        ).first
        let missing = try connection.run(
            """
            SELECT t || ': ' || p FROM unnest($1::text[]) AS t, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p
            WHERE NOT has_table_privilege(t, p)
            UNION SELECT t || ': SELECT' FROM unnest($2::text[]) AS t WHERE NOT has_any_column_privilege(t, 'SELECT') ORDER BY 1
            """, [.texts(names), .texts(reading)]
        ).rows.map { "no right to \($0.text(0))" }
        return ApplicationIdentity(
            instance: row?.text(0) ?? "", version: row?.text(1) ?? "",
            details: [
                "user \(row?.text(2) ?? ""), database \(row?.text(3) ?? "")", connection.isEncrypted ? "encrypted" : "not encrypted",
            ]
                + missing)
    }

    func close() async { await pool.close() }

    func lookUp(_ references: [LookUp]) async throws(DriverError) -> [[NativeDocument]] {
        try await ask { session throws(PostgresError) in
            let connection = try session.connection()
            try prepare(connection)
            var found: [[NativeDocument]] = []
            for reference in references { found.append(try lookUp(reference, on: connection)) }
            return found
        }
    }

    private func lookUp(_ wanted: LookUp, on connection: PostgresConnection) throws(PostgresError) -> [NativeDocument] {
        guard let shape = try shape(wanted.native, on: connection) else { return [] }
        var found: [NativeDocument] = []
        if let column = shape.declaration.reference {
            for row in try connection.run(shape.carrying(column), [.texts([wanted.reference.rawValue])]).rows {
                found.append(try shape.document(row))
            }
        }
        let logged = try connection.run(
            WriteLog.find, [.text(application), .text(wanted.native), .texts([wanted.reference.rawValue])])
        for entry in logged.rows {
            let key: NativeKey = entry.id(1)
            if found.contains(where: { $0.key == key }) { continue }
            found.append(
                try read(key, shape, on: connection)
                    ?? NativeDocument(key: key, reference: wanted.reference, isDeleted: true, fields: Fields())
            )
        }
        return found.filter { isOf(wanted.company, $0, shape) }.map { document in
            var document = document
            document.reference = wanted.reference
            return document
        }
    }

    private func isOf(_ company: String?, _ document: NativeDocument, _ shape: TableShape) -> Bool {
        guard let company, let column = shape.declaration.company, !document.fields.isEmpty else { return true }
        return document.fields[column]?.keyText == company
    }

    func read(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?] {
        try await ask { session throws(PostgresError) in
            let connection = try session.connection()
            var found: [Int: NativeDocument] = [:]
            for (native, places) in Dictionary(grouping: references.indices, by: { references[$0].native }) {
                guard let shape = try shape(native, on: connection) else { continue }
                let documents = try read(
                    references.indices.filter { places.contains($0) }.map { references[$0].key }, shape, on: connection)
                for place in places {
                    guard let document = documents[references[place].key], isOf(references[place].company, document, shape) else {
                        continue
                    }
                    found[place] = document
                }
            }
            return references.indices.map { found[$0] }
        }
    }

    func read(_ key: NativeKey, _ shape: TableShape, on connection: PostgresConnection) throws(PostgresError) -> NativeDocument? {
        try read([key], shape, on: connection)[key]
    }

    func read(
        _ keys: [NativeKey], _ shape: TableShape, on connection: PostgresConnection
    ) throws(PostgresError) -> [NativeKey: NativeDocument] {
        let rows: [PostgresRow]
        do throws(PostgresError) {
            rows = try connection.run(shape.read, [.utf8(shape.keys(keys))]).rows
        } catch  where error.kind == .statement && error.state?.group == "22" {
            // A text that cannot be a key of this table is nobody's key.
            guard keys.count > 1 else { return [:] }
            let half = keys.count / 2
            return try read(Array(keys[..<half]), shape, on: connection).merging(
                try read(Array(keys[half...]), shape, on: connection)
            ) { $1 }
        }
        var found: [NativeKey: NativeDocument] = [:]
        for row in rows {
            let document = try shape.document(row)
            found[document.key] = document
        }
        return found
    }

    func page(native: String, company: String?, after cursor: String?, limit: Int) async throws(DriverError) -> Page {
        let limit = max(1, min(limit, 1000))
        return try await ask { session throws(PostgresError) in
            let connection = try session.connection()
            try prepare(connection)
            guard let shape = try shape(native, on: connection) else { return Page(documents: [], next: nil) }
            let isDivided = company != nil && shape.declaration.company != nil
            var arguments: [PostgresValue] = [.text(application), .text(native)]
            if let cursor { arguments.append(.text(cursor)) }
            if isDivided { arguments.append(.optional(company)) }
            arguments.append(.integer(Int64(limit)))
            let rows = try connection.run(shape.page(isFirst: cursor == nil, hasCompany: isDivided), arguments).rows
            var documents: [NativeDocument] = []
            for row in rows {
                var document = try shape.document(row)
                document.reference = document.reference ?? row.optionalID(4)
                documents.append(document)
            }
            return Page(documents: documents, next: rows.count < limit ? nil : documents.last?.key.rawValue)
        }
    }

    // MARK: The catalog

    /// The shapes of the tables, read once and again when one turns out to be otherwise.
    private final class Catalog: Sendable {
        let shapes = Mutex<[String: TableShape]>([:])
        /// The write log is there.
        let isPrepared = Atomic<Bool>(false)

        func forget() {
            shapes.withLock { $0 = [:] }
            isPrepared.store(false, ordering: .relaxed)
        }
    }

    /// Makes the write log where it is missing.
    func prepare(_ connection: PostgresConnection) throws(PostgresError) {
        if catalog.isPrepared.load(ordering: .relaxed) { return }
        try WriteLog.prepare(connection)
        catalog.isPrepared.store(true, ordering: .relaxed)
    }

    func forgetShapes() { catalog.forget() }

    /// nil where no such type is declared.
    func shape(_ native: String, on connection: PostgresConnection) throws(PostgresError) -> TableShape? {
        if let known = catalog.shapes.withLock({ $0[native] }) { return known }
        guard let declaration = tables.first(where: { $0.native == native }) else { return nil }
        let shape = try TableShape(declaration, on: connection)
        catalog.shapes.withLock { $0[native] = shape }
        return shape
    }

    /// nil where the declaration may go without its table or a column, and has to.
    func present(_ declaration: TableDeclaration, on connection: PostgresConnection) throws(PostgresError) -> TableShape? {
        do throws(PostgresError) {
            return try shape(declaration.native, on: connection)
        } catch {
            guard declaration.isOptional, error.state == .noTable || error.state == .noColumn else { throw error }
            return nil
        }
    }

    // MARK: Errors of whole calls

    /// Asks something that changes nothing, or says of each change itself what became of it.
    func ask<T: Sendable>(
        _ question: @escaping @Sendable (PostgresSession) throws(PostgresError) -> T
    ) async throws(DriverError) -> T {
        do throws(PostgresError) {
            return try await pool.perform(patience: patience) { session throws(PostgresError) in
                do throws(PostgresError) {
                    return try question(session)
                } catch  where error.kind == .lost {
                    // The connection may have been dead for long; what asks may ask again.
                    session.drop()
                    return try question(session)
                }
            }
        } catch {
            throw Self.failure(error)
        }
    }

    static func failure(_ error: PostgresError) -> DriverError {
        switch (error.kind, error.state) {
        case (_, .wrongPassword?), (_, SQLState.privilege?): DriverError(.unauthorised, error.description, cause: error)
        case (.usage, _), (.statement, SQLState.noTable?), (.statement, SQLState.noColumn?), (.statement, SQLState.noSchema?):
            DriverError(.configuration, error.description, cause: error)
        default: DriverError(.unreachable, error.description, cause: error)
        }
    }
}

extension TableShape {
    /// Rows that have a key only, as JSON.
    func keys(_ keys: [NativeKey]) -> [UInt8] {
        JSONText.bytes(.array(keys.map { .object([key.name: .string($0.rawValue)]) }))
    }
}
