import Histogram
import HubModel
import HubScenario
import HubStore

extension DemoReport {
    /// As one JSON object.
    var value: Value {
        [
            "events": count(events), "seed": .string("\(seed)"), "people": counts(tally.done.map { ($0.key.rawValue, $0.value) }),
            "seconds": .number(Number(elapsed.milliseconds, scale: 3)), "outageSeconds": .number(Number(outage.milliseconds, scale: 3)),
            "records": count(inboundRecords), "perSecond": count(perSecond), "documents": count(comparison.documents),
            "inbound": .array(comparison.inbound.map(inbound)), "deliveries": .array(comparison.outbound.map(outbound)),
            "refusals": object(reading.refusals) { counts($0.map { ($0.key, $0.value) }) },
            "echoes": count(ends(.echo)), "corrections": count(corrections),
            "conflicts": counts(comparison.conflicts.map { ($0.key, $0.value) }),
            "alarms": .array(
                comparison.alarms.map {
                    ["code": .string($0.code), "document": .string($0.document?.rawValue ?? ""), "text": .string($0.text)]
                }),
            "deadLetters": .array(comparison.deadLetters.map { ["code": .string($0.code), "reason": .string($0.reason)] }),
            "broken": count(broken), "lag": counts(lags.map { ($0.group, Int($0.lag)) }),
            "peakLag": counts(peaks.map { ($0.key, Int($0.value)) }),
            "latencyMilliseconds": object(latencies, latency), "quotes": quotes,
            "fields": count(comparison.fields), "agreeing": count(comparison.agreeing),
            "apart": .array(comparison.apart.map { .string("\($0)") }),
            "differences": .array(comparison.differences.map { .string("\($0)") }), "unexplained": count(comparison.unexplained.count),
            "problems": .array(problems.map { .string($0) }), "allAddsUp": .bool(isWell),
        ]
    }

    private var quotes: Value {
        [
            "accepted": count(comparison.quotes.accepted), "ordered": count(comparison.quotes.ordered),
            "refused": count(comparison.quotes.refused), "waiting": count(comparison.quotes.waiting),
        ]
    }

    private func inbound(_ inbound: Comparison.Inbound) -> Value {
        [
            "topic": .string(inbound.topic), "records": count(inbound.records), "waiting": count(inbound.waiting),
            "ends": counts(inbound.ends.map { ($0.key.rawValue, $0.value) }),
        ]
    }

    private func outbound(_ outbound: Comparison.Outbound) -> Value {
        [
            "application": .string(outbound.application.rawValue), "versions": count(outbound.versions),
            "outcomes": counts(outbound.outcomes.map { ($0.key.rawValue, $0.value) }),
            "waiting": counts(outbound.waiting.map { ($0.key.rawValue, $0.value) }),
        ]
    }

    private func latency(_ histogram: Histogram<UInt64>) -> Value {
        [
            "writes": count(Int(histogram.totalCount)), "p50": count(Int(histogram.valueAtPercentile(50))),
            "p90": count(Int(histogram.valueAtPercentile(90))), "p99": count(Int(histogram.valueAtPercentile(99))),
            "max": count(Int(histogram.max)),
        ]
    }

    private func object<T>(_ values: [ApplicationID: T], _ body: (T) -> Value) -> Value {
        .object(Fields(values.map { ($0.key.rawValue, body($0.value)) }))
    }

    private func counts(_ values: [(String, Int)]) -> Value { .object(Fields(values.map { ($0.0, count($0.1)) })) }

    private func count(_ number: Int) -> Value { .number(Number(Int64(number))) }
}
