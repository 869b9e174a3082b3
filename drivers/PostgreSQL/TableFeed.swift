import HubDriver
import HubModel
import PostgresClient

/// Where the changes of tables are heard from.
protocol TableFeed: Sendable {
    func capture(after position: String?, limit: Int) async throws(DriverError) -> CapturedBatch
    /// For a person who looks how the feed does.
    func details(on connection: PostgresConnection) throws(PostgresError) -> [String]
    func close() async
}

/// The driver with a feed.
struct PostgreSQLFeedDriver: Driver, LookingUp, Reading, Paging, Capturing {
    let base: PostgreSQLDriver
    let feed: any TableFeed

    var manifest: Manifest { base.manifest }
    func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] { try await base.apply(batch) }
    func lookUp(_ references: [LookUp]) async throws(DriverError) -> [[NativeDocument]] { try await base.lookUp(references) }
    func read(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?] { try await base.read(references) }
    func page(native: String, company: String?, after cursor: String?, limit: Int) async throws(DriverError) -> Page {
        try await base.page(native: native, company: company, after: cursor, limit: limit)
    }
    func capture(after position: String?, limit: Int) async throws(DriverError) -> CapturedBatch {
        try await feed.capture(after: position, limit: limit)
    }

    func probe() async throws(DriverError) -> ApplicationIdentity {
        var identity = try await base.probe()
        identity.details += try await base.ask { session throws(PostgresError) in try feed.details(on: session.connection()) }
        return identity
    }

    func close() async {
        await feed.close()
        await base.close()
    }
}
