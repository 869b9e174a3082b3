import HubConfiguration
package import HubDriver
import HubModel
import PostgreSQL
package import PostgresClient

/// A hub that hears of an application's documents by a slot of the test's own in the application's database.
package final class SignalBench {
    private let application = ApplicationID("s" + String(UInt64.random(in: .min ... .max), radix: 36))
    private let url: String
    private let values: [String: String]
    private let map: SignalMap
    /// Types that are told from the next ``restart(beforehand:)`` on; nil: all.
    package var natives: Set<String>?
    private let makeDriver: () throws -> any Driver & Reading
    package let ear: FeedListener
    /// As the application itself writes.
    package let database: PostgresConnection

    package var slot: String { "slot_\(application)" }

    /// The user of whom `signal.sql` makes the hub.
    private static let hub = "multipoint"
    private static let patience = Duration.seconds(30)

    /// - Parameters:
    ///   - url: of the database, for the hub.
    ///   - owner: the application's own user there.
    ///   - publication: what `signal.sql` has made.
    ///   - map: what the application's driver knows of its tables.
    ///   - natives: types that are told; nil: all.
    package init(
        _ url: String, owner: String, publication: String, map: SignalMap, natives: Set<String>? = nil,
        driver: @escaping () throws -> any Driver & Reading
    ) throws {
        self.url = url
        self.map = map
        self.natives = natives
        makeDriver = driver
        values = map.settings.merging(["connection": url, "slot": "slot_\(application)", "publication": publication]) { $1 }
        database = try Self.connect(url.replacing("\(Self.hub)@", with: "\(owner)@"))
        ear = FeedListener(try Self.feed(application, values, map, natives, driver()))
    }

    private static func feed(
        _ application: ApplicationID, _ values: [String: String], _ map: SignalMap, _ natives: Set<String>?, _ driver: any Driver & Reading
    ) throws -> SignalledDriver {
        let made = try PostgreSQLFactory.make(DriverSettings(application: application, values: values))
        guard let signal = made as? any Capturing else { throw FeedListener.Missing(description: "the map makes no feed") }
        return SignalledDriver(driver, signal: signal, companions: map.companions, natives: natives)
    }

    private static func connect(_ url: String) throws -> PostgresConnection {
        try PostgresConnection(PostgresOptions(url, name: "tests"))
    }

    /// Runs a test and leaves nothing behind.
    package func run(_ body: (SignalBench) async throws -> Void) async throws {
        do { try await body(self) } catch {
            try? await close()
            throw error
        }
        try await close()
    }

    private func close() async throws {
        await ear.feed.close()
        try await dropSlot()
        let hub = try Self.connect(url)
        defer { hub.close() }
        try hub.run("DELETE FROM multipoint.told WHERE application = $1", [.text(application)])
        database.close()
    }

    /// Goes through what there is without asking the application for it, as if nobody wanted it; what changes from here on is told.
    package func skipPresent() async throws {
        let wanted = natives
        natives = []
        try await restart()
        try await ear.present()
        natives = wanted
        try await restart()
    }

    /// The hub begins anew, with the position that it has.
    package func restart(beforehand: () async throws -> Void = {}) async throws {
        await ear.feed.close()
        try await beforehand()
        ear.feed = try Self.feed(application, values, map, natives, makeDriver())
    }

    /// As somebody might who tidies up, once nobody streams any more.
    package func dropSlot() async throws {
        let hub = try Self.connect(url)
        defer { hub.close() }
        let end = ContinuousClock.now + Self.patience
        while ContinuousClock.now < end {
            let row = try hub.run("SELECT active FROM pg_replication_slots WHERE slot_name = $1", [.text(slot)]).first
            guard let row else { return }
            if !row.flag(0) { break }
            try await Task.sleep(for: FeedListener.pause)
        }
        try hub.run("SELECT pg_drop_replication_slot($1)", [.text(slot)])
    }

    package func sql(_ text: String) throws { try database.script(text) }
}
