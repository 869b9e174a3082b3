import ArgumentParser
import HubConfiguration
import HubModel

/// `multipoint pause APP`
struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Stops sending to an application.",
        discussion: """
            What the application tells is worked in as before; what is meant for it waits in the store until `multipoint resume`. The \
            pause outlives the hub. Works while a hub runs, and without one.

              multipoint pause erp
            """)

    @OptionGroup var configuration: ConfigurationOptions

    @Argument(help: "The application's name in the configuration.")
    var application: String

    func run() async throws {
        Output.line(try await StoreAccess.carryOut(.pause(ApplicationID(application)), configuration.loadWithoutSecrets()))
    }
}

/// `multipoint resume APP`
struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Sends to a paused application again.",
        discussion: """
            What has piled up is sent, each document once, in its newest state. Where the hub has found another instance behind the \
            application's address and writes nothing to it, this says that it is the right one.

              multipoint resume erp
            """)

    @OptionGroup var configuration: ConfigurationOptions

    @Argument(help: "The application's name in the configuration.")
    var application: String

    func run() async throws {
        Output.line(try await StoreAccess.carryOut(.resume(ApplicationID(application)), configuration.loadWithoutSecrets()))
    }
}
