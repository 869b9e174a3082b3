import HubConfiguration
import HubModel
import HubScenario
import ReferenceApplication
import ReferenceERP

/// Who acts in a demonstration, and what is particular to the ERP that they use.
protocol DemoCrew: Sendable {
    /// What has been done.
    var tally: People.Tally { get }
    /// How long nothing may move until all counts as being at rest.
    var calm: Duration { get }
    /// How often longer everything may take than with the reference applications.
    var patience: Int { get }
    /// How long the ERP may go on by itself when nobody acts any more.
    var afterwork: Duration { get }

    /// Something that gets everything going.
    func begin() async throws
    /// Puts products and customers into the ERP.
    func seed(events: Int, seed: UInt64) async throws
    /// One act, drawn at random.
    mutating func act() async throws
    /// Lets the hub lose the ERP, or find it again.
    func setOutage(_ isOut: Bool) async throws
    /// Living documents by native type, of applications that are no reference applications.
    func documents(_ configuration: Configuration) async throws -> [ApplicationID: [String:
        [NativeDocument]]]
    func close() async
}

/// The crew of both reference applications.
struct ReferenceCrew: DemoCrew {
    private var people: People
    private let scenario: Scenario

    init(_ scenario: Scenario, seed: UInt64) {
        self.scenario = scenario
        people = People(scenario, seed: seed)
    }

    var tally: People.Tally { people.tally }
    var calm: Duration { .milliseconds(100) }
    var patience: Int { 1 }
    var afterwork: Duration { .zero }

    func begin() async throws {
        _ = try await scenario.erp.createArticle([
            "code": "FIRST", "name": "The first product", "saleable": false,
        ])
    }

    func seed(events: Int, seed: UInt64) async throws {
        let count = max(20, min(2000, events / 25))
        try await scenario.seed(products: count, customers: count, seed: seed)
    }

    mutating func act() async throws { try await people.act() }
    func setOutage(_ isOut: Bool) async throws { try await scenario.erp.file.setOutage(isOut) }
    func documents(_ configuration: Configuration) async throws -> [ApplicationID: [String:
        [NativeDocument]]]
    { [:] }
    func close() async {}
}
