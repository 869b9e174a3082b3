import ArgumentParser
import Foundation
import HubModel

/// `multipoint chaos`
struct ChaosCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract: "Kills a working hub again and again and checks that nothing was lost, doubled or taken back.",
        discussion: """
            A bus, the people of both reference applications and the hub run as processes of their own. The hub is killed (SIGKILL) at \
            random moments while people work on both sides, and while requests to the bus fail, its brokers go down, and the applications \
            time out, answer late or refuse. In the end everything comes to rest and is compared: every accepted quote is one order or \
            refused with the reason, every field agrees, every event and delivery has its one end, nothing lags.

              multipoint chaos                              200 kills, about 25 minutes
              multipoint chaos --kills 20 --seed 7
              multipoint chaos --kills 2 --plant doubled-order     the checks have to find it
              multipoint chaos fuzz --seconds 20 --seed 1          damaged records, no hub

            Exit codes: 0 all is well; 1 something was found.
            """, shouldDisplay: false, subcommands: [Kill.self, People.self, Fuzz.self], defaultSubcommand: Kill.self)

    /// `multipoint chaos`, without more words.
    struct Kill: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "kill", abstract: "The trial itself; what chaos does unless told otherwise.")

        @Option(help: "How often the hub is killed.")
        var kills = 200

        @Option(help: "The same seed draws the same acts, faults and moments.")
        var seed: UInt64 = .random(in: 1...1_000_000)

        @Option(help: "People's acts per second. The bus keeps 5 MB per partition: more acts than that are reported as a finding.")
        var rate = 5.0

        @Option(help: "Partitions of every topic.")
        var partitions = 4

        @Flag(help: "Only kills: nothing goes wrong on the bus or in the applications.")
        var noFaults = false

        @Option(
            help: "Plant a mistake at the end: \(ChaosPlant.allCases.map(\.rawValue).joined(separator: ", ")).",
            transform: { text in
                guard let plant = ChaosPlant(rawValue: text) else {
                    throw ValidationError("\(text) is none of \(ChaosPlant.allCases.map(\.rawValue).joined(separator: ", "))")
                }
                return plant
            })
        var plant: ChaosPlant?

        @Option(help: "Work in this folder and keep it.", completion: .directory)
        var keep: String?

        @Flag(help: "Print one JSON object.")
        var json = false

        @OptionGroup var logging: LoggingOptions

        func validate() throws {
            guard (0...10_000).contains(kills) else { throw ValidationError("--kills has to be from 0 to 10000") }
            guard rate > 0, rate <= 1000 else { throw ValidationError("--rate has to be above 0 and at most 1000") }
            guard (1...100).contains(partitions) else { throw ValidationError("--partitions has to be from 1 to 100") }
        }

        func run() async throws {
            logging.setUp()
            // A child that is gone must not take this process along.
            signal(SIGPIPE, SIG_IGN)
            let folder =
                keep ?? FileManager.default.temporaryDirectory.path + "/multipoint-chaos-\(ProcessInfo.processInfo.processIdentifier)"
            let place = URL(fileURLWithPath: folder).standardizedFileURL.path
            if FileManager.default.fileExists(atPath: place + "/hub.yaml") {
                throw CommandFailure(.wrong, "\(place) holds an earlier trial")
            }
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            var options = ChaosRun.Options()
            options.kills = kills
            options.seed = seed
            options.rate = rate
            options.partitions = partitions
            options.hasFaults = !noFaults
            options.planted = plant
            let line = ProgressLine(seed: seed)
            options.progress = { line.show($0) }
            let report: ChaosReport
            do {
                report = try await ChaosRun(options, folder: place, interruption: Interruption()).run()
            } catch {
                line.clear()
                Output.note("seed \(seed), files in \(place)")
                throw error
            }
            line.clear()
            if json { Output.json(report.value) } else { for text in report.lines { Output.line(text) } }
            if report.isWell {
                if keep == nil { try? FileManager.default.removeItem(atPath: place) }
                return
            }
            throw CommandFailure(.notWell, "seed \(seed): \(report.problems.count) findings; files and logs in \(place)")
        }
    }

    /// `multipoint chaos people`
    struct People: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "people", abstract: "The people of a scenario, until `stop` comes on standard input.", shouldDisplay: false)

        @Argument var folder: String
        @Option var seed: UInt64 = 1
        @Option var rate = 5.0
        @Flag var noFaults = false

        func run() async throws {
            try await ChaosPeople(folder: folder, seed: seed, rate: rate, hasFaults: !noFaults).run()
        }
    }

    /// `multipoint chaos fuzz`
    struct Fuzz: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "fuzz",
            abstract: "Throws damaged records at the JSON reader, the envelopes, the mappings and mediation's first half.")

        @Option(help: "How long.")
        var seconds = 20.0

        @Option(help: "The same seed makes the same damages.")
        var seed: UInt64 = .random(in: 1...1_000_000)

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() async throws {
            let (seconds, seed) = (seconds, seed)
            let report = try await Blocking.run { () throws(any Error) in
                var fuzz = ChaosFuzz(seed: seed)
                return try fuzz.run(for: .seconds(seconds))
            }
            if json { Output.json(report.value) } else { Output.line(report.line) }
            if let finding = report.finding { throw CommandFailure(.notWell, "seed \(seed): \(finding)") }
        }
    }
}

/// What is going on, on one line of a terminal.
private final class ProgressLine {
    private let isShown = isatty(2) == 1
    private let start = ContinuousClock.now
    private let seed: UInt64
    private var last = ContinuousClock.now

    init(seed: UInt64) { self.seed = seed }

    func show(_ text: String) {
        guard isShown, .now - last > .milliseconds(200) else { return }
        last = .now
        FileHandle.standardError.write(Data("\r\u{1B}[Kchaos, seed \(seed): \(text), \((last - start).milliseconds / 1000) s".utf8))
    }

    func clear() {
        if isShown { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
    }
}
