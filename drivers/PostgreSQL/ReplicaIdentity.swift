import PostgresClient

/// What the log tells of a row that goes or gets another key.
enum ReplicaIdentity {
    static func mistake(_ table: String, key: String) -> String {
        "The replica identity of \(table) has not the column \(key): its deletions could not be told. "
            + "ALTER TABLE \(table) REPLICA IDENTITY FULL, or USING INDEX and a unique index with that column."
    }

    /// Columns that belong to the identity of a table; `$1`: its name.
    static let question = """
        SELECT a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.oid = to_regclass($1) AND (c.relreplident = 'f' OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid
            AND a.attnum = ANY (i.indkey) AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END))
        """

    /// - Throws: where deletions of a table could not be told by its key.
    static func check(_ shape: TableShape, on connection: PostgresConnection) throws(PostgresError) {
        let columns = try connection.run(question, [.text(shape.table)]).rows.map { $0.text(0) }
        guard !columns.contains(shape.key.name) else { return }
        throw PostgresError(.usage, mistake(shape.declaration.table, key: shape.key.name), state: .noColumn)
    }
}
