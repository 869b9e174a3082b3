import ArgumentParser
import Foundation
import HubConfiguration
import HubModel
import Logging

/// `multipoint demo-real`
struct RealDemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo-real",
        abstract: "Shows Odoo and Tryton at work together, with a hub between them in this process.",
        discussion: """
            People act in one application and look at the other, through the applications' own interfaces: a company, a price, an order \
            that is shipped in two parts, invoiced and paid, an order that is refused, and one customer edited on both sides at once. \
            Every step says what it did and saw.

            The configuration names the applications odoo and tryton; drivers/examples/real has one. The applications must be for trying \
            things out: the documents that are made stay there. scripts/demo-real starts both, and removes them again.

              multipoint demo-real --config hub.yaml

            The exit code is 0 only if every step has passed.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Print one JSON object at the end, and what happens to standard error.")
    var json = false

    @OptionGroup var logging: LoggingOptions

    func run() async throws {
        var logging = logging
        if logging.logLevel == nil, ProcessInfo.processInfo.environment["MULTIPOINT_LOG"] == nil { logging.logLevel = .error }
        logging.setUp()
        let configuration = try options.load()
        let say = json ? Output.note : Output.line
        let report: RealDemoReport
        do {
            report = try await RealDemo.run(configuration, say: say)
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(.notWell, "the demonstration broke off: \(error)")
        }
        if json { Output.json(report.value) } else { report.lines.forEach(Output.line) }
        guard report.isWell else { throw CommandFailure(.notWell, "\(report.steps.count - report.passed) steps have failed") }
    }
}
