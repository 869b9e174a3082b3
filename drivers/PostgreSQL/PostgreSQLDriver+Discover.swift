import HubDriver
import HubModel
import PostgresClient

extension PostgreSQLDriver: Discovering {
    /// The declared tables as the catalog has them; one that is not there, or that the user may not see, is left out.
    func discover() async throws(DriverError) -> Discovery {
        let tables = tables
        return try await ask { session throws(PostgresError) in
            let connection = try session.connection()
            let natives = try Self.natives(tables, on: connection)
            var types: [DiscoveredType] = []
            var names: [String] = []
            for declaration in tables {
                guard let type = try Self.type(declaration, natives, on: connection) else { continue }
                types.append(type)
                names.append(TableShape.quotedTable(declaration.table))
            }
            return Discovery(identity: try Self.identity(of: names, on: connection), types: types)
        }
    }

    /// Native types by the number of their table.
    private static func natives(
        _ tables: [TableDeclaration], on connection: PostgresConnection
    ) throws(PostgresError) -> [Int64: String] {
        let names = tables.map { TableShape.quotedTable($0.table) }
        let rows = try connection.run(
            "SELECT to_regclass(t)::oid::bigint FROM unnest($1::text[]) WITH ORDINALITY AS n (t, place) ORDER BY place", [.texts(names)]
        ).rows
        return Dictionary(zip(rows, tables).compactMap { row, table in row.optionalInteger(0).map { ($0, table.native) } }) { first, _ in
            first
        }
    }

    private static func type(
        _ declaration: TableDeclaration, _ natives: [Int64: String], on connection: PostgresConnection
    ) throws(PostgresError) -> DiscoveredType? {
        let table = TableShape.quotedTable(declaration.table)
        let told = try connection.run(
            """
            SELECT obj_description(c, 'pg_class'), has_any_column_privilege(c, 'SELECT'), has_any_column_privilege(c, 'INSERT'),
                has_any_column_privilege(c, 'UPDATE'), has_table_privilege(c, 'DELETE')
            FROM (SELECT to_regclass($1)::oid AS c) AS t WHERE c IS NOT NULL
            """, [.text(table)]
        ).first
        guard let told else { return nil }
        var rights: Set<DiscoveredType.Right> = []
        for (column, right) in [(1, .read), (2, .create), (3, .update), (4, .delete)] as [(Int32, DiscoveredType.Right)]
        where told.flag(column) {
            rights.insert(right)
        }
        let rows = try connection.run(columns, [.text(table)]).rows
        return DiscoveredType(
            native: declaration.native, label: told.optionalText(0), fields: rows.map { field($0, declaration, natives) }, rights: rights)
    }

    /// Name, type, category and name of what the type is at bottom, whether it has to be given, whether the database alone sets it, whether
    /// the user may, its comment, its enumeration, a check of one list of values, the table that it refers to, and whether it alone is the primary key.
    private static let columns = """
        SELECT a.attname, format_type(a.atttypid, a.atttypmod), b.typcategory, b.typname,
            a.attnotnull AND a.attidentity = '' AND NOT a.atthasdef, a.attgenerated <> '',
            has_column_privilege(a.attrelid, a.attnum, 'INSERT') OR has_column_privilege(a.attrelid, a.attnum, 'UPDATE'),
            col_description(a.attrelid, a.attnum),
            (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder)::text FROM pg_enum e WHERE e.enumtypid = b.oid),
            (SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c WHERE c.conrelid = a.attrelid AND c.contype = 'c'
                AND c.conkey = ARRAY[a.attnum] AND pg_get_constraintdef(c.oid) ~ '^CHECK \\(\\(\\(?[^ ]+ = ANY \\(' LIMIT 1),
            (SELECT c.confrelid::bigint FROM pg_constraint c
                WHERE c.conrelid = a.attrelid AND c.contype = 'f' AND c.conkey = ARRAY[a.attnum] LIMIT 1),
            EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum)
        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
        WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
        """

    private static func field(_ row: PostgresRow, _ table: TableDeclaration, _ natives: [Int64: String]) -> DiscoveredField {
        let name = row.text(0)
        let referred = row.optionalInteger(10)
        var kind = kind(category: row.text(2), type: row.text(3))
        var word = row.text(1)
        if let referred {
            kind = .reference
            word += natives[referred].map { " (\($0))" } ?? ""
        }
        // What the driver itself sets.
        let isOwn = [table.version, table.reference, table.company, table.archived].contains(name)
        let isGiven = isOwn || (table.key.map { $0 == name } ?? row.flag(11)) && kind == .text
        return DiscoveredField(
            path: name, kind: kind, nativeKind: word, label: row.optionalText(7), isRequired: row.flag(4) && !isGiven,
            isReadOnly: row.flag(5) || !row.flag(6) || isOwn, codes: codes(labels: row.optionalText(8), check: row.optionalText(9)))
    }

    private static func kind(category: String, type: String) -> DiscoveredField.Kind {
        switch (category, type) {
        case (_, "bytea"): .binary
        case (_, "json"), (_, "jsonb"), ("C", _): .object
        case (_, "uuid"), ("S", _): .text
        case ("B", _): .boolean
        case ("E", _): .code
        case ("A", _): .list
        case ("N", _): .number
        case (_, "date"): .date
        case (_, "timestamp"), (_, "timestamptz"): .instant
        default: .other
        }
    }

    /// What a field may hold, where it is one of a list of texts: an enumeration's, or a check's.
    static func codes(labels: String?, check: String?) -> [String]? {
        if let labels { return (try? JSONText.value(Array(labels.utf8)))?.array?.compactMap(\.text) }
        guard let check, let open = check.firstRange(of: "= ANY (") else { return nil }
        var codes: [String] = []
        var rest = check[open.upperBound...]
        while let start = rest.firstIndex(of: "'") {
            var text = ""
            rest = rest[rest.index(after: start)...]
            while let end = rest.firstIndex(of: "'") {
                text += rest[..<end]
                rest = rest[rest.index(after: end)...]
                // Two quotation marks in a text are one.
                guard rest.first == "'" else { break }
                text += "'"
                rest = rest.dropFirst()
            }
            codes.append(text)
        }
        return codes.isEmpty ? nil : codes
    }
}

extension PostgreSQLFeedDriver: Discovering {
    func discover() async throws(DriverError) -> Discovery { try await base.discover() }
}
