import Foundation
import HubDriver
import HubModel
import PostgreSQL
import PostgresClient
import Testing

/// A schema with a replication slot of the test's own.
final class SlotDesk {
    let schema: String
    let slot: String
    let connection: PostgresConnection
    private(set) var driver: any Driver
    private let settings: [String: String]
    /// Lines of `tables`.
    var declared: String

    /// All kinds of columns.
    static let wide = """
        CREATE TYPE mood AS ENUM ('glad', 'sad'); CREATE DOMAIN amount AS numeric(12,2); CREATE TYPE place AS (city text, number int);
        CREATE TABLE wide (
            id int PRIMARY KEY, n numeric, a amount, f float8, g real, b boolean, big bigint, d date, t time, ts timestamp, tz timestamptz,
            i interval, j json, jb jsonb, by bytea, u uuid, c char(5), v varchar(9), m mood, r int4range, ia int[], ta text[],
            tsa timestamp[], ba boolean[], na numeric[], nested int[], ma mood[], pl place, pls place[], jba jsonb[], aa amount[], cash money,
            net inet, doubled numeric GENERATED ALWAYS AS (n * 2) STORED
        );
        """

    static let wideRows = """
        INSERT INTO wide VALUES (1, 123456789012345678901234567890.0000000010, 1.50, 1e300, 0.1, true, 9223372036854775807, '2026-11-21',
            '12:08:01.5', '2026-11-21 12:08:01.25', '2026-11-21 12:08:01.25+05:30', '1 year 2 days 03:04:05', '{"b": 1.00, "a": [1e5]}',
            '{"b": 1.00, "a": [null]}', '\\x00ff5c', '6f9619ff-8b86-d011-b42d-00cf4fc964ff', 'ab', 'zoë', 'sad', '[1,5)', '{1,NULL,-3}',
            '{"a\\"b\\\\",NULL,"","{,}","NULL"}', '{"2026-11-21 12:08:01"}', '{t,f}', '{1.50,NaN}', '{{1,2},{3,4}}', '{glad}',
            ROW('Lyon', 3), ARRAY[ROW('Nice', 1), ROW(NULL, 2)]::place[], '{"{\\"k\\": [1]}"}', '{1.50}', '12.34', '10.0.0.1');
        INSERT INTO wide (id, n, f, g, ts, tz, d, nested, ta) VALUES (2, 'NaN', 'Infinity', '-0', '0044-03-15 12:00:00 BC', 'infinity',
            '-infinity', '[0:1]={7,8}', '{}');
        INSERT INTO wide (id) VALUES (3)
        """

    private init(_ declared: String, _ settings: [String: String]) throws {
        schema = "s" + UUID().uuidString.lowercased().filter { $0 != "-" }
        slot = "slot_" + schema
        connection = try Live.connect()
        self.declared = declared
        self.settings = settings
        driver = try Self.make(schema, slot, declared, settings)
    }

    private static func make(_ schema: String, _ slot: String, _ tables: String, _ settings: [String: String]) throws -> any Driver {
        var values = [
            "connection": Live.options().connection, "slot": slot, "answerMilliseconds": "8000",
            "tables": tables.replacingOccurrences(of: "$schema", with: schema),
        ]
        values.merge(settings) { $1 }
        return try PostgreSQLFactory.make(DriverSettings(application: ApplicationID(schema), values: values))
    }

    private static let customer = "customer: table=$schema.customer version=row_version feed=slot\n"

    static func run(
        _ tables: String = "", _ declared: String = "", settings: [String: String] = [:], _ body: (SlotDesk) async throws -> Void
    ) async throws {
        let desk = try SlotDesk(customer + declared, settings)
        do {
            try desk.connection.script("CREATE SCHEMA \(desk.schema); SET search_path = \(desk.schema), public")
            _ = try? await desk.driver.probe()
            try desk.connection.script(Desk.tables + tables)
            try await body(desk)
        } catch {
            await desk.close()
            throw error
        }
        await desk.close()
    }

    /// The driver begins anew.
    func restart() async {
        await driver.close()
        if let made = try? Self.make(schema, slot, declared, settings) { driver = made }
    }

    private func close() async {
        await driver.close()
        try? await dropSlot()
        for sql in [
            "DROP PUBLICATION IF EXISTS \(slot)", "DROP SCHEMA \(schema) CASCADE",
            "DELETE FROM multipoint.told WHERE application = '\(schema)'; DELETE FROM multipoint.write_log WHERE application = '\(schema)'",
        ] { try? connection.script(sql) }
        connection.close()
    }

    /// Waits until the server has noticed that nobody streams any more.
    func dropSlot() async throws {
        let end = ContinuousClock.now + .seconds(5)
        while ContinuousClock.now < end {
            let row = try connection.run("SELECT active FROM pg_replication_slots WHERE slot_name = $1", [.text(slot)]).first
            guard let row else { return }
            if !row.flag(0) { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        try connection.run("SELECT pg_drop_replication_slot($1)", [.text(slot)])
    }

    func sql(_ text: String) throws { try connection.script(text) }

    func listener(_ position: String? = nil) throws -> SlotListener {
        SlotListener(try #require(driver as? any Capturing), position)
    }

    /// What the other one has heard, at the driver that there is now.
    func listener(_ other: SlotListener) throws -> SlotListener {
        var listener = other
        listener.feed = try #require(driver as? any Capturing)
        return listener
    }
}

/// The hub's side: it stores the position that it was given.
struct SlotListener {
    var feed: any Capturing
    private(set) var position: String?
    private(set) var told: [CapturedChange] = []
    /// Rows by key, as they have been told, older positions left out.
    private(set) var state: [NativeKey: Fields] = [:]
    private var places: [NativeKey: SourcePosition] = [:]
    /// No two changes of a key have the same place or the wrong order.
    private(set) var isInOrder = true

    init(_ feed: any Capturing, _ position: String?) {
        self.feed = feed
        self.position = position
    }

    /// Everything has been read and compared.
    var isStreaming: Bool { position.map { !$0.contains("\"work\"") } ?? false }

    /// What follows a place that the hub has; some of it may not have come yet.
    func again(after position: String?, _ limit: Int, expecting count: Int = 1) async throws -> CapturedBatch {
        let end = ContinuousClock.now + .seconds(10)
        while true {
            let batch = try await feed.capture(after: position, limit: limit)
            if batch.changes.count >= count || ContinuousClock.now > end { return batch }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    @discardableResult
    mutating func tell(_ limit: Int) async throws -> [CapturedChange] {
        let batch = try await feed.capture(after: position, limit: limit)
        #expect(batch.changes.count <= limit)
        position = batch.position ?? position
        for change in batch.changes {
            guard let key = change.event.key, let place = change.event.position else { continue }
            if let known = places[key], place <= known {
                // An older place is one that a snapshot has told already; what went behind the snapshot is found missing at its place too.
                isInOrder = isInOrder && (place < known || change.event.operation == .delete)
                continue
            }
            places[key] = place
            if change.event.operation == .delete {
                state[key] = nil
            } else if let fields = change.fields {
                state[key] = (state[key] ?? Fields()).overlaid(with: fields)
            }
        }
        told += batch.changes
        return batch.changes
    }

    /// Until it holds, some seconds at most.
    mutating func tell(
        _ limit: Int = 100, forgiving: Bool = false, until holds: (SlotListener) -> Bool, _ location: SourceLocation = #_sourceLocation
    ) async throws {
        let end = ContinuousClock.now + .seconds(20)
        while true {
            do { try await tell(limit) } catch { if !forgiving { throw error } }
            if holds(self) { return }
            guard ContinuousClock.now < end else {
                Issue.record("It was not told: \(told.count) changes, position \(position ?? "none")", sourceLocation: location)
                return
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
