import HubModel
import PostgresClient

/// The hub's table in the application's database: what it has written to each target, in the same transaction as the data.
enum WriteLog {
    /// What has to be there; the driver makes it where it may.
    static let schema = """
        CREATE TABLE IF NOT EXISTS multipoint.write_log (
            application text COLLATE "C" NOT NULL, company text COLLATE "C" NOT NULL, document text COLLATE "C" NOT NULL,
            native text COLLATE "C" NOT NULL, "key" text COLLATE "C" NOT NULL, generation integer NOT NULL, number integer NOT NULL,
            digest text NOT NULL, written_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (application, company, document)
        ) WITH (fillfactor = 70);
        CREATE INDEX IF NOT EXISTS write_log_key ON multipoint.write_log (application, native, "key");
        CREATE OR REPLACE FUNCTION multipoint.raise_version() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN
            NEW := json_populate_record(NEW, json_build_object(TG_ARGV[0], (row_to_json(OLD) ->> TG_ARGV[0])::bigint + 1));
            RETURN NEW;
        END $body$;
        CREATE TABLE IF NOT EXISTS multipoint.change (
            seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source oid NOT NULL, "key" text COLLATE "C" NOT NULL,
            xid xid8 NOT NULL DEFAULT pg_current_xact_id(), noted_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX IF NOT EXISTS change_xid ON multipoint.change (xid, seq);
        CREATE OR REPLACE FUNCTION multipoint.note_change() RETURNS trigger LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = pg_catalog AS $body$
        DECLARE
            old_key text := CASE WHEN TG_OP <> 'INSERT' THEN row_to_json(OLD) ->> TG_ARGV[0] END;
            new_key text := CASE WHEN TG_OP <> 'DELETE' THEN row_to_json(NEW) ->> TG_ARGV[0] END;
        BEGIN
            IF old_key IS DISTINCT FROM new_key AND old_key IS NOT NULL THEN
                INSERT INTO multipoint.change (source, "key") VALUES (TG_RELID, old_key);
            END IF;
            IF new_key IS NOT NULL THEN INSERT INTO multipoint.change (source, "key") VALUES (TG_RELID, new_key); END IF;
            RETURN NULL;
        END $body$
        """

    /// One row: the newest write to a target.
    struct Entry {
        var native: String
        var key: NativeKey
        var version: Version
        var digest: String
    }

    /// Makes the table where it is missing.
    static func prepare(_ connection: PostgresConnection) throws(PostgresError) {
        let isThere = try connection.run("SELECT to_regclass('multipoint.change') IS NOT NULL").first?.flag(0) ?? false
        if isThere { return }
        // Somebody else may have made the schema for a user who may not.
        let hasSchema = try connection.run("SELECT to_regnamespace('multipoint') IS NOT NULL").first?.flag(0) ?? false
        let first = hasSchema ? "" : "CREATE SCHEMA IF NOT EXISTS multipoint;"
        do throws(PostgresError) {
            // Two hubs may come at once; one of them makes it.
            try connection.script("BEGIN; SELECT pg_advisory_xact_lock(5063113); \(first) \(schema); COMMIT")
        } catch {
            if error.kind == .statement { try? connection.script("ROLLBACK") }
            throw error
        }
    }

    /// The entries of these targets, held until the end of the transaction, always in the same order.
    static let hold = """
        SELECT l.company, l.document, l.native, l."key", l.generation, l.number, l.digest FROM multipoint.write_log AS l
        JOIN unnest($2::text[], $3::text[]) AS d(company, document) ON l.company = d.company AND l.document = d.document
        WHERE l.application = $1 ORDER BY l.company, l.document FOR UPDATE OF l
        """

    private static let into = """
        INSERT INTO multipoint.write_log AS l (application, company, document, native, "key", generation, number, digest)
        """

    private static let overwrite = """
        ON CONFLICT (application, company, document) DO UPDATE SET native = excluded.native, "key" = excluded."key",
            generation = excluded.generation, number = excluded.number, digest = excluded.digest, written_at = now()
        """

    private static let insert = """
        \(into)
        SELECT $1, d.* FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::integer[], $8::text[])
            AS d(company, document, native, "key", generation, number, digest)
        """

    /// For creates: a second one of the same target fails here, and with it all that it did.
    static let create = insert

    /// For all else.
    static let put = "\(insert) \(overwrite)"

    /// As ``put``, for the rows of `written` in the same statement, but none that was written before.
    static let putWritten = """
        \(into) SELECT $1, w.company, w.document, $2, w.k, w.generation::integer, w.number::integer, w.digest FROM written AS w \(overwrite)
        WHERE (l.generation, l.number, l.digest) IS DISTINCT FROM (excluded.generation, excluded.number, excluded.digest)
        """

    /// Sets the key that a trigger of the application gave after all.
    static let rekey = #"UPDATE multipoint.write_log SET "key" = $4 WHERE application = $1 AND company = $2 AND document = $3"#

    /// Keys of the documents with these references.
    static let find = """
        SELECT document, "key" FROM multipoint.write_log WHERE application = $1 AND native = $2 AND document = ANY ($3::text[])
        ORDER BY company, document
        """

    /// What the hub calls the rows with these keys, as far as it wrote them.
    static func references(
        _ keys: [NativeKey], _ native: String, of application: ApplicationID, on connection: PostgresConnection
    ) throws(PostgresError) -> [NativeKey: CanonicalID] {
        let rows = try connection.run(
            #"SELECT "key", document FROM multipoint.write_log WHERE application = $1 AND native = $2 AND "key" = ANY ($3::text[])"#,
            [.text(application), .text(native), .texts(keys.map(\.rawValue))]
        ).rows
        return Dictionary(rows.map { ($0.id(0), $0.id(1)) }) { $1 }
    }

    static func entry(_ row: PostgresRow) -> Entry {
        Entry(
            native: row.text(2), key: row.id(3), version: Version(generation: Int(row.integer(4)), number: Int(row.integer(5))),
            digest: row.text(6))
    }

    static func arguments(_ application: ApplicationID, _ rows: [(target: Target, entry: Entry)]) -> [PostgresValue] {
        [
            .text(application), .texts(rows.map(\.target.company.rawValue)), .texts(rows.map(\.target.id.rawValue)),
            .texts(rows.map(\.entry.native)), .texts(rows.map(\.entry.key.rawValue)),
            .integers(rows.map { Int64($0.entry.version.generation) }), .integers(rows.map { Int64($0.entry.version.number) }),
            .texts(rows.map(\.entry.digest)),
        ]
    }

    /// Two deliveries have the same digest where they ask for the same write.
    static func digest(_ delivery: Delivery, _ body: [UInt8]) -> String {
        // FNV-1a, 128 bits wide.
        var hash: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
        let prime: UInt128 = 0x0000_0000_0100_0000_0000_0000_0000_013b
        func mix(_ bytes: some Sequence<UInt8>) {
            for byte in bytes { hash = (hash ^ UInt128(byte)) &* prime }
            // No text holds this byte, so that parts cannot run into each other.
            hash = (hash ^ 0xFF) &* prime
        }
        mix(delivery.operation.rawValue.utf8)
        mix((delivery.key?.rawValue ?? "").utf8)
        mix((delivery.expected?.token?.rawValue ?? "").utf8)
        mix(body)
        return text(hash)
    }

    /// With the base 36, the highest digit first.
    private static func text(_ number: UInt128) -> String {
        // So many digits fit into 64 bits, with which it is counted faster.
        let (digits, power): (Int, UInt128) = (12, 4_738_381_338_321_616_896)
        var bytes: [UInt8] = []
        var rest = number
        repeat {
            var part = UInt64(truncatingIfNeeded: rest % power)
            rest /= power
            for _ in 0..<digits where rest > 0 || part > 0 {
                let digit = UInt8(truncatingIfNeeded: part % 36)
                bytes.append(digit < 10 ? 0x30 + digit : 0x61 + digit - 10)
                part /= 36
            }
        } while rest > 0
        return bytes.isEmpty ? "0" : String(decoding: bytes.reversed(), as: UTF8.self)
    }
}
