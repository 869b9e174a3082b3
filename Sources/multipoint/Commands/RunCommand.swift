import ArgumentParser
import Foundation
import HubBus
import HubConfiguration
import HubModel
import HubRuntime
import HubStore
import Logging

/// `multipoint run`
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs the hub until SIGTERM or SIGINT.",
        discussion: """
            Reads the inbound topics, mediates, and delivers to every application; applications whose driver can capture are captured here \
            as well, unless --no-capture leaves that to `multipoint capture`.

              multipoint run --config hub.yaml
              multipoint run --config hub.yaml --log-format json --no-capture

            SIGTERM drains and stops within 10 seconds; whatever is left goes on at the next start. A healthy hub logs almost nothing.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(inversion: .prefixedNo, help: "Capture applications' changes in this process.")
    var capture = true

    @Flag(help: "Start although the store is empty or older than what Kafka knows of it; raises its generation.")
    var acceptStore = false

    @Flag(help: "Start although topics have another number of partitions than before.")
    var acceptPartitions = false

    @OptionGroup var logging: LoggingOptions

    func run() async throws {
        logging.setUp()
        let configuration = try options.load()
        let interruption = Interruption()
        let (capture, acceptStore, acceptPartitions) = (capture, acceptStore, acceptPartitions)
        try await configuration.closingDrivers { () throws(CommandFailure) in
            try await Blocking.run { () throws(CommandFailure) in
                try Self.run(configuration, interruption) { options in
                    options.captures = capture
                    options.acceptsStore = acceptStore
                    options.acceptsPartitions = acceptPartitions
                }
            }
        }
    }

    private static func run(
        _ configuration: Configuration, _ interruption: Interruption, _ adjust: (inout RunningHub.Options) -> Void
    ) throws(CommandFailure) {
        var options = RunningHub.Options()
        adjust(&options)
        options.schemas = try HubHost.schemas(configuration)
        let store = try HubHost.store(configuration)
        defer { store.close() }
        options.embedded = try HubHost.embeddedBus(configuration)
        defer {
            if let embedded = options.embedded {
                try? FileManager.default.removeItem(atPath: configuration.embeddedAddressFile)
                embedded.close()
            }
        }
        let logger = Logger(label: "multipoint.hub")
        let hub = RunningHub(
            configuration: configuration, store: store, bus: try HubHost.bus(configuration, options.embedded), options: options,
            logger: logger)
        do throws(RuntimeError) {
            try hub.start()
        } catch {
            hub.stop()
            throw CommandFailure(error)
        }
        logger.notice("hub \(configuration.hub) runs with \(configuration.applications.map(\.id.rawValue).joined(separator: ", "))")
        let failure = hub.wait { !interruption.hasArrived }
        hub.stop()
        if let failure { throw CommandFailure(failure) }
        logger.notice("hub \(configuration.hub) has stopped")
    }
}
