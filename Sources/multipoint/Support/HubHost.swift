import BuiltinSchemas
import Foundation
import HubBus
import HubCodec
import HubConfiguration
import HubDriver
import HubModel
import HubRuntime
import HubStore
import Logging

/// Puts a hub together from its configuration: store, bus, schemas, and the hub itself.
enum HubHost {
    /// The native types' schemas: those of the drivers, and in their place files beside the configuration
    /// (`schemas/<application>/<native type>.schema.json`).
    ///
    /// - Throws: also where a mapping is to a field that its native type does not have by the schema, with file and line.
    static func schemas(_ configuration: Configuration) throws(CommandFailure) -> [ApplicationID: [String: SchemaValidator]] {
        let folder = URL(fileURLWithPath: configuration.file).deletingLastPathComponent().appendingPathComponent("schemas").path
        var result: [ApplicationID: [String: SchemaValidator]] = [:]
        var mistakes: [ConfigurationMistake] = []
        for application in configuration.applications {
            for native in application.topics.keys {
                let own = "\(folder)/\(application.id)/\(native).schema.json"
                let bytes = FileManager.default.contents(atPath: own).map { Array($0) }
                let ready =
                    application.factory.schema(native: native, application.settings)
                    ?? BuiltinSchemas.schema(driver: application.driverName, native: native)
                guard let bytes = bytes ?? ready else { continue }
                do {
                    let schema = try JSONDocument.parse(bytes).root.value
                    result[application.id, default: [:]][native] = try SchemaValidator(schema: schema)
                    for mapping in application.mappings where mapping.natives.contains(native) {
                        mistakes += SchemaPaths.mistakes(mapping, native: native, schema: schema)
                    }
                } catch {
                    throw CommandFailure(.wrong, "\(own): \(error)")
                }
            }
        }
        guard mistakes.isEmpty else {
            let sorted = mistakes.sorted { ($0.file, $0.line, $0.column) < ($1.file, $1.line, $1.column) }
            throw CommandFailure(
                .wrong, sorted.map(\.description).joined(separator: "\n") + "\n\(sorted.count) mistake\(sorted.count == 1 ? "" : "s")")
        }
        return result
    }

    /// Opens the store; says who holds it where another process does.
    static func store(_ configuration: Configuration) throws(CommandFailure) -> any Store {
        do throws(StoreError) {
            return try StoreAccess.open(configuration)
        } catch {
            throw CommandFailure(error)
        }
    }

    /// The embedded bus where the configuration asks for one, with its address left for other commands.
    static func embeddedBus(_ configuration: Configuration) throws(CommandFailure) -> EmbeddedBus? {
        guard configuration.bus.isEmbedded else { return nil }
        let bus: EmbeddedBus
        do throws(BusError) {
            bus = try EmbeddedBus(partitions: configuration.bus.partitions)
        } catch {
            throw CommandFailure(error)
        }
        try BusCommand.write(bus.bootstrap, configuration.embeddedAddressFile)
        return bus
    }

    /// How to reach the bus: the embedded one's properties with the configured ones laid over them.
    static func bus(_ configuration: Configuration, _ embedded: EmbeddedBus?) throws(CommandFailure) -> BusConfiguration {
        guard let embedded else { return try configuration.busConfiguration() }
        var result = embedded.configuration
        for property in configuration.bus.properties { result[property.name] = property.value }
        return result
    }
}

extension CommandFailure {
    init(_ error: RuntimeError) {
        self.init(error.code == .refused ? .notWell : .unreachable, error.message)
    }
}
