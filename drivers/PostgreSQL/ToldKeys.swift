import HubModel
import PostgresClient

/// The keys of rows that have been told, in the application's database: what deletions are found by where the log does not tell them,
/// after a TRUNCATE and after a slot was lost.
enum ToldKeys {
    /// What has to be there; the driver makes it where it may.
    private static let schema = """
        CREATE TABLE IF NOT EXISTS multipoint.told (
            application text COLLATE "C" NOT NULL, native text COLLATE "C" NOT NULL, "key" text COLLATE "C" NOT NULL,
            PRIMARY KEY (application, native, "key")
        )
        """

    static func prepare(_ connection: PostgresConnection) throws(PostgresError) {
        if try connection.run("SELECT to_regclass('multipoint.told') IS NOT NULL").first?.flag(0) ?? false { return }
        try connection.script(schema)
    }

    static let add = """
        INSERT INTO multipoint.told (application, native, "key") SELECT $1, $2, unnest($3::text[]) ON CONFLICT DO NOTHING
        """

    static let remove = #"DELETE FROM multipoint.told WHERE application = $1 AND native = $2 AND "key" = ANY ($3::text[])"#

    /// Keys told, in their order, behind `$3`, at most `$4`, and whether a living row has each.
    static func look(_ shape: TableShape) -> String {
        """
        SELECT t."key", EXISTS (\(living(shape))) FROM (
            SELECT "key" FROM multipoint.told WHERE application = $1 AND native = $2 AND "key" > $3 ORDER BY "key" LIMIT $4
        ) AS t ORDER BY t."key"
        """
    }

    private static func living(_ shape: TableShape) -> String {
        let archived = shape.declaration.archived.map { " AND NOT coalesce(x.\(TableShape.quoted($0)), false)" } ?? ""
        return "SELECT FROM \(shape.table) AS x WHERE x.\(TableShape.quoted(shape.key.name)) = t.\"key\"::\(shape.key.type)\(archived)"
    }
}
