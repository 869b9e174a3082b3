import ArgumentParser
import Foundation
import HubModel
import HubRules
import HubSimulation

/// `multipoint simulate`
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Drives the hub's decisions through seeded interleavings and checks the invariants.",
        discussion: """
            Simulated applications, broker, clock, people, crashes between any two steps, time-outs that take effect later, repeated events \
            and takeovers; the decisions are the product's own. A failing seed prints its shortest trace.

              multipoint simulate --seeds 2000
              multipoint simulate --seeds 100000 --first 1 --jobs 2
              multipoint simulate --hubs 2 --skew
              multipoint simulate --all-planted          each planted mistake has to be found
            """, shouldDisplay: false)

    @Option(help: "How many seeds.")
    var seeds: UInt64 = 2000

    @Option(help: "The first seed.")
    var first: UInt64 = 0

    @Option(help: "Steps with people and faults, before everything drains.")
    var steps = 300

    @Option(help: "More than one: assignments and the outbox are taken over now and then.")
    var hubs = 1

    @Flag(help: "The applications' clocks are off.")
    var skew = false

    @Flag(help: "Reads tell values only, no change stamp: the window that such applications leave may show.")
    var noStamp = false

    @Option(help: "Plant this mistake in the decisions.", transform: planted)
    var plant: PlantedFault?

    @Flag(help: "Plant each mistake in turn and say how many seeds find it.")
    var allPlanted = false

    @Option(help: "Threads.")
    var jobs = 2

    @Flag(help: "Print one JSON object.")
    var json = false

    private static func planted(_ name: String) throws -> PlantedFault {
        guard let fault = PlantedFault(rawValue: name) else {
            throw ValidationError("\(name) is none of \(PlantedFault.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return fault
    }

    func validate() throws {
        guard seeds > 0, steps > 0, hubs > 0, (1...64).contains(jobs) else { throw ValidationError("numbers have to be positive") }
    }

    func run() async throws {
        let command = self
        try await Blocking.run { () throws(CommandFailure) in
            if command.allPlanted { try command.findPlanted() } else { try command.explore() }
        }
    }

    private var options: SimulationOptions {
        var options = SimulationOptions()
        options.steps = steps
        options.hubs = hubs
        options.isSkewed = skew
        options.hasStamp = !noStamp
        options.planted = plant
        return options
    }

    private func explore() throws(CommandFailure) {
        let start = ContinuousClock.now
        let explorer = Explorer(options: options, threads: jobs)
        let total = seeds
        let showsProgress = isatty(2) == 1
        let report = explorer.explore(first..<first + seeds) { done in
            if showsProgress { FileHandle.standardError.write(Data("\r\(done) of \(total) seeds".utf8)) }
        }
        if showsProgress { FileHandle.standardError.write(Data("\r".utf8)) }
        let seconds = ContinuousClock.now - start
        let count = report.found.values.reduce(0, +)
        if json {
            Output.json(
                .object([
                    "seeds": .number(Number(Int64(report.seeds))), "first": .number(Number(Int64(first))),
                    "steps": .number(Number(report.steps)), "violations": .number(Number(Int64(count))),
                    "milliseconds": .number(Number(seconds.milliseconds)),
                ]))
        } else {
            let ratio = report.versions == 0 ? 0 : report.writes * 100 / report.versions
            Output.line(
                "\(report.seeds) seeds from \(first), \(report.steps) steps, \(ratio) writes per 100 golden versions, \(count) violations, \(seconds.milliseconds / 1000) s"
            )
        }
        guard let finding = report.first else { return }
        let shortest = explorer.shrink(finding.seed..<finding.seed + max(1, min(seeds, 2000))) ?? finding
        for line in shortest.trace { Output.line(line) }
        throw CommandFailure(.notWell, "seed \(shortest.seed) --steps \(shortest.steps): \(shortest.violation)")
    }

    private func findPlanted() throws(CommandFailure) {
        var missed: [String] = []
        for fault in PlantedFault.allCases {
            var options = options
            options.planted = fault
            if fault == .noEpoch { options.hubs = 2 }
            let report = Explorer(options: options, threads: jobs).explore(first..<first + seeds)
            let count = report.found.values.reduce(0, +)
            Output.line(
                "\(fault.rawValue): found by \(count) of \(seeds) seeds; \(report.first.map { "seed \($0.seed): \($0.violation)" } ?? "")")
            if count == 0 { missed.append(fault.rawValue) }
        }
        guard missed.isEmpty else { throw CommandFailure(.notWell, "not found: \(missed.joined(separator: ", "))") }
    }
}
