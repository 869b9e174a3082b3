import Foundation
import HubDriver
import HubModel
import HubStore
import PostgreSQL
import PostgresClient
import Synchronization

/// The PostgreSQL driver beside a bare libpq loop, and mediation on a PostgreSQL store beside that store's bare statements.
/// The server is the one that MULTIPOINT_POSTGRES names.
struct PostgresBench {
    let size: BenchSize
    private static let batch = 200

    static var connection: String? { ProcessInfo.processInfo.environment["MULTIPOINT_POSTGRES"] }

    func rows() throws -> [BenchRow] {
        guard let connection = Self.connection else {
            throw BenchFailure("MULTIPOINT_POSTGRES has to name a PostgreSQL server: scripts/apps/postgres start FOLDER")
        }
        return try driver(connection) + store(connection)
    }

    // MARK: The driver

    private func driver(_ connection: String) throws -> [BenchRow] {
        let schema = "bench_driver"
        let server = try PostgresConnection(PostgresOptions(connection))
        defer {
            try? server.script("DROP SCHEMA IF EXISTS \(schema) CASCADE; DELETE FROM multipoint.write_log WHERE application = '\(schema)'")
            server.close()
        }
        try server.script(
            """
            DROP SCHEMA IF EXISTS \(schema) CASCADE; CREATE SCHEMA \(schema);
            CREATE TABLE \(schema).customer (id text PRIMARY KEY, name text NOT NULL, phone text, city text, credit numeric(14,2),
                changed timestamptz, notes text, row_version bigint NOT NULL DEFAULT 1);
            CREATE TABLE \(schema).bare (LIKE \(schema).customer INCLUDING ALL);
            CREATE TABLE \(schema).alone (LIKE \(schema).customer INCLUDING ALL);
            CREATE TABLE \(schema).log (id text PRIMARY KEY, number integer NOT NULL, digest text NOT NULL)
            """)
        let driver = try PostgreSQLFactory.make(
            DriverSettings(
                application: ApplicationID(schema),
                values: ["connection": connection, "tables": "customer: table=\(schema).customer version=row_version", "connections": "1"]))
        defer { try? Self.wait { await driver.close() } }
        let count = size.customers
        for start in stride(from: 0, to: count, by: Self.batch) {
            try check(driver, (start..<min(start + Self.batch, count)).map { delivery(schema, .create, $0, round: 0) })
        }
        try bare(server, schema, rows(count, round: 0), round: 0)
        try bare(server, schema, rows(count, round: 0), round: 0, hasLog: false)
        var rates: [Double] = []
        var baselines: [Double] = []
        var withoutLog: [Double] = []
        for run in 1...size.runs {
            BenchProgress.tell("PostgreSQL driver, run \(run)")
            // What is written is made before, on both sides.
            let rows = rows(count, round: run)
            let batches = stride(from: 0, to: count, by: Self.batch).map { first in
                (first..<min(first + Self.batch, count)).map { delivery(schema, .update, $0, round: run) }
            }
            var start = ContinuousClock.now
            try bare(server, schema, rows, round: run)
            baselines.append(Double(count) / (ContinuousClock.now - start).inSeconds)
            start = .now
            try bare(server, schema, rows, round: run, hasLog: false)
            withoutLog.append(Double(count) / (ContinuousClock.now - start).inSeconds)
            start = .now
            for batch in batches { try check(driver, batch) }
            rates.append(Double(count) / (ContinuousClock.now - start).inSeconds)
        }
        return [
            BenchRow(
                name: "PostgreSQL driver",
                what: "updates of 500-byte rows in batches of \(Self.batch) on one connection, conditional on the row's version, with the "
                    + "write log and each row read back; baseline: a bare libpq loop with the same set-based upserts of rows and log; what is "
                    + "written is made beforehand on both sides",
                values: rates, unit: "rows/s", baselines: baselines, ratioTarget: .atLeast(0.7)),
            BenchRow(
                name: "PostgreSQL driver, rows alone",
                what: "the same beside a bare loop that leaves the write log out, which the contract demands: no target",
                values: rates, unit: "rows/s", baselines: withoutLog),
        ]
    }

    private func fields(_ number: Int, round: Int) -> Fields {
        [
            "name": .string("Customer \(number)"), "phone": .string("+33 1 \(round) \(number)"), "city": "Lyon",
            "credit": .number(Number(Int64(number * 100 + round), scale: 2)), "changed": "2026-11-21T12:08:01Z",
            "notes": .string(String(repeating: "Lorem ipsum ", count: 30)),
        ]
    }

    private func rows(_ count: Int, round: Int) -> [(id: String, fields: Fields)] {
        (0..<count).map { ("customer-1-\($0)", fields($0, round: round)) }
    }

    private func delivery(_ application: String, _ operation: Delivery.Operation, _ number: Int, round: Int) -> Delivery {
        let id = CanonicalID("customer-1-\(number)")
        return Delivery(
            target: Target(ApplicationID(application), .shared, id), version: Version(generation: 1, number: round + 1),
            operation: operation, native: "customer", key: operation == .create ? nil : NativeKey(id.rawValue), reference: id,
            fields: fields(number, round: round),
            expected: operation == .create ? nil : .init(token: VersionToken("\(round)"), fields: Fields()))
    }

    private func check(_ driver: any Driver, _ batch: [Delivery]) throws {
        let answers = try Self.wait { try await driver.apply(batch) }
        if let other = answers.first(where: { if case .written = $0 { false } else { true } }) {
            throw BenchFailure("a delivery was answered with \(other)")
        }
    }

    /// Waits for an asynchronous call, on the bench's own thread.
    static func wait<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) throws -> T {
        let box = AnswerBox<T>()
        let done = DispatchSemaphore(value: 0)
        Task {
            let result: Result<T, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            box.answer.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        guard let result = box.answer.withLock({ $0 }) else { throw BenchFailure("a call gave no answer") }
        return try result.get()
    }

    private final class AnswerBox<T: Sendable>: Sendable {
        let answer = Mutex<Result<T, any Error>?>(nil)
    }

    /// The least that does the same: whole columns, no questions, no answers.
    private func bare(
        _ server: PostgresConnection, _ schema: String, _ rows: [(id: String, fields: Fields)], round: Int, hasLog: Bool = true
    ) throws {
        let table = hasLog ? "bare" : "alone"
        for start in stride(from: 0, to: rows.count, by: Self.batch) {
            let batch = rows[start..<min(start + Self.batch, rows.count)]
            func column(_ name: String) -> PostgresValue { .texts(batch.map { $0.fields[name]?.keyText }) }
            try server.post("BEGIN")
            if hasLog {
                try server.post(
                    """
                    INSERT INTO \(schema).log SELECT * FROM unnest($1::text[], $2::integer[], $3::text[])
                    ON CONFLICT (id) DO UPDATE SET number = excluded.number, digest = excluded.digest
                    """,
                    [.texts(batch.map(\.id)), .integers(batch.map { _ in Int64(round) }), .texts(batch.map { "digest \(round) \($0.id)" })])
            }
            try server.post(
                """
                INSERT INTO \(schema).\(table) AS x (id, name, phone, city, credit, changed, notes)
                SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::timestamptz[], $7::text[])
                ON CONFLICT (id) DO UPDATE SET name = excluded.name, phone = excluded.phone, city = excluded.city,
                    credit = excluded.credit, changed = excluded.changed, notes = excluded.notes, row_version = x.row_version + 1
                """,
                [.texts(batch.map(\.id))] + ["name", "phone", "city", "credit", "changed", "notes"].map(column))
            try server.run("COMMIT")
        }
    }

    // MARK: The store

    private func store(_ connection: String) throws -> [BenchRow] {
        let schema = "bench_store"
        let server = try PostgresConnection(PostgresOptions(connection))
        let clean = "DROP SCHEMA IF EXISTS \(schema) CASCADE"
        defer {
            try? server.script(clean)
            server.close()
        }
        try server.script(clean + "; CREATE SCHEMA \(schema); SET search_path = \(schema)")
        var options = BenchHub.Options()
        options.delivers = false
        options.server = connection + (connection.contains("?") ? "&" : "?") + "options=-csearch_path%3D\(schema)"
        let bench = try BenchHub(options)
        defer { bench.close() }
        try bench.create(size.customers, delivers: false)
        for table in ["one", "two", "three"] {
            try server.script("CREATE TABLE \(table) (id text COLLATE \"C\" PRIMARY KEY, doc text NOT NULL)")
        }
        _ = try bareStatements(server, size.customers)
        var rates: [Double] = []
        var statements: [Double] = []
        var baselines: [Double] = []
        for run in 1...size.runs {
            BenchProgress.tell("PostgreSQL store, run \(run)")
            baselines.append(try bareStatements(server, size.storeEvents))
            let (rate, perEvent) = try MediationBench(size: size).measure(bench)
            rates.append(rate)
            statements.append(perEvent)
        }
        return [
            BenchRow(
                name: "mediation, PostgreSQL store",
                what:
                    "as mediation, with the state in PostgreSQL; baseline: three point reads (one round trip for all) and three upserts of "
                    + "600-byte documents per event, prepared and pipelined, batches of 500, no hub", values: rates, unit: "events/s",
                baselines: baselines, ratioTarget: .atLeast(0.6)),
            BenchRow(
                name: "mediation, PostgreSQL statements", what: "statements that the store sent per event", values: statements,
                unit: "per event"),
        ]
    }

    private func bareStatements(_ server: PostgresConnection, _ events: Int) throws -> Double {
        let tables = ["one", "two", "three"]
        let keys = (0..<size.customers).map { "customer-1-\($0)" }
        let texts = (0..<size.customers).map { BenchCustomer.json($0, phone: BenchCustomer.phone($0)) }
        let start = ContinuousClock.now
        var next = 0
        while next < events {
            let end = min(next + 500, events)
            try server.post("BEGIN")
            for event in next..<end {
                let key = keys[event % keys.count]
                for table in tables { try server.post("SELECT doc FROM \(table) WHERE id = $1", [.text(key)]) }
                for table in tables {
                    try server.post(
                        "INSERT INTO \(table) (id, doc) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc",
                        [.text(key), .utf8(texts[(event + event / keys.count) % texts.count])])
                }
            }
            try server.run("COMMIT")
            next = end
        }
        return Double(events) / (ContinuousClock.now - start).inSeconds
    }
}
