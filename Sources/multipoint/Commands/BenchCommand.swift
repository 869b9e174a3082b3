import ArgumentParser
import Foundation
import HubModel
import Logging

/// `multipoint bench`
struct BenchCommand: AsyncParsableCommand {
    enum Measurement: String, CaseIterable {
        case codec, mediation, delivery, consumer, latency, postgres, capture, rest, tryton, odoo, memory
    }

    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures this build on this machine, beside yardsticks measured in the same run.",
        discussion: """
            Each figure is the median of the runs, each ratio the median of the runs' own ratios.

              multipoint bench                          everything; some minutes
              multipoint bench --only codec,mediation
              multipoint bench --quick --runs 3

            rest, tryton and odoo tell the rate of updates through the driver beside bare clients, and the processor time of each. rest \
            measures against a stand-in that always runs; tryton and odoo, postgres and capture need a server (scripts/apps starts one \
            and prints the variables that name it) and say so where there is none.

            Measurements: \(Measurement.allCases.map(\.rawValue).joined(separator: ", ")). Exit code 1 where a target is missed.
            """, shouldDisplay: false)

    @Option(help: "Runs of each measurement; memory is measured once.")
    var runs = 5

    @Option(help: "Measurements, with commas between.", transform: measurements)
    var only: [Measurement]?

    @Flag(help: "One JSON object per line.")
    var json = false

    @Flag(help: "Smaller sizes.")
    var quick = false

    /// Internal: be the hub whose memory is measured, on the bus at that address.
    @Option(help: .hidden)
    var hub: String?

    /// Internal: be the application that the driver `rest` is measured with.
    @Flag(help: .hidden)
    var standIn = false

    private static func measurements(_ text: String) throws -> [Measurement] {
        try text.split(separator: ",").map { name in
            guard let measurement = Measurement(rawValue: String(name)) else {
                throw ValidationError("\(name) is none of \(Measurement.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return measurement
        }
    }

    func validate() throws {
        guard (1...100).contains(runs) else { throw ValidationError("--runs has to be from 1 to 100") }
    }

    func run() async throws {
        LoggingSystem.bootstrap { label in StandardErrorLog(label: label, level: .error, isJSON: false) }
        let command = self
        let interruption = hub == nil ? nil : Interruption()
        try await Blocking.run { () throws(CommandFailure) in
            do {
                if let address = command.hub, let interruption {
                    try MemoryBench.runHub(address, interruption)
                } else if command.standIn {
                    StandInService.runProcess()
                } else {
                    try command.measure()
                }
            } catch let failure as CommandFailure {
                throw failure
            } catch {
                BenchProgress.done()
                throw CommandFailure(.unreachable, "\(error)")
            }
        }
    }

    private func measure() throws {
        let size = BenchSize(runs: runs, isQuick: quick)
        var rows: [BenchRow] = []
        for measurement in Measurement.allCases where only?.contains(measurement) ?? true {
            let made =
                switch measurement {
                case .codec: try CodecBench(size: size).rows()
                case .mediation: try MediationBench(size: size).rows()
                case .delivery: try DeliveryBench(size: size).rows()
                case .consumer: try ConsumerBench(size: size).rows()
                case .latency: try LatencyBench(size: size).rows()
                // Only where there is a server, or where it was asked for.
                case .postgres: only == nil && PostgresBench.connection == nil ? [] : try PostgresBench(size: size).rows()
                case .rest: try RESTBench(size: size).rows()
                case .odoo: try MeasuredOdoo().map { try ApplicationBench(size: size, application: $0).rows() } ?? []
                case .tryton: try MeasuredTryton().map { try ApplicationBench(size: size, application: $0).rows() } ?? []
                case .capture: only == nil && PostgresBench.connection == nil ? [] : try CaptureBench(size: size).rows()
                case .memory: try MemoryBench(size: size).rows()
                }
            BenchProgress.done()
            if json { for row in made { Output.json(row.json) } }
            rows += made
        }
        if !json { print(rows) }
        let missed = rows.filter { $0.isMet == false }.map(\.name)
        guard missed.isEmpty else { throw CommandFailure(.notWell, "missed: \(missed.joined(separator: ", "))") }
    }

    private func print(_ rows: [BenchRow]) {
        let table = Table(["MEASUREMENT", "VALUE", "BASELINE", "RATIO", "TARGET", "MET?"], rows.map(\.cells))
        table.lines.forEach(Output.line)
        Output.line("")
        Output.line("Medians of \(runs) runs, smallest and largest in brackets.")
        var told: Set<String> = []
        for row in rows where told.insert(row.what).inserted { Output.line("\(row.name): \(row.what).") }
    }
}
