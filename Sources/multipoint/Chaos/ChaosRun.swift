import ArgumentParser
import Foundation
import HubBus
import HubCodec
import HubConfiguration
import HubModel
import HubRules
import HubScenario
import HubSimulation
import HubStore

/// One trial: bus, people and hub as processes of their own; the hub killed again and again; then rest, and the checks.
final class ChaosRun {
    struct Options {
        var kills = 200
        var seed: UInt64 = 1
        /// People's acts per second.
        var rate = 5.0
        var partitions = 4
        var hasFaults = true
        var planted: ChaosPlant?
        var products = 30
        var customers = 60
        /// Called with what is going on, often.
        var progress: (String) -> Void = { _ in }
    }

    private let options: Options
    private let folder: String
    private let interruption: Interruption
    private var schedule: ChaosSchedule
    private(set) var report: ChaosReport
    private var bus: ChildProcess?
    private var people: ChildProcess?
    private var hub: ChildProcess?
    private var hubStarted = ContinuousClock.now
    private var faultDue = ContinuousClock.now
    private var faultEnd: (time: ContinuousClock.Instant, lines: [String])?
    private var hasPeace = true
    private var topics: [String] = []

    /// What the hub has done, as its store tells.
    private struct Work: Equatable {
        var read: Int64 = 0
        var ended = 0
    }

    init(_ options: Options, folder: String, interruption: Interruption) {
        self.options = options
        self.folder = folder
        self.interruption = interruption
        schedule = ChaosSchedule(seed: options.seed)
        report = ChaosReport(seed: options.seed)
    }

    /// Carries the trial out. Whatever happens, no process is left behind.
    func run() async throws -> ChaosReport {
        let start = ContinuousClock.now
        defer { for child in [hub, people, bus] { child?.end() } }
        let address = try await startBus()
        let layout = Scenario.Layout(bootstrap: address, partitions: options.partitions)
        let scenario = try Scenario(in: folder, layout: layout)
        defer { scenario.close() }
        try setBus(address)
        try await scenario.seed(products: options.products, customers: options.customers, seed: options.seed)
        let configuration = try load(scenario)
        topics = configuration.applications.flatMap(\.inboundTopics)
        let plan = configuration.plan()
        // The bus refuses to create topics by request, and leaves whoever asks waiting.
        let all = topics + plan.entities.keys.map { plan.canonicalTopic($0) } + [plan.outcomesTopic]
        try await order(all.sorted().map { "topic \($0) \(options.partitions)" })
        try await startPeople()
        hasPeace = !options.hasFaults
        do {
            for number in 0..<options.kills {
                try startHub()
                try await killHub(after: schedule.nextKill(), number, configuration)
            }
            try await stopPeople()
            try await makePeace()
            if let planted = options.planted {
                try await settle(scenario, configuration)
                if try await planted.prepare(scenario) { try await settle(scenario, configuration) }
                if !report.isWell { return report }
                try await planted.plant(scenario, folder: folder)
            }
            try await settle(scenario, configuration)
            try await check(scenario, configuration)
        } catch let finding as Finding {
            report.problems.append(finding.text)
        }
        report.elapsed = ContinuousClock.now - start
        return report
    }

    /// Why a trial cannot go on: the hub did what it never should.
    private struct Finding: Error {
        var text: String
    }

    // MARK: Processes

    private func startBus() async throws -> String {
        let bus = try ChildProcess(
            "bus", ["bus", "--partitions", "\(options.partitions)"], folder: folder, log: folder + "/bus.log", speaks: true)
        self.bus = bus
        guard let address = try await bus.line(within: .seconds(20)) else {
            throw CommandFailure(.unreachable, "the bus did not start: see \(folder)/bus.log")
        }
        return address
    }

    /// The hub's way to the bus, with patience short enough for many kills: a member that was killed is missed after four seconds.
    private func setBus(_ address: String) throws {
        let path = folder + "/hub.yaml"
        let text = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let properties = [
            ("bootstrap.servers", address), ("session.timeout.ms", "4000"), ("heartbeat.interval.ms", "100"), ("fetch.wait.max.ms", "10"),
            ("fetch.error.backoff.ms", "50"), ("reconnect.backoff.ms", "50"), ("reconnect.backoff.max.ms", "500"),
            ("retry.backoff.ms", "20"),
            ("topic.metadata.refresh.fast.interval.ms", "50"),
        ]
        let line =
            "bus: { " + (properties.map { "\($0.0): \"\($0.1)\"" } + ["partitions: \(options.partitions)"]).joined(separator: ", ") + " }"
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.hasPrefix("bus:") ? line : String($0) }
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
    }

    private func load(_ scenario: Scenario) throws -> Configuration {
        do throws(ConfigurationMistakes) {
            return try Configuration.load(
                scenario.configurationFile, catalog: DriverCatalog.all, environment: [:], busCheck: ConfigurationOptions.check)
        } catch {
            throw CommandFailure(.wrong, error.description)
        }
    }

    private func startPeople() async throws {
        var arguments = ["chaos", "people", folder, "--seed", "\(options.seed)", "--rate", "\(options.rate)"]
        if !options.hasFaults { arguments.append("--no-faults") }
        let people = try ChildProcess("people", arguments, folder: folder, log: folder + "/people.log", speaks: true)
        self.people = people
        guard try await people.line(within: .seconds(20)) == "ready" else {
            throw CommandFailure(.unreachable, "the people did not start: see \(folder)/people.log")
        }
    }

    private func stopPeople() async throws {
        guard let people else { return }
        people.tell("stop")
        guard let line = try await people.line(within: .seconds(30)), try await people.ending(within: .seconds(10)) == 0 else {
            throw Finding(text: "the people did not end as they should: see \(folder)/people.log")
        }
        if case .object(let told)? = try? JSONDocument.parse(line).value { report.people = told }
        self.people = nil
    }

    private func startHub() throws {
        hub = try ChildProcess("hub", ["run", "--config", "hub.yaml"], folder: folder, log: folder + "/hub.log")
        hubStarted = .now
    }

    /// Kills the hub at that moment of its life, at the latest after half a minute.
    private func killHub(after moment: ChaosSchedule.Moment, _ number: Int, _ configuration: Configuration) async throws {
        let title = "kill \(number + 1) of \(options.kills)"
        var due: ContinuousClock.Instant?
        let before = await work(configuration)
        let limit = ContinuousClock.now + .seconds(30)
        if case .start(let delay) = moment { due = hubStarted + delay }
        var nextLook = ContinuousClock.now
        while true {
            try await tick(title)
            try await restartIfEnded()
            if let due, .now >= due { break }
            if due == nil, .now >= nextLook {
                let now = await work(configuration)
                switch moment {
                case .mediation(let delay) where now.read > before.read: due = .now + delay
                case .delivery(let delay) where now.ended > before.ended: due = .now + delay
                default: if .now > limit { due = .now }
                }
                nextLook = .now + .milliseconds(40)
            }
            let rest = due.map { ContinuousClock.now.duration(to: $0) } ?? .milliseconds(15)
            if rest > .zero { try await Task.sleep(for: min(rest, .milliseconds(15))) }
        }
        hub?.end()
        hub = nil
        report.kills[.now > limit ? "stalled" : moment.name, default: 0] += 1
    }

    /// A hub may end by itself where the bus leaves it no other way; it may not crash.
    private func restartIfEnded() async throws {
        guard let ending = hub?.ending else { return }
        guard ending == ExitCode.unreachable.rawValue, options.hasFaults else {
            throw Finding(text: "the hub ended by itself with \(ending): see \(folder)/hub.log")
        }
        report.gaveUp += 1
        try startHub()
    }

    /// What the store tells; nothing where it cannot be read yet.
    private func work(_ configuration: Configuration) async -> Work {
        let plan = configuration.plan()
        let (topics, partitions) = (topics, options.partitions)
        return
            (try? await StoreAccess.read(configuration) { store in
                var work = Work()
                for topic in topics {
                    for partition in 0..<Int32(partitions) {
                        work.read += try store.offset(plan.mediationGroup, TopicPartition(topic, partition)) ?? 0
                    }
                }
                work.ended = try store.outcomeCounts().reduce(0) { $0 + $1.count }
                return work
            }) ?? Work()
    }

    // MARK: What goes on meanwhile

    private func tick(_ title: String) async throws {
        if interruption.hasArrived { throw CommandFailure(.notWell, "interrupted; seed \(options.seed)") }
        if let ending = people?.ending { throw Finding(text: "the people ended by themselves with \(ending): see \(folder)/people.log") }
        if let ending = bus?.ending { throw Finding(text: "the bus ended by itself with \(ending): see \(folder)/bus.log") }
        options.progress(title)
        if let end = faultEnd {
            if .now >= end.time {
                try await order(end.lines)
                faultEnd = nil
                faultDue = .now + schedule.pause()
            }
        } else if !hasPeace, .now >= faultDue {
            let fault = schedule.nextFault()
            try await order(fault.lines)
            report.busFaults[fault.name, default: 0] += 1
            if let length = fault.length { faultEnd = (.now + length, fault.after) }
            faultDue = .now + schedule.pause()
        }
    }

    private func makePeace() async throws {
        hasPeace = true
        faultEnd = nil
        try await order(ChaosSchedule.peace)
    }

    /// Gives the bus its control lines and waits for each answer.
    private func order(_ lines: [String]) async throws {
        for line in lines {
            bus?.tell(line)
            while true {
                guard let answer = try await bus?.line(within: .seconds(15)) else {
                    throw Finding(text: "the bus does not answer to \(line)")
                }
                if answer == "ok" { break }
                if answer.hasPrefix("error:") { throw Finding(text: "the bus answers \(answer) to \(line)") }
            }
        }
    }

    // MARK: The end

    private func settle(_ scenario: Scenario, _ configuration: Configuration) async throws {
        try startHub()
        let progress = options.progress
        progress("until nothing moves")
        let settlement = try await Settlement.wait(
            scenario, configuration, store: .file(configuration.storePath), bus: try configuration.busConfiguration(), within: .seconds(120)
        )
        report.settled = settlement.elapsed
        if let ending = hub?.ending { throw Finding(text: "the hub ended by itself with \(ending): see \(folder)/hub.log") }
        if !settlement.isQuiet {
            report.problems.append("still moving after two minutes: \(settlement.moving.prefix(5).joined(separator: "; "))")
        }
        let begin = ContinuousClock.now
        hub?.signal(SIGTERM)
        let ending = try await hub?.ending(within: .seconds(10))
        report.stopped = ContinuousClock.now - begin
        switch ending {
        case .some(0): break
        case .some(let code): report.problems.append("SIGTERM ended the hub with \(code) instead of 0")
        case nil: report.problems.append("the hub had not ended 10 s after SIGTERM")
        }
        hub?.end()
        hub = nil
    }

    private func check(_ scenario: Scenario, _ configuration: Configuration) async throws {
        options.progress("checks")
        let busConfiguration = try configuration.busConfiguration()
        let folder = folder
        let store = StoreView.file(configuration.storePath)
        let (comparison, topics, diary) = try await Blocking.run { () throws(any Error) in
            (
                try Comparison.make(scenario, configuration, store: store, bus: busConfiguration),
                try ChaosTopics.check(configuration, store, busConfiguration),
                try store.read { try ChaosDiary.check(folder: folder, $0) }
            )
        }
        report.comparison = comparison
        report.records = topics.records
        report.repeated = topics.repeated
        report.noted = diary.documents
        report.problems += comparison.problems + topics.problems + diary.problems
    }
}
