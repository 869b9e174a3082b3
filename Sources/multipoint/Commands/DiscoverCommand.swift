import ArgumentParser
import HubConfiguration
import HubDriver
import HubModel
import HubStore

/// `multipoint discover APP`
struct DiscoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discover",
        abstract: "Looks at what an application holds and compares it with its mappings.",
        discussion: """
            Names mapped fields that vanished or changed their kind, codes, rights and functions that are missing, and what creates will \
            be refused without; fields that no mapping uses come as lines ready to paste into it. A running hub looks too: what has been \
            mended goes on.

              multipoint discover erp
              multipoint discover erp --type partner --json

            Exits with 1 where something is not as the mappings expect.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Argument(help: "The application's name in the configuration.")
    var application: String

    @Option(help: "Only this native type.")
    var type: String?

    @Flag(help: "The result as one JSON object.")
    var json = false

    @Option(help: "Seconds to wait for the application.")
    var timeout = 60

    @OptionGroup var logging: LoggingOptions

    func run() async throws {
        logging.setUp()
        let loaded = try options.load()
        let (id, limit) = (ApplicationID(application), Duration.seconds(timeout))
        let outcome: Result<DiscoveryReport, CommandFailure>
        do throws(CommandFailure) {
            outcome = .success(try await DiscoveryReport.make(loaded, id, only: type, timeout: limit))
        } catch {
            outcome = .failure(error)
        }
        await loaded.closeDrivers()
        var report = try outcome.get()
        report.hub = try await StoreAccess.askHubIfAny(.discover(id), loaded)
        if json { Output.json(report.value) } else { for line in report.lines { Output.line(line) } }
        if !report.isWell { throw ExitCode.notWell }
    }
}
