import PostgresClient

/// The way from a row to the documents that it belongs to, through other tables: an invoice's lines lead to lines of orders, and those to
/// the orders.
struct DocumentTrail: Sendable, Hashable {
    var hops: [Hop]

    /// Rows whose column `from` holds what was reached lead on to what their column `to` holds.
    struct Hop: Sendable, Hashable {
        var table: String
        var from: Link
        var to: Link
    }

    /// A column of keys.
    struct Link: Sendable, Hashable {
        var column: String
        /// The column holds `type,key`, and only the keys of this type count.
        var type: String?

        /// `column`, or `column(type)`; nil where the text is neither.
        init?(_ text: Substring) {
            let parts = text.split(separator: "(", omittingEmptySubsequences: false)
            guard let column = parts.first, !column.isEmpty, parts.count <= 2 else { return nil }
            self.column = String(column)
            guard parts.count == 2 else { return }
            guard parts[1].hasSuffix(")"), let type = Self.name(parts[1].dropLast()) else { return nil }
            self.type = type
        }

        /// It stands in statements: nothing but the name of a type may.
        private static func name(_ text: Substring) -> String? {
            let isName = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
            return isName && !text.isEmpty ? String(text) : nil
        }
    }

    /// The question for documents' keys: `$1` the keys to begin with, as texts; it answers with each of them and what it leads to.
    ///
    /// - Throws: a ``PostgresError`` of kind `usage` where a table or column is not there.
    func question(on connection: PostgresConnection) throws(PostgresError) -> String {
        var reached = Reached(expression: "v.k", isText: true)
        var joins = ""
        for (place, hop) in hops.enumerated() {
            let table = TableShape.quotedTable(hop.table)
            let name = "h\(place)"
            let from = try Self.type(of: hop.from.column, hop.table, on: connection)
            let to = try Self.type(of: hop.to.column, hop.table, on: connection)
            joins += " JOIN \(table) AS \(name) ON \(name).\(TableShape.quoted(hop.from.column)) = \(reached.value(for: hop.from, from))"
            let column = "\(name).\(TableShape.quoted(hop.to.column))"
            reached =
                hop.to.type.map { Reached(expression: Self.key(in: column, of: $0), isText: true) }
                ?? Reached(expression: column, isText: to == "text" || to.hasPrefix("character"))
        }
        return
            "SELECT DISTINCT v.k, (\(reached.expression))::text FROM unnest($1::text[]) AS v(k)\(joins) WHERE \(reached.expression) IS NOT NULL"
    }

    /// What has been reached so far.
    private struct Reached {
        var expression: String
        var isText: Bool

        /// As a column holds it, so that the column's index serves.
        func value(for link: Link, _ type: String) -> String {
            if let name = link.type { return "'\(name),' || (\(expression))::text" }
            guard isText, !(type == "text" || type.hasPrefix("character")) else { return expression }
            guard ["smallint", "integer", "bigint"].contains(type) else { return "(\(expression))::\(type)" }
            // What is no number is nobody's key.
            return "CASE WHEN \(expression) ~ '^[0-9]{1,18}$' THEN (\(expression))::bigint END"
        }
    }

    /// The key in `type,key`; null where the type is another one.
    private static func key(in column: String, of type: String) -> String {
        "CASE WHEN starts_with(\(column), '\(type),') THEN substr(\(column), \(type.utf8.count + 2)) END"
    }

    private static func type(of column: String, _ table: String, on connection: PostgresConnection) throws(PostgresError) -> String {
        let found = try connection.run(
            """
            SELECT format_type(a.atttypid, NULL) FROM pg_attribute a
            WHERE a.attrelid = to_regclass($1) AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped
            """, [.text(TableShape.quotedTable(table)), .text(column)]
        ).first
        guard let found else { throw PostgresError(.usage, "There is no column \(column) of a table \(table).", state: .noColumn) }
        return found.text(0)
    }
}
