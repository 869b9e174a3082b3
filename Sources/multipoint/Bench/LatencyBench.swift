import Foundation
import Histogram
import HubBus
import HubModel
import Synchronization

/// From produce to written in the other application, at a steady rate.
struct LatencyBench {
    let size: BenchSize
    private static let perSecond = 500
    private static let customers = 2_000

    func rows() throws -> [BenchRow] {
        BenchProgress.tell("end to end: \(Self.customers) customers")
        let bench = try BenchHub()
        defer { bench.close() }
        try bench.create(Self.customers, delivers: true)
        var percentiles: [[Double]] = [[], [], []]
        for run in 0..<size.runs {
            BenchProgress.tell("end to end, run \(run + 1)")
            let histogram = try measure(bench)
            for (place, percentile) in [50, 99, 99.9].enumerated() {
                percentiles[place].append(Double(histogram.valueAtPercentile(percentile)) / 1000)
            }
        }
        let what =
            "\(Self.perSecond) events a second for \(size.latencySeconds) s over the embedded bus: from the event's own time, taken "
            + "just before it is produced, to the driver's answer; captured echoes of the application flow back at the same time"
        return [
            BenchRow(name: "end to end, p50", what: what, values: percentiles[0], unit: "ms"),
            BenchRow(name: "end to end, p99", what: what, values: percentiles[1], unit: "ms", target: .atMost(100)),
            BenchRow(name: "end to end, p99.9", what: what, values: percentiles[2], unit: "ms"),
        ]
    }

    private func measure(_ bench: BenchHub) throws -> Histogram<UInt64> {
        let histogram = Mutex(Histogram<UInt64>(highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: .three))
        let delays = DelayLog()
        bench.driver.observe { delivery in
            guard let text = delivery.fields["phone"]?.text, let sent = Int64(text) else { return }
            delays.note(max(0, Self.now() - sent))
        }
        defer { bench.driver.observe(nil) }
        let count = Self.perSecond * size.latencySeconds
        let start = ContinuousClock.now
        for number in 0..<count {
            let due = start + .microseconds(number * 1_000_000 / Self.perSecond)
            let early = due - .now
            if early > .zero { Thread.sleep(forTimeInterval: early.inSeconds) }
            let record = try bench.event(number % Self.customers, phone: "\(Self.now())")
            try bench.producer.submit([record], deadline: .now + .seconds(10)) { _ in }
        }
        try bench.wait("\(count) deliveries") { delays.count >= count }
        for delay in delays.all { histogram.withLock { _ = $0.record(UInt64(delay)) } }
        return histogram.withLock { $0 }
    }

    /// Microseconds since 1970.
    private static func now() -> Int64 { Int64(Date.now.timeIntervalSince1970 * 1_000_000) }

    private final class DelayLog: Sendable {
        private let delays = Mutex<[Int64]>([])
        func note(_ delay: Int64) { delays.withLock { $0.append(delay) } }
        var count: Int { delays.withLock { $0.count } }
        var all: [Int64] { delays.withLock { $0 } }
    }
}
