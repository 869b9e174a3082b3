import ArgumentParser
import HubConfiguration
import HubDriver
import HubModel

/// `multipoint driver …`
struct DriverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "driver", abstract: "For those who write drivers: begins one, tests it, and tells what it knows of its application.",
        subcommands: [New.self, Test.self, Describe.self])

    /// `multipoint driver describe NAME`
    struct Describe: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints a driver's manifest: what its application holds, allows and leaves open.",
            discussion: """
                NAME is a driver, made with the settings given, or, with --config, an application of that configuration. No application is \
                reached; the process of the driver `process` is started.

                  multipoint driver describe reference-erp --set file=/tmp/erp.db
                  multipoint driver describe process --set folder=drivers/shop --set url=http://127.0.0.1:8085
                  multipoint driver describe --config hub.yaml erp --json
                """)

        @OptionGroup var choice: DriverChoice
        @OptionGroup var logging: LoggingOptions

        @Flag(help: "The manifest as one JSON object.")
        var json = false

        func run() async throws {
            logging.setUp()
            let chosen = try await choice.chosen(needsSecrets: false)
            let driver = try chosen.make()
            let description = ManifestDescription(
                chosen.limited ?? driver.manifest, settings: chosen.factory.settings, driver: driver)
            await driver.close()
            if json { Output.json(description.value) } else { for line in description.lines { Output.line(line) } }
        }
    }
}
