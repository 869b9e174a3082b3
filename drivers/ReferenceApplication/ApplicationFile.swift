import FoundationEssentials
import GRDB
import HubDriver
package import HubModel

/// A small application's SQLite file: its documents, rules, feed of changes and planned faults. Several processes may have it open.
package final class ApplicationFile: Sendable {
    package let rules: any Rules
    let pool: DatabasePool
    /// Tells the time; a manual one in tests.
    package let now: @Sendable () -> Instant

    /// Opens the file, and makes it where it is not there yet.
    package init(path: String, rules: any Rules, now: (@Sendable () -> Instant)? = nil) throws {
        self.rules = rules
        self.now = now ?? { Instant(milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down))) }
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        // Turning a new file to WAL does not wait for another process that does the same: try again, for as long as a lock may last.
        let start = ContinuousClock.now
        while true {
            do {
                pool = try DatabasePool(path: path, configuration: configuration)
                break
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && ContinuousClock.now - start < .seconds(10) {}
        }
        try pool.write { db in try Self.prepare(db, codes: rules.codes) }
    }

    private static func prepare(_ db: Database, codes: [(list: String, code: String, days: Int)]) throws {
        try db.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
                CREATE TABLE IF NOT EXISTS code (list TEXT NOT NULL, code TEXT NOT NULL, days INTEGER NOT NULL, PRIMARY KEY (list, code));
                CREATE TABLE IF NOT EXISTS document (
                    id INTEGER PRIMARY KEY AUTOINCREMENT, native TEXT NOT NULL, reference TEXT, code TEXT, version INTEGER NOT NULL,
                    stamp INTEGER NOT NULL, deleted INTEGER NOT NULL DEFAULT 0, body TEXT NOT NULL);
                CREATE INDEX IF NOT EXISTS document_native ON document (native, id) WHERE deleted = 0;
                CREATE INDEX IF NOT EXISTS document_reference ON document (native, reference) WHERE reference IS NOT NULL;
                CREATE UNIQUE INDEX IF NOT EXISTS document_code ON document (native, code) WHERE code IS NOT NULL AND deleted = 0;
                CREATE TABLE IF NOT EXISTS use (
                    document INTEGER NOT NULL, subject INTEGER NOT NULL, kind TEXT NOT NULL, amount INTEGER NOT NULL);
                CREATE INDEX IF NOT EXISTS use_document ON use (document);
                CREATE INDEX IF NOT EXISTS use_subject ON use (subject, kind);
                CREATE TABLE IF NOT EXISTS feed (
                    seq INTEGER PRIMARY KEY AUTOINCREMENT, native TEXT NOT NULL, document INTEGER NOT NULL, reference TEXT,
                    version INTEGER NOT NULL, time INTEGER NOT NULL, body TEXT);
                CREATE INDEX IF NOT EXISTS feed_document ON feed (document);
                CREATE TABLE IF NOT EXISTS fault_plan (
                    id INTEGER PRIMARY KEY CHECK (id = 1), seed INTEGER NOT NULL, draws INTEGER NOT NULL DEFAULT 0, failure REAL NOT NULL,
                    unreachable REAL NOT NULL, lost_answer REAL NOT NULL, late REAL NOT NULL, latency INTEGER NOT NULL,
                    down INTEGER NOT NULL);
                CREATE TABLE IF NOT EXISTS late_call (
                    id INTEGER PRIMARY KEY AUTOINCREMENT, due INTEGER NOT NULL, deadline INTEGER NOT NULL, operation TEXT NOT NULL,
                    native TEXT NOT NULL, key TEXT, reference TEXT NOT NULL, token TEXT, body TEXT NOT NULL);
                """)
        guard try Bool.fetchOne(db, sql: "SELECT NOT EXISTS (SELECT 1 FROM setting WHERE name = 'instance')") == true else { return }
        let instance = String(UInt64.random(in: .min ... .max), radix: 16)
        try db.execute(sql: "INSERT INTO setting (name, value) VALUES ('instance', ?)", arguments: [instance])
        for (list, code, days) in codes {
            try db.execute(sql: "INSERT INTO code (list, code, days) VALUES (?, ?, ?)", arguments: [list, code, days])
        }
    }

    /// One transaction that changes documents; throws ``Refused`` where a rule forbids it, and then nothing has changed.
    package func perform<T: Sendable>(_ step: @escaping @Sendable (Work) throws -> T) async throws -> T {
        try await pool.write { [now, rules] db in try step(Work(db: db, now: now(), rules: rules)) }
    }

    /// One consistent look at the file.
    package func look<T: Sendable>(_ look: @escaping @Sendable (Work) throws -> T) async throws -> T {
        try await pool.read { [now, rules] db in try look(Work(db: db, now: now(), rules: rules)) }
    }

    package func close() throws { try pool.close() }

    // MARK: For checkers

    /// Every living document of a type, for comparing applications member by member. Reads at once, on the caller's thread.
    package func documents(native: String) throws -> [NativeDocument] {
        guard let entity = rules.entities.first(where: { $0.native == native }) else { return [] }
        return try pool.read { db in
            try Work(db: db, now: now(), rules: rules).documents(native, after: 0, limit: .max).map { $0.told(entity) }
        }
    }

    /// How many events the feed holds.
    package func eventCount() throws -> Int {
        try pool.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM feed") ?? 0 }
    }

    // MARK: Planted faults, for proving that a checker sees them; nothing else calls these

    /// Takes the newest event of a document out of the feed, as an application does that publishes outside its transaction.
    package func loseEvent(of key: NativeKey) async throws {
        try await perform { work in
            try work.db.execute(
                sql: "DELETE FROM feed WHERE seq = (SELECT max(seq) FROM feed WHERE document = ?)", arguments: [Int64(key.rawValue)])
        }
    }

    /// Makes a second document equal to this one, with the same reference and an event, past all rules but unique codes.
    package func double(_ native: String, _ key: NativeKey) async throws -> NativeKey {
        try await perform { work in
            let document = try work.existing(native, key)
            let draft = Draft(native: native, fields: document.fields, actor: .workflow)
            return try work.store(draft, over: nil, reference: document.reference).key
        }
    }

    /// Puts a document back to what the event before its newest one told, past all rules, with an event of its own.
    package func revertEdit(_ native: String, _ key: NativeKey) async throws {
        try await perform { work in
            let document = try work.existing(native, key)
            let bodies = try String.fetchAll(
                work.db, sql: "SELECT body FROM feed WHERE document = ? ORDER BY seq DESC LIMIT 2", arguments: [document.id])
            guard bodies.count == 2 else { throw Refused("not-found", nil, "\(native) \(key) has never been edited.") }
            let uses = try Row.fetchAll(
                work.db, sql: "SELECT subject, kind, amount FROM use WHERE document = ?", arguments: [document.id]
            ).map { row in Use(Use.Kind(rawValue: row["kind"]) ?? .existence, of: row["subject"], amount: row["amount"]) }
            let code: String? = try String.fetchOne(work.db, sql: "SELECT code FROM document WHERE id = ?", arguments: [document.id])
            let draft = Draft(
                native: native, id: document.id, before: document.fields, fields: try JSONText.fields(bodies[1]), actor: .workflow,
                code: code, uses: uses)
            _ = try work.store(draft, over: document, reference: document.reference)
        }
    }
}
