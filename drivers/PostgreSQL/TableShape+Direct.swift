import HubDriver
import HubModel
import PostgresClient

/// What changes many rows in one statement, write log included, and tells them without a detour through JSON.
extension TableShape {
    /// Text that is another one after any change of the table's columns, whoever made it.
    static func stamp(_ table: String) -> String {
        """
        (SELECT string_agg(a.attnum || ':' || a.xmin, ',' ORDER BY a.attnum) FROM pg_attribute a
            WHERE a.attrelid = to_regclass(\(table)) AND a.attnum > 0)
        """
    }

    static func readings(_ columns: [String: Column]) -> [(name: String, kind: ColumnText)]? {
        var readings: [(name: String, kind: ColumnText)] = []
        for column in columns.values.sorted(by: { $0.name.precedesInBytes($1.name) }) {
            guard let kind = column.reading else { return nil }
            readings.append((column.name, kind))
        }
        return readings
    }

    /// Changes rows that are as expected, with the write log; nil where a column needs more care.
    ///
    /// Arguments: application, native type, ``table``, ``stamp``, then arrays: key, company, document, generation, number and digest of the write
    /// log, the expected version (with a version column), and a text for each of the columns.
    ///
    /// A row for each row changed: ``DirectRow``. At least one row, and its first columns, come always.
    func changeAtOnce(_ names: [String]) -> String? {
        guard let readings, key.isPlain, !names.isEmpty else { return nil }
        var changes: [(target: String, given: String, bare: String, full: String, isJSON: Bool)] = []
        for (place, name) in names.enumerated() {
            guard let column = columns[name], column.isPlain else { return nil }
            changes.append((Self.quoted(name), "c\(place)", column.bareType, column.type, column.isJSON))
        }
        let given =
            ["k", "company", "document", "generation", "number", "digest"] + (declaration.version == nil ? [] : ["token"])
            + changes.map(\.given)
        let arrays = given.indices.map { "$\($0 + 5)::text[]" }.joined(separator: ", ")
        var conditions = ["\(column(key.name))::text = g.k"]
        if let version = declaration.version { conditions.append("\(column(version))::text = g.token") }
        if let archived = declaration.archived { conditions.append("NOT coalesce(\(column(archived)), false)") }
        // With the column's measure, so that what the column would round to is compared. What is the same, or seems so, is left to others.
        let differences = changes.map { change in
            let old = "x.\(change.target)"
            let new = "g.\(change.given)::\(change.full)"
            return change.isJSON ? "\(old)::text IS DISTINCT FROM \(new)::text" : "\(old) IS DISTINCT FROM \(new)"
        }
        conditions.append("(\(differences.joined(separator: " OR ")))")
        // Without the measure, so that a text that is too long is refused and not cut.
        let set = changes.map { "\($0.target) = g.\($0.given)::\($0.bare)" } + raised
        let told = ([named(key.name), named(declaration.version), named(declaration.reference)] + readings.map { named($0.name) })
            .enumerated().map { "\($1) AS t\($0)" }
        return """
            WITH written AS (
                UPDATE \(table) AS x SET \(set.joined(separator: ", "))
                FROM unnest(\(arrays)) WITH ORDINALITY AS g(\(given.joined(separator: ", ")), place)
                WHERE \(column(key.name)) = g.k::\(key.bareType) AND \(conditions.joined(separator: " AND "))
                RETURNING g.place, g.k, g.company, g.document, g.generation, g.number, g.digest, \(told.joined(separator: ", "))
            ), logged AS (
                \(WriteLog.putWritten) RETURNING 1
            )
            SELECT s.count, s.is_current, w.place, \(told.indices.map { "w.t\($0)" }.joined(separator: ", ")) FROM (
                SELECT (SELECT count(*) FROM logged) AS count, \(Self.stamp("$3")) = $4 AS is_current
            ) AS s LEFT JOIN written AS w ON true
            """
    }

    private func named(_ name: String?) -> String { name.map { column($0) + "::text" } ?? "NULL" }

    /// A row that ``changeAtOnce(_:)`` gave.
    struct DirectRow {
        let row: PostgresRow

        /// Entries that the statement put into the write log.
        var logged: Int { Int(row.integer(0)) }
        /// The table's columns are those of the shape.
        var isCurrent: Bool { row.flag(1) }
        /// Which of the given rows this is; nil where none was changed.
        var place: Int? { row.optionalInteger(2).map { Int($0) - 1 } }

        /// The first of the columns that ``TableShape/readings`` names.
        static let firstColumn: Int32 = 6
    }

    /// The row as it is now.
    func document(_ direct: DirectRow) throws(PostgresError) -> NativeDocument {
        let row = direct.row
        var fields = Fields()
        fields.reserveCapacity(readings?.count ?? 0)
        var column = DirectRow.firstColumn
        for (name, kind) in readings ?? [] {
            if row.isNull(column) {
                fields[name] = .null
            } else {
                fields[name] = try row.withBytes(column) { bytes throws(PostgresError) in
                    if let value = kind.plain(bytes) { return value }
                    return try kind.value(bytes) { _, type throws(PostgresError) in
                        throw PostgresError(.usage, "\(declaration.table) has a column of the type \(type), which cannot be read.")
                    }
                }
            }
            column += 1
        }
        let isArchived = declaration.archived.map { fields[$0]?.bool == true } ?? false
        return NativeDocument(
            key: row.id(3), token: row.optionalID(4), reference: row.optionalID(5), isDeleted: isArchived, fields: fields)
    }
}

extension TableShape.Column {
    /// From a row of the catalog.
    init(_ row: PostgresRow) {
        let type = UInt32(clamping: row.integer(7))
        let isEnumeration = row.flag(8)
        self.init(
            name: row.text(0), type: row.text(1), isIdentity: row.flag(2), isGenerated: row.flag(3), standard: row.optionalText(4),
            bareType: row.text(6), reading: ColumnText.cast(type, isEnumeration: isEnumeration),
            isPlain: ColumnText.isPlain(type, isEnumeration: isEnumeration))
    }

    /// `json` or `jsonb`.
    private var takesJSON: Bool { isJSON || bareType == "jsonb" }
    /// `json`, which is compared by its text.
    var isJSON: Bool { bareType == "json" }

    /// Puts a value into a column of texts, as JSON's own reader in the database would give it to the type's input function.
    func append(_ value: Value?, to texts: inout PostgresColumn) {
        switch value {
        case nil, .null?: texts.appendNull()
        case let value? where takesJSON: texts.append(JSONText.bytes(value))
        case .string(let text)?: texts.append(text)
        case .number(let number)?: texts.append(number)
        case .bool(let flag)?: texts.append(flag ? "true" : "false")
        case let value?: texts.append(JSONText.bytes(value))
        }
    }
}
