import Foundation
import Histogram
import HubModel
import HubScenario
import HubStore

/// What a demonstration has to say.
struct DemoReport {
    var events: Int
    var seed: UInt64
    /// From the first product to the last delivery.
    var elapsed: Duration
    var outage: Duration
    var tally: People.Tally
    var settlement: Settlement
    var comparison: Comparison
    var reading: BusReading
    /// Records not worked at the end, by group.
    var lags: [(group: String, lag: Int64)]
    /// The largest lag seen, by group.
    var peaks: [String: Int64]
    var latencies: [ApplicationID: Histogram<UInt64>]
    /// Broken records that were published on purpose.
    var broken: Int
    /// Why the hub ended; nil where it did not.
    var failure: String?

    var inboundRecords: Int { comparison.inbound.reduce(0) { $0 + $1.records } }
    var seconds: Double { Double(elapsed.milliseconds) / 1000 }
    var perSecond: Int { seconds > 0 ? Int(Double(inboundRecords) / seconds) : 0 }
    var isWell: Bool { problems.isEmpty }

    /// Everything that does not add up.
    var problems: [String] {
        var problems = comparison.problems
        if let failure { problems.append("the hub has failed: \(failure)") }
        problems += settlement.moving.map { "not at rest after \(settlement.elapsed.milliseconds / 1000) s: \($0)" }
        for (group, lag) in lags where lag > 0 { problems.append("\(group) is \(lag) records behind") }
        for id in reading.disordered { problems.append("\(id): the canonical topic holds an older version after a newer one") }
        let inboundDead = comparison.deadLetters.filter { $0.target == nil }
        if inboundDead.count != broken { problems.append("\(broken) broken records were published, \(inboundDead.count) are dead letters") }
        return problems
    }

    var corrections: Int { reading.corrections.values.reduce(0, +) }

    func ends(_ end: EventEnd) -> Int { comparison.inbound.reduce(0) { $0 + ($1.ends[end] ?? 0) } }
}
