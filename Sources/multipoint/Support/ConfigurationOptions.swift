import ArgumentParser
import Foundation
import HubBus
import HubConfiguration
import HubDriver
import Logging

/// `--config`, and what commands make of it.
struct ConfigurationOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "The configuration file (default: hub.yaml, or MULTIPOINT_CONFIG).", completion: .file())
    var config: String?

    var path: String { config ?? ProcessInfo.processInfo.environment["MULTIPOINT_CONFIG"] ?? "hub.yaml" }

    /// The configuration, with all its secrets. Ends the command with every mistake named.
    func load() throws(CommandFailure) -> Configuration { try Self.load(path, needsSecrets: true) }

    /// The configuration for commands that talk to no application: a secret that cannot be read here does not matter.
    func loadWithoutSecrets() throws(CommandFailure) -> Configuration { try Self.load(path, needsSecrets: false) }

    static func load(_ path: String, needsSecrets: Bool = true) throws(CommandFailure) -> Configuration {
        do throws(ConfigurationMistakes) {
            return try Configuration.load(
                path, catalog: DriverCatalog.all, environment: ProcessInfo.processInfo.environment, needsSecrets: needsSecrets,
                busCheck: check)
        } catch {
            let count = error.mistakes.count
            throw CommandFailure(.wrong, error.description + "\n\(count) mistake\(count == 1 ? "" : "s")")
        }
    }

    /// What is wrong with librdkafka's properties.
    static func check(_ properties: [Configuration.BusProperty]) -> [String] {
        // The clients that are made for the check have no address, and would complain of it.
        let silent = Logger(label: "multipoint.check") { _ in SwiftLogNoOpLogHandler() }
        return BusConfiguration(properties: properties.map { .init(name: $0.name, value: $0.value) }, logger: silent).validate().map(
            \.message)
    }
}

extension Configuration {
    /// Lets go of all applications, at the same time: a driver's process is given time to end.
    func closeDrivers() async {
        await withTaskGroup(of: Void.self) { group in
            for application in applications {
                group.addTask { await application.driver.close() }
                if let signal = application.signal { group.addTask { await signal.close() } }
            }
        }
    }

    /// Runs what needs the drivers, and lets go of them whatever comes of it.
    func closingDrivers(_ body: () async throws(CommandFailure) -> Void) async throws(CommandFailure) {
        do throws(CommandFailure) {
            try await body()
        } catch {
            await closeDrivers()
            throw error
        }
        await closeDrivers()
    }

    /// How to reach the bus; for an embedded one, the address that the running hub has left.
    func busConfiguration() throws(CommandFailure) -> BusConfiguration {
        guard bus.isEmbedded else {
            return BusConfiguration(properties: bus.properties.map { .init(name: $0.name, value: $0.value) })
        }
        let data = FileManager.default.contents(atPath: embeddedAddressFile)
        guard let address = data.map({ String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines) }),
            !address.isEmpty
        else { throw CommandFailure(.unreachable, "the bus is embedded in the hub, and no hub is running (no \(embeddedAddressFile))") }
        var configuration = BusConfiguration(["bootstrap.servers": address])
        for property in bus.properties { configuration[property.name] = property.value }
        return configuration
    }
}
