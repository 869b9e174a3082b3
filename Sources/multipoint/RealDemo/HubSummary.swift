import HubCodec
import HubConfiguration
import HubModel
import HubRules
import HubStore

/// What a hub's store says of its work, in a few lines: ends of events and deliveries, and everything that waits or went wrong.
struct HubSummary: Sendable {
    private(set) var lines: [String] = []
    private(set) var conflicts: [Conflict] = []
    private static let most = 12

    init() {}

    init(_ store: any StoreTransaction, _ configuration: Configuration) throws {
        var ends: [EventEnd: Int] = [:]
        for (_, end, count) in try store.eventEnds() { ends[end, default: 0] += count }
        lines.append("events: " + Self.counts(ends.map { ($0.key.rawValue, $0.value) }))
        let outcomes = try store.outcomeCounts()
        for application in configuration.applications.map(\.id) {
            let own = outcomes.filter { $0.application == application }.map { ($0.kind.rawValue, $0.count) }
            lines.append("deliveries to \(application): " + Self.counts(own))
        }
        conflicts = try store.conflicts(after: 0, limit: 100)
        for conflict in conflicts.prefix(Self.most) {
            if conflict.field.isEmpty {
                lines.append("not taken: \(conflict.document) from \(conflict.application) (\(conflict.rule))")
                continue
            }
            let kept = conflict.kept?.shown ?? "nothing"
            lines.append(
                "conflict: \(conflict.document) \(conflict.field): \(conflict.application) said \(conflict.refused.shown), "
                    + "\(kept) is kept (\(conflict.rule))")
        }
        try addRefusals(store, configuration)
        try addTrouble(store, configuration)
    }

    private mutating func addRefusals(_ store: any StoreTransaction, _ configuration: Configuration) throws {
        let plan = configuration.plan()
        for entity in configuration.entities.map(\.name) {
            for golden in try store.goldenRecords(entity, after: nil, limit: 1000) {
                for application in configuration.applications.map(\.id) {
                    let target = plan.target(application, entity, golden.company, golden.id)
                    guard let rejected = try store.target(target).rejected else { continue }
                    lines.append("refused: \(golden.id) by \(application): \(rejected.rejection)")
                }
            }
        }
    }

    private mutating func addTrouble(_ store: any StoreTransaction, _ configuration: Configuration) throws {
        for application in configuration.applications.map(\.id) {
            let rows = try store.waiting(application, Set(TargetState.Wait.Reason.allCases), until: nil, limit: Self.most)
            for row in rows {
                guard let wait = row.state.wait else { continue }
                lines.append("waits: \(row.target.id) for \(application) (\(wait.reason.rawValue)): \(wait.detail)")
            }
        }
        for event in try store.waitingEvents(after: 0, limit: Self.most) {
            lines.append("waits: event of \(event.document.application) \(event.document.entity) \(event.document.key)")
        }
        for letter in try store.deadLetters(after: 0, limit: Self.most, includeReplayed: true) {
            lines.append("dead letter: \(letter.code): \(letter.reason)")
        }
        for alarm in try store.alarms(after: 0, limit: Self.most) { lines.append("alarm: \(alarm.code): \(alarm.text)") }
    }

    private static func counts(_ counts: [(String, Int)]) -> String {
        let told = counts.filter { $0.1 > 0 }.sorted { $0.0 < $1.0 }.map { "\($0.1) \($0.0)" }
        return told.isEmpty ? "none" : told.joined(separator: ", ")
    }
}

extension Value {
    /// For a line at the terminal: texts as they are, everything else as JSON.
    var shown: String { text ?? String(decoding: json, as: UTF8.self) }
}
