package import HubBus
import HubCodec
package import HubConfiguration
package import HubModel
import HubRules
package import HubStore
import ReferenceApplication

/// What both applications hold, field by field against the golden records, and whether everything that came in has come to an end.
///
/// Meant for a hub at rest: see ``Settlement``.
package struct Comparison: Sendable {
    /// A field in which an application differs from the golden record.
    package struct Difference: Sendable {
        package var document: CanonicalID
        /// `(document)` where the whole document is missing, or there although it is deleted.
        package var field: String
        package var golden: Value?
        /// By application, of those that hold the field.
        package var values: [ApplicationID: Value]
        /// A refusal, conflict or wait that is the reason; nil where nothing explains it, and then something is wrong.
        package var explanation: String?
    }

    /// What became of the accepted quotes.
    package struct Quotes: Sendable {
        package var accepted = 0
        /// Exactly one order in the ERP.
        package var ordered = 0
        /// Refused by the ERP, and the deal says so.
        package var refused = 0
        /// Waits with a reason.
        package var waiting = 0
    }

    /// The records of an inbound topic, and how they ended.
    package struct Inbound: Sendable {
        package var topic: String
        package var records: Int
        package var ends: [EventEnd: Int]
        package var waiting: Int

        package var ended: Int { ends.values.reduce(0, +) }
        package var addsUp: Bool { ended + waiting == records }
    }

    /// The deliveries to an application, and how they ended.
    package struct Outbound: Sendable {
        package var application: ApplicationID
        /// Versions that have passed, by the write log of each document.
        package var versions: Int
        package var outcomes: [OutcomeKind: Int]
        /// Targets that wait, by reason.
        package var waiting: [TargetState.Wait.Reason: Int]

        /// Ends; waits are none.
        package var ended: Int { outcomes.reduce(0) { $1.key == .waiting ? $0 : $0 + $1.value } }
    }

    /// Documents compared, deleted ones included.
    package var documents = 0
    /// Fields compared, one per document and field however many applications hold it.
    package var fields = 0
    package var agreeing: Int { fields - differences.count }
    package var differences: [Difference] = []
    package var unexplained: [Difference] { differences.filter { $0.explanation == nil } }
    /// Documents that an application refused to take or to delete, or that wait with a reason: there is nothing to compare there.
    package var apart: [Difference] = []
    package var quotes = Quotes()
    package var inbound: [Inbound] = []
    package var outbound: [Outbound] = []
    package var conflicts: [String: Int] = [:]
    package var alarms: [Alarm] = []
    package var deadLetters: [DeadLetter] = []
    package var golden: [(entity: EntityName, live: Int, deleted: Int)] = []
    /// Everything that does not add up, in words.
    package var problems: [String] = []

    package var isWell: Bool { problems.isEmpty }

    /// Compares. Blocks.
    ///
    /// - Parameter others: living documents, by native type, of applications that are no reference applications.
    package static func make(
        _ scenario: Scenario, _ configuration: Configuration, store: StoreView, bus: BusConfiguration,
        others: [ApplicationID: [String: [NativeDocument]]] = [:]
    ) throws -> Comparison {
        let admin = try BusAdmin(bus)
        defer { admin.close() }
        let topics = Set(configuration.applications.flatMap(\.inboundTopics)).sorted()
        let marks = try admin.watermarks(of: topics, deadline: .now + .seconds(20))
        var records: [String: Int] = [:]
        for (partition, mark) in marks { records[partition.topic, default: 0] += Int(mark.high) }
        let produced = records
        let plan = configuration.plan()
        return try store.read { store in
            var run = ComparisonRun(plan: plan, configuration: configuration, store: store)
            try run.readApplications(scenario, others)
            try run.compareDocuments()
            try run.countQuotes()
            try run.countEvents(produced)
            try run.countDeliveries()
            try run.collectLists()
            run.sumUp()
            return run.result
        }
    }
}

/// One comparison under way, within one consistent state of the store.
struct ComparisonRun {
    let plan: HubPlan
    let configuration: Configuration
    let store: any StoreTransaction
    var result = Comparison()
    /// Living documents by application, native type and key.
    var documents: [ApplicationID: [String: [NativeKey: NativeDocument]]] = [:]
    /// Native documents that some golden record is linked to.
    var seen: Set<NativeReference> = []
    /// Versions that have passed, by application.
    var versions: [ApplicationID: Int] = [:]

    mutating func readApplications(_ scenario: Scenario, _ others: [ApplicationID: [String: [NativeDocument]]]) throws {
        for application in configuration.applications {
            let file = scenario.files[application.id]
            for native in Set(application.mappings.map(\.native)) {
                let all = try file?.documents(native: native) ?? others[application.id]?[native] ?? []
                documents[application.id, default: [:]][native] = Dictionary(all.map { ($0.key, $0) }) { first, _ in first }
            }
        }
    }

    mutating func problem(_ text: String) { result.problems.append(text) }

    mutating func sumUp() {
        let unexplained = result.unexplained
        if !unexplained.isEmpty { problem("\(unexplained.count) fields differ without a reason, the first: \(unexplained[0])") }
    }
}

extension Comparison.Difference: CustomStringConvertible {
    package var description: String {
        func text(_ value: Value?) -> String {
            guard let value else { return "nothing" }
            return value.text.map { "\"\($0)\"" } ?? "\(String(decoding: value.json, as: UTF8.self))"
        }
        let held = values.sorted { $0.key < $1.key }.map { "\($0.key) \(text($0.value))" }.joined(separator: ", ")
        return "\(document) \(field): golden \(text(golden)), \(held)" + (explanation.map { " – \($0)" } ?? "")
    }
}
