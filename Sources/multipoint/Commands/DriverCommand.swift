import ArgumentParser
import HubConfiguration
import HubDriver
import HubModel

/// `multipoint driver …`
struct DriverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "driver", abstract: "Tells what drivers know of their applications.", subcommands: [Describe.self])

    /// `multipoint driver describe NAME`
    struct Describe: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints a driver's manifest: what its application holds, allows and leaves open.",
            discussion: """
                NAME is a driver, made with the settings given, or, with --config, an application of that configuration. Nothing is \
                reached.

                  multipoint driver describe reference-erp --set file=/tmp/erp.db
                  multipoint driver describe --config hub.yaml erp --json
                """)

        @OptionGroup var configuration: ConfigurationOptions

        @Option(help: "A setting of the driver, name=value; may be repeated.")
        var set: [String] = []

        @Flag(help: "The manifest as one JSON object.")
        var json = false

        @Argument(help: "The driver's name, or the application's.")
        var name: String

        func run() async throws {
            let (driver, manifest, factory) = try made()
            let description = ManifestDescription(manifest, settings: factory.settings, driver: driver)
            await driver.close()
            if json { Output.json(description.value) } else { for line in description.lines { Output.line(line) } }
        }

        /// The driver, and its manifest within the limits configured.
        private func made() throws(CommandFailure) -> (any Driver, Manifest, any DriverFactory.Type) {
            guard let config = configuration.config else {
                guard let factory = DriverCatalog.all.first(where: { $0.name == name }) else {
                    let names = DriverCatalog.all.map { $0.name }.joined(separator: ", ")
                    throw CommandFailure(.wrong, "there is no driver \(name); there are \(names). Applications need --config.")
                }
                let driver: any Driver
                do throws(DriverError) {
                    driver = try factory.make(DriverSettings(application: ApplicationID(name), values: try values(factory)))
                } catch {
                    let needed = factory.settings.map { "  \($0.name)\($0.isRequired ? " (required)" : ""): \($0.help)" }
                    throw CommandFailure(.wrong, ([error.message, "settings, each by --set name=value:"] + needed).joined(separator: "\n"))
                }
                return (driver, driver.manifest, factory)
            }
            guard set.isEmpty else { throw CommandFailure(.wrong, "--set belongs to a driver; with --config the settings stand there.") }
            let loaded = try configuration.loadWithoutSecrets()
            guard let application = loaded.applications.first(where: { $0.id.rawValue == name }) else {
                let names = loaded.applications.map(\.id.rawValue).joined(separator: ", ")
                throw CommandFailure(.wrong, "\(config) has no application \(name); it has \(names).")
            }
            return (application.driver, application.manifest, application.factory)
        }

        private func values(_ factory: any DriverFactory.Type) throws(DriverError) -> [String: String] {
            var values: [String: String] = [:]
            for text in set {
                guard let end = text.firstIndex(of: "="), factory.settings.contains(where: { $0.name == text[..<end] }) else {
                    throw DriverError(.configuration, "\(text) is not a setting of \(factory.name) with its value")
                }
                values[String(text[..<end])] = String(text[text.index(after: end)...])
            }
            return values
        }
    }
}
