import ArgumentParser
import Foundation
import HubModel
import Logging

/// `multipoint demo`
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Shows everything at work: two applications, people, a bus and a hub in one process, with faults on purpose.",
        discussion: """
            An ERP and a CRM, each with rules of its own, exchange products, customers, orders and invoices over an embedded bus. People \
            work in both, also on the same customer at the same time; records are deleted, orders break rules, broken records arrive, and \
            the ERP cannot be reached for a while. Then everything is compared field by field.

              multipoint demo
              multipoint demo --events 20000 --seed 7
              multipoint demo --store postgresql://hub@127.0.0.1/hub
              multipoint demo --erp tryton --events 120    the same CRM, a real ERP (MULTIPOINT_TRYTON_URL, …_PASSWORD)
              multipoint demo --keep /tmp/demo            then look around: cd /tmp/demo && multipoint links

            The exit code is 0 only if all adds up.
            """)

    @Option(help: "How many changes people make; the hub's own writes come on top (3000; 150 with --erp tryton).")
    var events: Int?

    @Option(help: "The ERP: reference, or tryton, the one that MULTIPOINT_TRYTON_URL names; what is made there stays.")
    var erp = ERP.reference

    enum ERP: String, ExpressibleByArgument { case reference, tryton }

    @Option(help: "What people's choices are drawn from.")
    var seed: UInt64 = 1

    @Option(help: "Lay everything out in this folder and keep it; it must not exist yet.", completion: .directory)
    var keep: String?

    @Option(help: "Where the hub keeps its state: a file in the folder, or postgresql://user@host/database.")
    var store = "hub.db"

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        guard events ?? 1 > 0 else { throw ValidationError("--events has to be at least 1") }
    }

    func run() async throws {
        var logging = logging
        // The outage is planned: what the hub says of it would only disturb.
        if logging.logLevel == nil, ProcessInfo.processInfo.environment["MULTIPOINT_LOG"] == nil { logging.logLevel = .critical }
        logging.setUp()
        let folder = keep ?? NSTemporaryDirectory() + "multipoint-demo-\(UUID().uuidString.prefix(8))"
        guard !FileManager.default.fileExists(atPath: folder) else { throw CommandFailure(.wrong, "\(folder) exists already") }
        defer { if keep == nil { try? FileManager.default.removeItem(atPath: folder) } }
        let report: DemoReport
        do {
            let swap = erp == .tryton ? try TrytonSwap(ProcessInfo.processInfo.environment) : nil
            report = try await DemoRun.run(
                in: folder, events: events ?? (erp == .tryton ? 150 : 3000), seed: seed, store: store, swap: swap)
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(.notWell, "the demonstration broke off: \(error)")
        }
        if json { Output.json(report.value) } else { report.lines.forEach(Output.line) }
        guard report.isWell else { throw CommandFailure(.notWell, "\(report.problems.count) things do not add up") }
    }
}
