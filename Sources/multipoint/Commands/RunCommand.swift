import ArgumentParser
import Foundation
import HubBus
import HubConfiguration
import HubModel
import HubOperations
import HubRuntime
import HubStore
import Logging
import Synchronization

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

            SIGTERM drains and stops within 10 seconds; whatever is left goes on at the next start. SIGHUP takes up a \
            changed configuration, as `multipoint reload` does. A healthy hub logs almost nothing.
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
        let (capture, acceptStore, acceptPartitions, path) = (capture, acceptStore, acceptPartitions, options.path)
        // A reload puts another in its place, with other drivers to let go of at the end.
        let current = Mutex(configuration)
        let outcome: Result<Void, CommandFailure>
        do throws(CommandFailure) {
            try await Blocking.run { () throws(CommandFailure) in
                try Self.run(configuration, interruption, ended: { last in current.withLock { $0 = last } }) { options in
                    options.captures = capture
                    options.acceptsStore = acceptStore
                    options.acceptsPartitions = acceptPartitions
                    options.read = { () async throws(RuntimeError) in try await Self.read(path) }
                }
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await current.withLock { $0 }.closeDrivers()
        try outcome.get()
    }

    /// The configuration as it stands in the file now.
    private static func read(_ path: String) async throws(RuntimeError) -> RunningHub.Fresh {
        let configuration: Configuration
        do throws(CommandFailure) {
            configuration = try ConfigurationOptions.load(path)
        } catch {
            throw RuntimeError(.refused, error.text)
        }
        do throws(CommandFailure) {
            return RunningHub.Fresh(configuration: configuration, schemas: try HubHost.schemas(configuration))
        } catch {
            await configuration.closeDrivers()
            throw RuntimeError(.refused, error.text)
        }
    }

    private static func run(
        _ configuration: Configuration, _ interruption: Interruption, ended: (Configuration) -> Void,
        _ adjust: (inout RunningHub.Options) -> Void
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
        let hangup = Interruption([SIGHUP])
        var listener: HTTPListener?
        do throws(RuntimeError) {
            try hub.start()
            if let http = configuration.http {
                listener = try HTTPListener(hub: hub, settings: http)
                try listener?.start()
            }
        } catch {
            listener?.stop()
            hub.stop()
            throw CommandFailure(error)
        }
        logger.notice("hub \(configuration.hub) runs with \(configuration.applications.map(\.id.rawValue).joined(separator: ", "))")
        let failure = hub.wait {
            if hangup.hasComeAgain { hub.reloadSoon() }
            return !interruption.hasArrived
        }
        // Whoever is being answered needs the hub for it.
        listener?.stop(within: .seconds(3))
        hub.stop(within: listener == nil ? .seconds(10) : .seconds(7))
        ended(hub.configuration)
        if let failure { throw CommandFailure(failure) }
        logger.notice("hub \(configuration.hub) has stopped")
    }
}
