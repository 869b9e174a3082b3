import HubDriver
import HubModel
import PostgresClient

/// A declared table as the database's catalog describes it, with the texts of its statements.
struct TableShape: Sendable {
    struct Column: Sendable {
        var name: String
        /// With its measure: `numeric(12,2)`.
        var type: String
        var isIdentity: Bool
        var isGenerated: Bool
        /// What the database puts there by itself, as SQL.
        var standard: String?
        /// Without its measure: `numeric`.
        var bareType: String
        /// How its text is read; nil where only the database itself can make JSON of it.
        var reading: ColumnText?
        /// A text can be cast to it as its input function reads it, and its values can be compared.
        var isPlain: Bool
        /// Is the driver's own to set.
        var isOwn = false
    }

    var declaration: TableDeclaration
    var columns: [String: Column]
    var key: Column
    /// The first column of each constraint.
    var constraints: [String: String]
    /// Quoted.
    let table: String
    /// Another one after any change of the columns.
    let stamp: String
    /// All columns in the order of their names' bytes; nil where one of them cannot be read from its text.
    let readings: [(name: String, kind: ColumnText)]?

    /// Reads the catalog.
    /// - Throws: a ``PostgresError`` of the database, or one of kind `usage` where the table is not as it was declared.
    init(_ declaration: TableDeclaration, on connection: PostgresConnection) throws(PostgresError) {
        self.declaration = declaration
        table = Self.quotedTable(declaration.table)
        // First, so that a change of the columns while they are read is noticed.
        try connection.send("SELECT " + Self.stamp("$1"), [.text(table)])
        try connection.send(
            """
            SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attidentity <> '', a.attgenerated <> '',
                CASE WHEN a.attidentity <> '' THEN format('nextval(%L::regclass)', pg_get_serial_sequence($1, a.attname))
                    WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
                EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary
                    AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum),
                format_type(a.atttypid, -1), a.atttypid, t.typtype = 'e'
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
                LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
            """, [.text(table)])
        try connection.send(
            """
            SELECT c.conname, a.attname FROM pg_constraint c
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] WHERE c.conrelid = to_regclass($1)
            """, [.text(table)])
        let results = try connection.receive()
        guard results.count == 3 else { throw PostgresError(.lost, "The catalog gave no answer.") }
        stamp = try results[0].get().first?.text(0) ?? ""
        let own = Set([declaration.version, declaration.reference, declaration.company, declaration.archived].compactMap { $0 })
        var columns: [String: Column] = [:]
        var primary: String?
        for row in try results[1].get().rows {
            var column = Column(row)
            column.isOwn = own.contains(column.name)
            columns[column.name] = column
            if row.flag(5) { primary = column.name }
        }
        readings = Self.readings(columns)
        if columns.isEmpty {
            throw PostgresError(.usage, "There is no table \(declaration.table), or this user may not see it.", state: .noTable)
        }
        self.columns = columns
        constraints = [:]
        for row in try results[2].get().rows { constraints[row.text(0)] = row.text(1) }
        guard let name = declaration.key ?? primary else {
            throw PostgresError(.usage, "\(declaration.table) has no primary key of one column: name one with key=.", state: .noColumn)
        }
        guard let key = columns[name] else {
            throw PostgresError(.usage, "\(declaration.table) has no column \(name).", state: .noColumn)
        }
        self.key = key
        for name in own where columns[name] == nil {
            throw PostgresError(.usage, "\(declaration.table) has no column \(name).", state: .noColumn)
        }
    }

    /// `schema.table`, each part quoted.
    static func quotedTable(_ name: String) -> String { name.split(separator: ".").map { quoted(String($0)) }.joined(separator: ".") }

    static func quoted(_ name: String) -> String { PostgresConnection.quoted(name) }

    func column(_ name: String) -> String { "x." + Self.quoted(name) }

    // MARK: Statements

    /// Key, version, reference, the whole row as JSON: what ``document(_:)`` reads. The row is `x`.
    private var told: String { "\(named), row_to_json(x)::text" }

    private var named: String {
        let version = declaration.version.map { column($0) + "::text" } ?? "NULL"
        let reference = declaration.reference.map { column($0) + "::text" } ?? "NULL"
        return "\(column(key.name))::text, \(version), \(reference)"
    }

    /// `$1`: the rows as an array of JSON objects, which the database itself reads into the columns' types.
    private var given: String { "json_populate_recordset(NULL::\(table), $1::json) AS s" }
    private var isGiven: String { "\(column(key.name)) = s.\(Self.quoted(key.name))" }

    /// New rows with these columns. A row that has the key already is taken over where the declaration says so.
    func insert(_ names: [String]) -> String {
        let columns = names.map(Self.quoted)
        var conflict = ""
        if declaration.adopts {
            let changes = names.filter { $0 != key.name }.map { "\(Self.quoted($0)) = excluded.\(Self.quoted($0))" } + raised
            conflict = " ON CONFLICT (\(Self.quoted(key.name))) DO UPDATE SET \(changes.joined(separator: ", "))"
        }
        // A version without a beginning of its own begins at 1.
        let begins = declaration.version.map { self.columns[$0]?.standard == nil } ?? false
        let version = declaration.version.map(Self.quoted)
        return """
            INSERT INTO \(table) AS x (\((columns + (begins ? [version].compactMap { $0 } : [])).joined(separator: ", ")))\
            \(key.isIdentity ? " OVERRIDING SYSTEM VALUE" : "") \
            SELECT \((columns.map { "s." + $0 } + (begins ? ["1"] : [])).joined(separator: ", ")) FROM \(given)\(conflict) RETURNING \(told)
            """
    }

    /// A change raises the version.
    var raised: [String] {
        declaration.version.map { ["\(Self.quoted($0)) = x.\(Self.quoted($0)) + 1"] } ?? []
    }

    /// Changed columns of rows that are there.
    func update(_ names: [String]) -> String {
        let changes = names.map { "\(Self.quoted($0)) = s.\(Self.quoted($0))" } + raised
        return "UPDATE \(table) AS x SET \(changes.joined(separator: ", ")) FROM \(given) WHERE \(isGiven) RETURNING \(told)"
    }

    /// Removes rows, or marks them.
    var delete: String {
        guard let archived = declaration.archived else {
            return "DELETE FROM \(table) AS x USING \(given) WHERE \(isGiven) RETURNING \(told)"
        }
        let changes = ["\(Self.quoted(archived)) = true"] + raised
        return "UPDATE \(table) AS x SET \(changes.joined(separator: ", ")) FROM \(given) WHERE \(isGiven) RETURNING \(told)"
    }

    /// Rows as they are, held until the end of the transaction, and whether these columns hold what is given already. Only then is the
    /// row told as JSON: elsewhere it is about to change.
    func hold(_ names: [String], waits: Bool) -> String {
        let same =
            names.isEmpty
            ? "true"
            : "ROW(\(names.map { column($0) + "::text" }.joined(separator: ", "))) IS NOT DISTINCT FROM "
                + "ROW(\(names.map { "s." + Self.quoted($0) + "::text" }.joined(separator: ", ")))"
        let archived = declaration.archived.map { "coalesce(\(column($0)), false)" } ?? "false"
        return """
            SELECT \(named), CASE WHEN \(same) THEN row_to_json(x)::text END, \(same), \(archived) FROM \(given) JOIN \(table) AS x ON \(isGiven) ORDER BY \(column(key.name)) \
            FOR UPDATE OF x\(waits ? "" : " SKIP LOCKED")
            """
    }

    /// Rows as they are.
    var read: String { "SELECT \(told) FROM \(given) JOIN \(table) AS x ON \(isGiven)" }

    /// Rows that carry one of these references. Only with a reference column.
    func carrying(_ reference: String) -> String {
        "SELECT \(told) FROM \(table) AS x WHERE \(column(reference))::text = ANY ($1::text[]) ORDER BY \(column(key.name))"
    }

    /// The rows behind a key, in the key's order, with what the write log calls them.
    ///
    /// Arguments: application, native type, the key behind which (unless it is the first page), the company (with one), how many.
    func page(isFirst: Bool, hasCompany: Bool) -> String {
        var count = 2
        func next() -> String {
            count += 1
            return "$\(count)"
        }
        var conditions: [String] = []
        if !isFirst { conditions.append("\(column(key.name)) > \(next())::text::\(key.type)") }
        if hasCompany, let company = declaration.company { conditions.append("\(column(company))::text = \(next())") }
        let filter = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        return """
            SELECT \(told), (SELECT l.document FROM multipoint.write_log AS l
                WHERE l.application = $1 AND l.native = $2 AND l."key" = \(column(key.name))::text LIMIT 1)
            FROM \(table) AS x \(filter) ORDER BY \(column(key.name)) LIMIT \(next())
            """
    }

    /// `$1` keys that the database gives new rows; nil where it gives none.
    var newKeys: String? { key.standard.map { "SELECT (\($0))::text FROM generate_series(1, $1)" } }

    // MARK: Rows

    /// A row whose columns are those of `told`.
    func document(_ row: PostgresRow) throws(PostgresError) -> NativeDocument {
        guard case .object(let fields)? = try? JSONText.value(row.utf8(3)) else {
            throw PostgresError(.usage, "A row of \(declaration.table) cannot be read as JSON.")
        }
        let isArchived = declaration.archived.map { fields[$0]?.bool == true } ?? false
        return NativeDocument(
            key: row.id(0), token: row.optionalID(1), reference: row.optionalID(2), isDeleted: isArchived, fields: fields)
    }
}
