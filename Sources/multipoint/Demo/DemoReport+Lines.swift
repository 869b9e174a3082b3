import Foundation
import Histogram
import HubModel
import HubScenario
import HubStore

extension DemoReport {
    /// As tables for people.
    var lines: [String] {
        var lines: [String] = []
        func section(_ title: String, _ table: Table) { lines += ["", title] + table.lines.map { "  " + $0 } }
        lines.append(
            "\(tally.total) changes by people, \(inboundRecords) events, \(comparison.documents) documents in \(elapsed.tenths) "
                + "(\(perSecond) events/s); the ERP was down for \(outage.tenths)")
        let ends = EventEnd.allCases.filter { self.ends($0) > 0 }
        section(
            "Events in, and how each ended",
            Table(
                ["TOPIC", "RECORDS"] + ends.map { $0.rawValue.uppercased() } + ["WAITING", ""],
                comparison.inbound.filter { $0.records > 0 }.map { inbound in
                    [inbound.topic, "\(inbound.records)"] + ends.map { "\(inbound.ends[$0] ?? 0)" }
                        + ["\(inbound.waiting)", inbound.addsUp ? "adds up" : "DOES NOT ADD UP"]
                }))
        let kinds = OutcomeKind.allCases.filter { kind in comparison.outbound.contains { ($0.outcomes[kind] ?? 0) > 0 } && kind != .waiting
        }
        section(
            "Deliveries, and how each ended",
            Table(
                ["APPLICATION", "VERSIONS"] + kinds.map { $0.rawValue.uppercased() } + ["WAITING NOW", ""],
                comparison.outbound.map { outbound in
                    [outbound.application.rawValue, "\(outbound.versions)"] + kinds.map { "\(outbound.outcomes[$0] ?? 0)" }
                        + ["\(outbound.waiting.values.reduce(0, +))", outbound.versions == outbound.ended ? "adds up" : "DOES NOT ADD UP"]
                }))
        let refusals = reading.refusals.sorted { $0.key < $1.key }.flatMap { application, rules in
            rules.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { [application.rawValue, $0.key, "\($0.value)"] }
        }
        if !refusals.isEmpty { section("Refused, by rule", Table(["APPLICATION", "RULE", "DELIVERIES"], refusals)) }
        section("Kept in order", Table(["WHAT", "", ""], order))
        if !comparison.deadLetters.isEmpty {
            section(
                "Dead letters (\(broken) broken records were published on purpose)",
                Table(["CODE", "REASON"], comparison.deadLetters.map { [$0.code, String($0.reason.prefix(110))] }))
        }
        section(
            "How far each group was behind",
            Table(["GROUP", "AT MOST", "NOW"], lags.map { [$0.group, "\(peaks[$0.group] ?? 0)", "\($0.lag)"] }))
        section(
            "From event to written, in ms",
            Table(
                ["APPLICATION", "WRITES", "P50", "P90", "P99", "MAX"],
                latencies.sorted { $0.key < $1.key }.map { application, histogram in
                    [application.rawValue, "\(histogram.totalCount)"] + [50.0, 90, 99].map { "\(histogram.valueAtPercentile($0))" }
                        + ["\(histogram.max)"]
                }))
        return lines + verdict
    }

    private var order: [[String]] {
        var rows = [
            ["echoes stopped", "\(ends(.echo))", "the hub's own writes, heard back"],
            ["corrections", "\(corrections)", "an application was asked to take the golden value"],
        ]
        for (rule, count) in comparison.conflicts.sorted(by: { $0.key < $1.key }) {
            rows.append(["conflicts: \(rule)", "\(count)", Self.meaning[rule] ?? ""])
        }
        for (code, alarms) in Dictionary(grouping: comparison.alarms, by: \.code).sorted(by: { $0.key < $1.key }) {
            rows.append(["alarms: \(code)", "\(alarms.count)", String(alarms[0].text.prefix(80))])
        }
        return rows
    }

    private static let meaning = [
        "owner": "the field belongs to another application", "older": "somebody else's change was newer",
        "deleted": "the document was deleted meanwhile", "delete": "its deletion is not that application's to say",
        "guarded": "only its owner may ever set it", "create": "such documents are not created there",
    ]

    private var verdict: [String] {
        let quotes = comparison.quotes
        var lines = [
            "",
            "Accepted quotes: \(quotes.accepted); exactly one ERP order each: \(quotes.ordered); refused, with the reason in the CRM: \(quotes.refused)"
                + (quotes.waiting > 0 ? "; waiting: \(quotes.waiting)" : ""),
            "Both applications and the golden records agree on \(comparison.agreeing) of \(comparison.fields) fields",
        ]
        if !comparison.apart.isEmpty {
            lines.append("\(comparison.apart.count) documents are not on both sides, each for a reason on record:")
            lines += comparison.apart.prefix(6).map { "  \($0.document): \($0.explanation ?? "")" }
            if comparison.apart.count > 6 { lines.append("  … and \(comparison.apart.count - 6) more") }
        }
        let explained = comparison.differences.filter { $0.explanation != nil }
        if !explained.isEmpty {
            lines.append("\(explained.count) differ for a reason that is on record:")
            lines += explained.prefix(8).map { "  \($0)" }
            if explained.count > 8 { lines.append("  … and \(explained.count - 8) more") }
        }
        if isWell { return lines + ["", "All adds up."] }
        lines += ["", "What does not add up:"] + problems.prefix(30).map { "  \($0)" }
        for difference in comparison.unexplained.prefix(20) { lines.append("    \(difference)") }
        return lines
    }
}
