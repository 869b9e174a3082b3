import Foundation
import Histogram
import HubBus
import HubConfiguration
import HubModel
import HubRuntime
import HubScenario
import HubStore
import Synchronization

/// One demonstration, from an empty folder to the comparison.
struct DemoRun {
    private let scenario: Scenario
    private let configuration: Configuration
    private let hub: RunningHub
    private let bus: BusConfiguration
    private let latencies: Latencies
    private let progress: DemoProgress
    private let admin: BusAdmin
    private var crew: any DemoCrew
    private let events: Int
    private let seed: UInt64
    private var peaks: [String: Int64] = [:]
    private var broken = 0
    private var outage: Duration = .zero

    /// How long a delivery took, by application; called from the hub's threads.
    final class Latencies: Sendable {
        private let histograms = Mutex<[ApplicationID: Histogram<UInt64>]>([:])

        func note(_ application: ApplicationID, _ duration: Duration) {
            histograms.withLock { histograms in
                var histogram =
                    histograms[application] ?? Histogram<UInt64>(highestTrackableValue: 3_600_000, numberOfSignificantValueDigits: .three)
                histogram.record(UInt64(max(0, duration.milliseconds)))
                histograms[application] = histogram
            }
        }

        func reset() { histograms.withLock { $0 = [:] } }

        var all: [ApplicationID: Histogram<UInt64>] { histograms.withLock { $0 } }
    }

    /// Most records that may wait to be mediated before people pause: the embedded bus keeps only so much.
    private static let backlog: Int64 = 4000
    /// The part of all acts that happen while the ERP is down.
    private static let outagePart = 0.12

    /// - Parameter swap: a Tryton in the place of the reference ERP.
    static func run(
        in folder: String, events: Int, seed: UInt64, store: String = "hub.db", swap: TrytonSwap? = nil
    ) async throws -> DemoReport {
        let progress = DemoProgress()
        defer { progress.end() }
        progress.show("starting")
        var layout = Scenario.Layout(store: store)
        swap?.apply(to: &layout)
        let scenario = try Scenario(in: folder, layout: layout)
        let configuration = try load(scenario, swap?.environment ?? [:])
        let (crew, used) = try await Self.crew(scenario, swap, seed: seed)
        let latencies = Latencies()
        var runtimeEvents = RuntimeEvents()
        runtimeEvents.delivered = { latencies.note($0, $1) }
        let hosted = try await HostedHub.start(
            configuration, events: runtimeEvents, prepare: CanonicalGeneration.raise(past: used))
        let report: Result<DemoReport, any Error>
        do {
            let admin = try BusAdmin(hosted.bus)
            var run = DemoRun(
                scenario: scenario, configuration: configuration, hub: hosted.hub, bus: hosted.bus, latencies: latencies,
                progress: progress, admin: admin, crew: crew, events: events, seed: seed)
            report = await run.performed()
            await Blocking.run { admin.close() }
        } catch {
            report = .failure(error)
        }
        progress.show("stopping")
        await crew.close()
        await hosted.stop()
        await Blocking.run { scenario.close() }
        return try report.get()
    }

    /// Who acts, and the generation of ids that a hub has left in the ERP before.
    private static func crew(_ scenario: Scenario, _ swap: TrytonSwap?, seed: UInt64) async throws -> (any DemoCrew, Int) {
        guard let swap else { return (ReferenceCrew(scenario, seed: seed), 0) }
        let tryton = try await TrytonPerson(swap.settings)
        let used = try await tryton.lastGeneration()
        return (TrytonCrew(scenario, swap, tryton, run: "\(used + 1)", seed: seed), used)
    }

    private static func load(_ scenario: Scenario, _ environment: [String: String]) throws -> Configuration {
        do throws(ConfigurationMistakes) {
            return try Configuration.load(
                scenario.configurationFile, catalog: DriverCatalog.all, environment: environment,
                busCheck: ConfigurationOptions.check)
        } catch {
            throw CommandFailure(.wrong, error.description)
        }
    }

    private mutating func performed() async -> Result<DemoReport, any Error> {
        do { return .success(try await perform()) } catch { return .failure(error) }
    }

    private mutating func perform() async throws -> DemoReport {
        // Consumer groups take some seconds to form: what comes now is not to be measured.
        progress.show("starting")
        try await crew.begin()
        try await settle("starting", within: .seconds(60))
        latencies.reset()
        let start = ContinuousClock.now
        progress.show("products and customers")
        try await crew.seed(events: events, seed: seed)
        try await settle("products and customers", within: .seconds(120))
        try await work("people at work", until: events * 45 / 100)
        try await publishBroken()
        try await breakDown()
        try await work("people at work", until: events)
        var settlement = try await settle("letting it come to rest", within: .seconds(60))
        let elapsed = ContinuousClock.now - start
        var comparison = try await compared()
        // A real ERP goes on by itself: what its own queue changes meanwhile has to be told first.
        let end = ContinuousClock.now + crew.afterwork
        while !comparison.unexplained.isEmpty, .now < end {
            settlement = try await settle("letting the ERP finish", within: .seconds(60))
            comparison = try await compared()
        }
        let (configuration, bus) = (configuration, bus)
        let reading = try await onThread { try BusReading.read(configuration, bus: bus, group: "\(configuration.hub).demo") }
        let lags = try await lags()
        return DemoReport(
            events: events, seed: seed, elapsed: elapsed, outage: outage, tally: crew.tally, settlement: settlement,
            comparison: comparison,
            reading: reading, lags: lags, peaks: peaks, latencies: latencies.all, broken: broken, failure: hub.failed.map { "\($0)" })
    }

    private func compared() async throws -> Comparison {
        progress.show("comparing")
        let (scenario, configuration, bus, store) = (scenario, configuration, bus, hub.store)
        let others = try await crew.documents(configuration)
        return try await onThread { try Comparison.make(scenario, configuration, store: .held(store), bus: bus, others: others) }
    }

    // MARK: Phases

    /// Lets people act until so many changes have been made.
    private mutating func work(_ phase: String, until count: Int) async throws {
        var untilLook = 0
        while crew.tally.total < count {
            try await crew.act()
            untilLook -= 1
            if untilLook < 0 {
                untilLook = 100
                progress.show(phase, Double(crew.tally.total) / Double(events), "\(crew.tally.total) of \(events) changes")
                try await scenario.completeLateCalls()
                try await holdBack()
            }
        }
    }

    /// People pause while the bus holds too much that has not been mediated.
    private mutating func holdBack() async throws {
        while true {
            if let failure = hub.failed { throw CommandFailure(.notWell, failure.description) }
            let lags = try await lags()
            for (group, lag) in lags { peaks[group] = max(peaks[group] ?? 0, lag) }
            guard lags.first?.lag ?? 0 > Self.backlog else { return }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// The ERP cannot be reached for a while, and people go on.
    private mutating func breakDown() async throws {
        let start = ContinuousClock.now
        try await crew.setOutage(true)
        try await work("the ERP is down", until: Int(Double(events) * (0.45 + Self.outagePart)))
        // Long enough for the hub to notice, however few the events.
        let rest = ContinuousClock.now - start
        if rest < .seconds(2) { try await Task.sleep(for: .seconds(2) - rest) }
        try await crew.setOutage(false)
        outage = ContinuousClock.now - start
    }

    private mutating func publishBroken() async throws {
        let records = BrokenRecords.make(topics: configuration.application(Scenario.crmID)?.topics ?? [:])
        broken = records.count
        let bus = bus
        try await onThread {
            let producer = try BusProducer(bus)
            defer { producer.close() }
            try producer.produce(records, deadline: .now + .seconds(20))
        }
    }

    @discardableResult
    private func settle(_ phase: String, within limit: Duration) async throws -> Settlement {
        let (progress, hub) = (progress, hub)
        let settlement = try await Settlement.wait(
            scenario, configuration, store: .held(hub.store), bus: bus, within: limit * crew.patience, calm: crew.calm,
            looked: { moving in progress.show(phase, nil, moving.first ?? "") })
        if let failure = hub.failed { throw CommandFailure(.notWell, failure.description) }
        return settlement
    }

    /// Records not yet worked, by group, mediation first.
    private func lags() async throws -> [(group: String, lag: Int64)] {
        let (admin, hub) = (admin, hub)
        return try await onThread {
            try hub.groups.map { group, topics in
                (group, try admin.lag(group: group, topics: topics, deadline: .now + .seconds(20)).reduce(0) { $0 + $1.lag })
            }
        }
    }
}
