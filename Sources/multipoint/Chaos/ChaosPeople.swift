import Foundation
import HubModel
import HubScenario
import HubSimulation
import ReferenceApplication
import Synchronization

/// The people of both applications and whatever goes wrong in these, in a process of their own: until `stop` comes on standard input.
struct ChaosPeople {
    var folder: String
    var seed: UInt64
    var rate: Double
    var hasFaults: Bool

    private final class Told: Sendable {
        let stops = Atomic<Bool>(false)
    }

    func run() async throws {
        let scenario = try Scenario(opening: folder)
        defer { scenario.close() }
        var people = People(scenario, seed: seed)
        var diary = ChaosDiary(folder: folder, seed: seed &+ 77)
        var random = SeededRandom(seed: seed &+ 99)
        let told = Told()
        let listener = Thread {
            while let line = readLine(), line != "stop" {}
            told.stops.store(true, ordering: .relaxed)
        }
        listener.start()
        Output.line("ready")
        let start = ContinuousClock.now
        var number = 0.0
        var faultsDue = ContinuousClock.now
        var faults = 0
        while !told.stops.load(ordering: .relaxed) {
            if hasFaults, .now >= faultsDue {
                try await plan(&random, scenario)
                faults += 1
                faultsDue = .now + .milliseconds(1500 + random.below(4000))
            }
            if random.below(5) == 0 { try await diary.edit(scenario) } else { try await people.act() }
            try await scenario.completeLateCalls()
            number += 1
            let due = start + .seconds(number / rate)
            while .now < due, !told.stops.load(ordering: .relaxed) {
                try await Task.sleep(for: min(.milliseconds(50), ContinuousClock.now.duration(to: due)))
                try await scenario.completeLateCalls()
            }
        }
        for file in scenario.files.values { try await file.setFaults(nil) }
        try await scenario.completeLateCalls()
        let edits = ChaosDiary.entries(folder: folder).count
        Output.json(
            .object([
                "acts": .number(Number(Int64(people.tally.total + edits))), "noted": .number(Number(Int64(edits))),
                "refused": .number(Number(Int64(people.tally.refused.values.reduce(0, +)))), "faultPlans": .number(Number(Int64(faults))),
                "done": .object(Fields(people.tally.done.map { ($0.key.rawValue, .number(Number(Int64($0.value)))) })),
            ]))
    }

    /// Other faults in one of the applications, an outage now and then; peace as well.
    private func plan(_ random: inout SeededRandom, _ scenario: Scenario) async throws {
        // An outage lasts until the next plan, whichever application that is for.
        for file in scenario.files.values { try await file.setOutage(false) }
        let application = random.pick([Scenario.crmID, Scenario.erpID])
        guard let file = scenario.files[application] else { return }
        switch random.below(10) {
        case 0: try await file.setFaults(nil)
        case 1...2: try await file.setOutage(true)
        default:
            func part(_ most: Double) -> Double { random.below(2) == 0 ? 0 : random.unit() * most }
            try await file.setFaults(
                FaultPlan(
                    seed: random.next(), failure: part(0.15), unreachable: part(0.15), lostAnswer: part(0.2), late: part(0.2),
                    latency: .milliseconds(random.below(40))))
        }
    }
}
