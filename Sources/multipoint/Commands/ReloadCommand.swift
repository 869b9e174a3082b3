import ArgumentParser
import HubConfiguration

/// `multipoint reload`
struct ReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Has the running hub take up a changed configuration, without a restart.",
        discussion: """
            The configuration is checked here first; with mistakes the hub goes on with what it has. Applications that are added, removed \
            or have other settings are started and stopped; changed mappings hold from the next transaction on; the others are not \
            disturbed. Name, bus and store of the hub need a restart. SIGHUP to the hub's process does the same.

              multipoint reload --config hub.yaml
            """)

    @OptionGroup var configuration: ConfigurationOptions

    func run() async throws {
        let loaded = try configuration.load()
        await loaded.closeDrivers()
        Output.line(try await StoreAccess.askHub(.reload, loaded))
    }
}
