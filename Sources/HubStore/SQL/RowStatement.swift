/// A statement that changes one row, with the same one for many rows: mediation's most frequent ones, which a server takes together.
struct RowStatement {
    /// With `$1`, `$2`… for one row.
    let one: StaticString
    /// With an array in each one's place.
    let many: StaticString
    /// Which arguments name the row: no row comes twice in one statement.
    let key: [Int]
    /// Which arguments are bytes.
    var bytes: Set<Int> = []

    static let updateGolden = RowStatement(
        one: "UPDATE golden SET deleted = $1, doc = $2 WHERE id = $3",
        many: """
            UPDATE golden AS g SET deleted = s.deleted::smallint, doc = s.doc
            FROM unnest($1::text[], $2::text[], $3::text[]) AS s(deleted, doc, id) WHERE g.id = s.id
            """, key: [2])

    /// No column under an index changes.
    static let updateTarget = RowStatement(
        one: "UPDATE target SET doc = $1 WHERE application = $2 AND company = $3 AND id = $4",
        many: """
            UPDATE target AS t SET doc = s.doc FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS s(doc, application, company, id)
            WHERE t.application = s.application AND t.company = s.company AND t.id = s.id
            """, key: [1, 2, 3])

    static let appendOutbox = RowStatement(
        one: """
            INSERT INTO outbox (sequence, topic, "partition", "offset", timestamp, record_key, headers, value)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            """,
        many: """
            INSERT INTO outbox (sequence, topic, "partition", "offset", timestamp, record_key, headers, value)
            SELECT s.a::bigint, s.b, s.c::integer, s.d::bigint, s.e::bigint, s.f, s.g, s.h FROM unnest($1::text[], $2::text[], $3::text[],
                $4::text[], $5::text[], $6::bytea[], $7::text[], $8::bytea[]) AS s(a, b, c, d, e, f, g, h)
            """, key: [], bytes: [5, 7])
}
