import Foundation
import HubBus
import HubConfiguration
import HubRuntime
import HubStore

/// A hub inside a command that also does something else: with its store and, where configured, its bus.
struct HostedHub: Sendable {
    let configuration: Configuration
    let hub: RunningHub
    let bus: BusConfiguration
    let store: any Store
    private let embedded: EmbeddedBus?

    /// Starts a hub; whatever was opened is closed again where that fails.
    ///
    /// - Parameter prepare: what to do with the store before.
    static func start(
        _ configuration: Configuration, events: RuntimeEvents = RuntimeEvents(),
        prepare: @escaping @Sendable (any Store) throws(StoreError) -> Void = { _ in }
    ) async throws -> HostedHub {
        let store = try HubHost.store(configuration)
        var embedded: EmbeddedBus?
        do {
            embedded = try HubHost.embeddedBus(configuration)
            let bus = try HubHost.bus(configuration, embedded)
            var options = RunningHub.Options()
            options.schemas = try HubHost.schemas(configuration)
            options.embedded = embedded
            let hub = RunningHub(configuration: configuration, store: store, bus: bus, options: options, events: events)
            let hosted = HostedHub(configuration: configuration, hub: hub, bus: bus, store: store, embedded: embedded)
            do {
                try await Blocking.run { () throws(StoreError) in try prepare(store) }
                try await Blocking.run { () throws(RuntimeError) in try hub.start() }
            } catch {
                await Blocking.run { hub.stop() }
                throw error
            }
            return hosted
        } catch {
            await close(configuration, store, embedded)
            throw error
        }
    }

    /// Stops the hub and lets go of everything that it used.
    func stop() async {
        let hub = hub
        await Blocking.run { hub.stop() }
        await Self.close(configuration, store, embedded)
    }

    private static func close(_ configuration: Configuration, _ store: any Store, _ embedded: EmbeddedBus?) async {
        await configuration.closeDrivers()
        await Blocking.run {
            store.close()
            embedded?.close()
            if embedded != nil { try? FileManager.default.removeItem(atPath: configuration.embeddedAddressFile) }
        }
    }
}
