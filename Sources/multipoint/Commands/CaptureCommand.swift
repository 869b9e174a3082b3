import ArgumentParser
import Foundation
import HubBus
import HubConfiguration
import HubDriver
import HubModel
import HubRuntime
import HubStore
import Logging

/// `multipoint capture`
struct CaptureCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture",
        abstract: "Publishes applications' changes to their inbound topics until SIGTERM or SIGINT.",
        discussion: """
            For hubs that run with --no-capture. The position in each feed is kept beside the store and moves on only when Kafka has the \
            events.

              multipoint capture --config hub.yaml
              multipoint capture --config hub.yaml --application erp
            """)

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "Only this application; may be repeated.")
    var application: [String] = []

    @OptionGroup var logging: LoggingOptions

    func run() async throws {
        logging.setUp()
        let configuration = try options.load()
        let interruption = Interruption()
        let wanted = Set(application.map { ApplicationID($0) })
        for name in wanted where configuration.application(name) == nil {
            throw CommandFailure(.wrong, "--application \(name): there is no such application in \(configuration.file)")
        }
        do throws(CommandFailure) {
            try await Self.claimFeeds(configuration)
        } catch {
            await configuration.closeDrivers()
            throw error
        }
        try await configuration.closingDrivers { () throws(CommandFailure) in
            try await Blocking.run { () throws(CommandFailure) in try Self.run(configuration, wanted, interruption) }
        }
    }

    /// Refuses positions that belong to another store than is there. A store that cannot be read just now is no reason not to capture.
    private static func claimFeeds(_ configuration: Configuration) async throws(CommandFailure) {
        var storeID: String?
        if configuration.storeServer != nil || FileManager.default.fileExists(atPath: configuration.storePath) {
            do throws(CommandFailure) {
                storeID = try await StoreAccess.read(configuration) { try $0.storeID() }
            } catch {
                Logger(label: "multipoint.capture").warning(
                    "whether the positions beside the store belong to it cannot be told: \(error.text)")
                return
            }
        }
        do throws(RuntimeError) {
            try FeedFolder(configuration).claim(for: storeID)
        } catch {
            throw CommandFailure(error)
        }
    }

    private static func run(
        _ configuration: Configuration, _ wanted: Set<ApplicationID>, _ interruption: Interruption
    ) throws(CommandFailure) {
        let bus = try configuration.busConfiguration()
        var workers: [CaptureWorker] = []
        for application in configuration.applications where wanted.isEmpty || wanted.contains(application.id) {
            guard let driver = application.capturing(application.driver) else {
                guard wanted.isEmpty else { throw CommandFailure(.wrong, "the driver of \(application.id) cannot capture") }
                continue
            }
            do {
                workers.append(
                    try CaptureWorker(
                        application, driver: driver, configuration: configuration, bus: bus, logger: Logger(label: "multipoint.capture")))
            } catch {
                throw CommandFailure(.unreachable, "capture of \(application.id): \(error)")
            }
        }
        guard !workers.isEmpty else { throw CommandFailure(.wrong, "no application's driver can capture") }
        for worker in workers { worker.start() }
        interruption.wait()
        let deadline = ContinuousClock.now + .seconds(10)
        for worker in workers { worker.stop(until: deadline) }
    }
}
