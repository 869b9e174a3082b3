import Foundation
import HubDriver
import HubModel
import PostgreSQL
import PostgresClient

/// Capture from PostgreSQL tables beside `pg_recvlogical`, which drains an equal slot into a file.
struct CaptureBench {
    let size: BenchSize
    private static let schema = "bench_capture"
    private static let bareSlot = "bench_capture_bare"
    /// What the hub asks for at once.
    private static let batch = 500
    /// Changes of one transaction.
    private static let transaction = 50

    func rows() throws -> [BenchRow] {
        guard let connection = PostgresBench.connection else {
            throw BenchFailure("MULTIPOINT_POSTGRES has to name a PostgreSQL server: scripts/apps/postgres start FOLDER")
        }
        let server = try PostgresConnection(PostgresOptions(connection))
        try clean(server)
        defer {
            try? clean(server)
            server.close()
        }
        try server.script(
            """
            CREATE SCHEMA \(Self.schema);
            CREATE TABLE \(Self.schema).customer (id bigint PRIMARY KEY, name text NOT NULL, phone text, city text, credit numeric(14,2),
                changed timestamptz, active boolean, notes text, hub_reference text)
            """)
        var position = try begin(connection)
        try server.run("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [.text(Self.bareSlot)])
        var rates: [Double] = []
        var baselines: [Double] = []
        for run in 1...size.runs {
            BenchProgress.tell("capture, run \(run)")
            let count = try change(server, run)
            let end = try server.run("SELECT pg_current_wal_lsn()::text").first?.text(0) ?? ""
            let start = ContinuousClock.now
            try drainBare(connection, until: end)
            baselines.append(Double(count) / (ContinuousClock.now - start).inSeconds)
            rates.append(try drain(connection, &position, count))
        }
        return [
            BenchRow(
                name: "capture, PostgreSQL tables",
                what:
                    "inserts and updates of 500-byte rows in transactions of \(Self.transaction), out of a replication slot as documents, "
                    + "in batches of \(Self.batch), connecting included, acknowledged as they are stored (slotKeepSeconds 0); baseline: pg_recvlogical "
                    + "draining an equal slot to a file, acknowledging likewise",
                values: rates, unit: "changes/s", baselines: baselines, ratioTarget: .atLeast(0.6))
        ]
    }

    private func clean(_ server: PostgresConnection) throws {
        try server.run(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = ANY ($1) AND NOT active",
            [.texts([Self.schema, Self.bareSlot])])
        try server.script("DROP PUBLICATION IF EXISTS \(Self.schema); DROP SCHEMA IF EXISTS \(Self.schema) CASCADE")
        // Keys that an earlier measurement has told would be told as deletions, and counted.
        if try server.run("SELECT to_regclass('multipoint.told') IS NOT NULL").first?.flag(0) ?? false {
            try server.run("DELETE FROM multipoint.told WHERE application = $1", [.text(Self.schema)])
        }
    }

    private func makeDriver(_ connection: String) throws -> any Driver {
        try PostgreSQLFactory.make(
            DriverSettings(
                application: ApplicationID(Self.schema),
                values: [
                    "connection": connection, "slot": Self.schema, "slotKeepSeconds": "0",
                    "tables": "customer: table=\(Self.schema).customer reference=hub_reference feed=slot",
                ]))
    }

    /// The driver's slot, and the position behind an empty table.
    private func begin(_ connection: String) throws -> String? {
        let driver = try makeDriver(connection)
        defer { try? PostgresBench.wait { await driver.close() } }
        guard let capturing = driver as? any Capturing else { throw BenchFailure("the driver does not capture") }
        return try PostgresBench.wait { try await capturing.capture(after: nil, limit: Self.batch).position }
    }

    /// As many inserts as updates.
    private func change(_ server: PostgresConnection, _ run: Int) throws -> Int {
        let half = size.storeEvents * 2
        let base = run * half
        for start in stride(from: 0, to: half, by: Self.transaction) {
            let range = "generate_series(\(base + start), \(base + min(start + Self.transaction, half) - 1))"
            try server.script(
                """
                INSERT INTO \(Self.schema).customer SELECT i, 'Customer ' || i, '+33 1 ' || i, 'Lyon', i * 0.01, now(), true,
                    repeat('Lorem ipsum ', 30) FROM \(range) i
                """)
            try server.script("UPDATE \(Self.schema).customer SET phone = '+33 2 ' || id WHERE id IN (SELECT \(range))")
        }
        return 2 * half
    }

    private func drainBare(_ connection: String, until end: String) throws {
        let file = NSTemporaryDirectory() + "multipoint-bench-\(ProcessInfo.processInfo.processIdentifier).capture"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "pg_recvlogical", "-d", connection, "-S", Self.bareSlot, "--start", "-f", file, "--endpos", end, "--no-loop",
            "-o", "proto_version=1", "-o", "publication_names=\(Self.schema)",
        ]
        try process.run()
        process.waitUntilExit()
        let written = (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int) ?? 0
        guard process.terminationStatus == 0, written > 0 else {
            throw BenchFailure("pg_recvlogical ended with \(process.terminationStatus) and \(written) bytes written")
        }
    }

    private func drain(_ connection: String, _ position: inout String?, _ count: Int) throws -> Double {
        let driver = try makeDriver(connection)
        defer { try? PostgresBench.wait { await driver.close() } }
        guard let capturing = driver as? any Capturing else { throw BenchFailure("the driver does not capture") }
        let deadline = ContinuousClock.now + .seconds(120)
        let start = ContinuousClock.now
        let from = position
        let (told, reached) = try PostgresBench.wait {
            var place = from
            var told = 0
            while told < count {
                let batch = try await capturing.capture(after: place, limit: Self.batch)
                told += batch.changes.count
                place = batch.position
                if ContinuousClock.now > deadline { throw BenchFailure("\(told) of \(count) changes came in time") }
            }
            return (told, place)
        }
        position = reached
        return Double(told) / (ContinuousClock.now - start).inSeconds
    }
}
