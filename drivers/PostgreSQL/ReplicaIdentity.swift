import PostgresClient

/// What the log tells of a row that goes or gets another key.
enum ReplicaIdentity {
    /// - Parameter columns: of the identity.
    /// - Throws: where the deletions of a table could not be told: by the document's key, and the company whose document it was.
    static func check(_ shape: TableShape, has columns: Set<String>) throws(PostgresError) {
        let declaration = shape.declaration
        guard declaration.tellsDeletes else { return }
        let needed = [shape.key.name] + (declaration.document == nil ? declaration.company.map { [$0] } ?? [] : [])
        guard let missing = needed.first(where: { !columns.contains($0) }) else { return }
        let mistake = "The replica identity of \(declaration.table) has not the column \(missing): its deletions could not be told. "
        let remedy = "ALTER TABLE \(declaration.table) REPLICA IDENTITY FULL, or USING INDEX and a unique index with that column."
        throw PostgresError(.usage, mistake + remedy, state: .noColumn)
    }

    /// Columns that belong to the identity of a table; `$1`: its name.
    static let question = """
        SELECT a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.oid = to_regclass($1) AND (c.relreplident = 'f' OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid
            AND a.attnum = ANY (i.indkey) AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END))
        """

    /// - Throws: as ``check(_:has:)``.
    static func check(_ shape: TableShape, on connection: PostgresConnection) throws(PostgresError) {
        try check(shape, has: Set(try connection.run(question, [.text(shape.table)]).rows.map { $0.text(0) }))
    }
}
