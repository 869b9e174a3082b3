package import HubDriver
import PostgresClient

/// Makes the driver `postgresql`: tables of a PostgreSQL database.
package enum PostgreSQLFactory: DriverFactory {
    package static let name = "postgresql"

    package static let settings: [SettingDescription] = [
        SettingDescription(
            "connection", "libpq's connection string, postgresql://user@host/database?sslmode=verify-full, best without the password",
            isRequired: true),
        SettingDescription("password", "the user's password", isSecret: true),
        SettingDescription(
            "tables", "one line per table: customer: entity=customer table=crm.customer key=id version=row_version", isRequired: true),
        SettingDescription("slot", "the replication slot of tables with feed=slot (multipoint_ and the application's name)"),
        SettingDescription("publication", "the publication of these tables (named as the slot)"),
        SettingDescription("slotKeepSeconds", "how long the slot keeps what the hub has, should the hub's own disk go back (60)"),
        SettingDescription("connections", "calls at once, a connection each (4)"),
        SettingDescription("batch", "deliveries in one transaction at most (200)"),
        SettingDescription("answerMilliseconds", "how long the hub waits for an answer (12000)"),
        SettingDescription("settleMilliseconds", "after this time a call takes effect no more (17000); longer than answerMilliseconds"),
    ]

    /// Tables are the user's own: so are the mappings.
    package static let mappings: [BuiltinMapping] = []

    package static func make(_ settings: DriverSettings) throws(DriverError) -> any Driver {
        let connection = try settings.required("connection")
        let tables = try TableDeclaration.all(settings.values["tables"] ?? "", of: settings.application)
        let answer = try settings.number("answerMilliseconds", 12_000, 200...600_000)
        let settle = try settings.number("settleMilliseconds", answer + 5000, answer + 1...1_200_000)
        let connections = try settings.number("connections", 4, 1...64)
        let batch = try settings.number("batch", 200, 1...2000)
        var options = PostgresOptions(connection, name: "multipoint \(settings.application)")
        options.password = settings.values["password"]
        options.patience = .milliseconds(answer / 2)
        options.statementTimeout = .milliseconds(answer * 2 / 5)
        options.lockTimeout = .milliseconds(max(1, min(2000, answer / 5)))
        options.connectSeconds = max(2, answer / 4000)
        let manifest = Manifest(
            driver: name, version: "1.0", summary: "Tables of a PostgreSQL database",
            entities: tables.filter { $0.document == nil }.map(\.manifest),
            settleTime: .milliseconds(settle), answerTime: .milliseconds(answer),
            limits: Manifest.Limits(batch: batch, concurrentCalls: connections), window: window(tables.filter { $0.document == nil }))
        let driver = PostgreSQLDriver(manifest: manifest, application: settings.application, tables: tables, options: options)
        let feeds = Set(tables.compactMap(\.feed))
        if feeds.count > 1 {
            throw DriverError(.configuration, "\(settings.application): tables are heard of by triggers or by a slot, not by both.")
        }
        switch feeds.first {
        case nil: return driver
        case .triggers: return PostgreSQLFeedDriver(base: driver, feed: TriggerFeed(base: driver))
        case .slot:
            let slot = settings.values["slot"] ?? SlotFeed.slotName(settings.application)
            options.patience = SlotFeed.patience
            let feed = try SlotFeed(
                base: driver, options: options, slot: slot, publication: settings.values["publication"] ?? slot,
                keep: .seconds(try settings.number("slotKeepSeconds", 60, 0...86_400)))
            return PostgreSQLFeedDriver(base: driver, feed: feed)
        }
    }

    private static func window(_ tables: [TableDeclaration]) -> String {
        let open = tables.filter { $0.version == nil }.map(\.native)
        let created = """
            Each write stands in one transaction with its row in multipoint.write_log: it happens once, however often it is sent, \
            creates too.
            """
        if open.isEmpty {
            return created + " Updates and deletions name the row's version: none covers a change that the hub has not heard."
        }
        return created + """
             \(open.joined(separator: ", ")) without a version column: the hub reads the row before it writes, and a change made between \
            the two is covered where it changes the same columns.
            """
    }
}
