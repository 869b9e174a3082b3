import HubCodec
import HubModel
import HubScenario

/// What a trial did and found.
struct ChaosReport {
    var seed: UInt64
    var elapsed: Duration = .zero
    /// Kills by the moment that they waited for.
    var kills: [String: Int] = [:]
    /// Times that the hub ended by itself, as it does when the bus leaves it no other way, and was started again.
    var gaveUp = 0
    var busFaults: [String: Int] = [:]
    /// What the people's process told at its end.
    var people = Fields()
    var noted = 0
    var settled: Duration = .zero
    var stopped: Duration = .zero
    var records = 0
    /// Records of the hub's own that were published more than once, as happens after a kill, and harm nobody.
    var repeated = 0
    var comparison: Comparison?
    var problems: [String] = []

    var isWell: Bool { problems.isEmpty }
    var killed: Int { kills.values.reduce(0, +) }

    private static func counts(_ counts: [String: Int]) -> String {
        counts.isEmpty ? "none" : counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }

    private func people(_ name: String) -> String { people[name].map { String(decoding: $0.json, as: UTF8.self) } ?? "?" }

    var lines: [String] {
        var lines = [
            "seed \(seed), \(elapsed.milliseconds / 1000) s",
            "kills     \(killed): \(Self.counts(kills)); ended by itself \(gaveUp) times",
            "bus       \(Self.counts(busFaults))",
            "people    \(people("acts")) acts, \(people("refused")) refused at once, \(people("faultPlans")) plans of faults in the applications",
            "at rest   after \(settled.milliseconds) ms; SIGTERM to exit \(stopped.milliseconds) ms",
        ]
        if let comparison {
            let quotes = comparison.quotes
            lines += [
                "quotes    \(quotes.accepted) accepted: \(quotes.ordered) are one order, \(quotes.refused) refused with the reason, \(quotes.waiting) wait",
                "documents \(comparison.documents), of them \(noted) with edits written down; \(comparison.agreeing) of \(comparison.fields) fields agree, "
                    + "\(comparison.differences.count - comparison.unexplained.count) differ with a reason, \(comparison.unexplained.count) without",
                "events    "
                    + comparison.inbound.map { "\($0.topic) \($0.records) = \($0.ended) ended + \($0.waiting) waiting" }.joined(
                        separator: "; "),
                "delivery  "
                    + comparison.outbound.map { "\($0.application) \($0.versions) versions, \($0.ended) ends" }.joined(separator: "; "),
                "conflicts \(Self.counts(comparison.conflicts)); alarms \(comparison.alarms.count); dead letters \(comparison.deadLetters.count)",
                "topics    \(records) records of the hub's own, \(repeated) of them repeated; nothing dropped unless told below",
            ]
        }
        return lines + problems.map { "WRONG     \($0)" } + [isWell ? "all is well" : "\(problems.count) findings"]
    }

    var value: Value {
        func number(_ value: Int) -> Value { .number(Number(Int64(value))) }
        func milliseconds(_ duration: Duration) -> Value { .number(Number(duration.milliseconds)) }
        func table(_ counts: [String: Int]) -> Value { .object(Fields(counts.map { ($0.key, number($0.value)) })) }
        var fields: Fields = [
            "seed": .string("\(seed)"), "well": .bool(isWell), "elapsed": milliseconds(elapsed), "kills": table(kills),
            "gaveUp": number(gaveUp), "busFaults": table(busFaults), "people": .object(people), "settled": milliseconds(settled),
            "stopped": milliseconds(stopped), "records": number(records), "repeated": number(repeated),
            "problems": .array(problems.map { .string($0) }),
        ]
        if let comparison {
            fields["accepted"] = number(comparison.quotes.accepted)
            fields["ordered"] = number(comparison.quotes.ordered)
            fields["refused"] = number(comparison.quotes.refused)
            fields["waiting"] = number(comparison.quotes.waiting)
            fields["documents"] = number(comparison.documents)
            fields["fields"] = number(comparison.fields)
            fields["agreeing"] = number(comparison.agreeing)
            fields["unexplained"] = number(comparison.unexplained.count)
            fields["conflicts"] = table(comparison.conflicts)
        }
        return .object(fields)
    }
}
