import Foundation
import HubBus
import HubConfiguration
import HubDriver
import HubModel
import HubRuntime
import HubStore
import Logging
import Testing

/// A hub with two applications in memory on the embedded bus, its store kept from one start to the next unless a test puts in another.
final class HubFixture {
    let folder: String
    let bus: EmbeddedBus
    var store: any Store
    let left = MemoryApplication()
    let right = MemoryApplication()
    var hub: RunningHub?
    /// Besides `thing`.
    var entities = ""
    var logger = Logger(label: "multipoint.hub")
    private let producer: BusProducer

    init(store: any Store = MemoryStore(), bus: EmbeddedBus? = nil) throws {
        folder = NSTemporaryDirectory() + "hub-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        self.store = store
        let bus = try bus ?? EmbeddedBus(partitions: 2)
        self.bus = bus
        producer = try BusProducer(bus.configuration)
    }

    deinit {
        hub?.stop()
        producer.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    func configuration(third: Bool = false, extra: String = "") throws -> Configuration {
        let text = """
            hub: t
            bus: { embedded: true, partitions: 2\(extra) }
            store: hub.db
            applications:
              left: { driver: memory }
              right: { driver: memory }
            \(third ? "  third: { driver: memory }" : "")
            entities:
              thing: {}
            \(entities)
            """
        try write("hub.yaml", text)
        return try Self.load(folder + "/hub.yaml")
    }

    static func load(_ path: String) throws(ConfigurationMistakes) -> Configuration {
        try Configuration.load(path, catalog: [MemoryFactory.self], environment: [:])
    }

    /// Writes a file beside the configuration.
    func write(_ name: String, _ text: String) throws {
        let file = URL(fileURLWithPath: folder + "/" + name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    /// Replaces an application's own mapping of things.
    func map(_ application: String, _ fields: String) throws {
        try write("mappings/\(application)/thing.yaml", "native: thing\nfields:\n" + fields)
    }

    /// Starts a hub; the applications are those of the fixture.
    func start(
        third: MemoryApplication? = nil, extra: String = "", properties: [String: String] = [:],
        adjust: (inout RunningHub.Options) -> Void = { _ in }
    ) throws {
        var options = RunningHub.Options()
        options.captures = false
        options.embedded = bus
        options.drivers = ["left": left, "right": right]
        if let third { options.drivers["third"] = third }
        let path = folder + "/hub.yaml"
        options.read = { () throws(RuntimeError) in
            do throws(ConfigurationMistakes) {
                return RunningHub.Fresh(configuration: try HubFixture.load(path))
            } catch {
                throw RuntimeError(.refused, error.description)
            }
        }
        adjust(&options)
        let made = RunningHub(
            configuration: try configuration(third: third != nil, extra: extra), store: store,
            bus: BusConfiguration(bus.suggestedProperties.merging(properties) { $1 }), options: options, logger: logger)
        do {
            try made.start()
        } catch {
            made.stop()
            throw error
        }
        hub = made
    }

    func stop() {
        hub?.stop()
        hub = nil
    }

    /// Publishes what an application tells of a thing.
    func publish(_ application: String, key: String, position: Int, name: String, token: String? = nil) throws {
        try producer.produce(
            [Self.record(application, key: key, position: position, name: name, token: token)], deadline: .now + .seconds(20))
    }

    /// What an application tells of a thing, as a record of its topic.
    static func record(
        _ application: String, key: String, position: Int, name: String, note: String? = nil, more: String = "", token: String? = nil,
        native: String = "thing", partition: Int32 = -1
    ) -> Record {
        var headers: [Record.Header] = [
            .init("content-type", "application/json"), .init("ce_specversion", "1.0"), .init("ce_id", "\(application)-\(key)-\(position)"),
            .init("ce_source", "/\(application)"), .init("ce_type", "\(native).updated"), .init("ce_subject", key),
            .init("ce_sequence", "\(position)"), .init("ce_mptoken", token ?? "\(position)"),
        ]
        headers.append(.init("ce_time", "2026-01-01T00:00:00Z"))
        let value = Array("{\"name\":\"\(name)\"\(note.map { ",\"note\":\"\($0)\"" } ?? "")\(more)}".utf8)
        return Record(topic: "\(application).\(native)", partition: partition, key: Array(key.utf8), value: value, headers: headers)
    }

    /// Publishes records with a producer of its own.
    func publish(_ records: [Record], properties: [String: String] = [:]) throws {
        let producer = try BusProducer(BusConfiguration(bus.suggestedProperties.merging(properties) { $1 }))
        defer { producer.close() }
        try producer.produce(records, deadline: .now + .seconds(20))
    }

    /// Waits, at most 30 seconds, until something holds.
    func eventually(_ what: String, _ holds: () throws -> Bool) rethrows {
        let end = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < end {
            if try holds() { return }
            Thread.sleep(forTimeInterval: 0.02)
        }
        Issue.record("did not come about within 30 s: \(what)")
    }

    func deadLetters() throws -> [DeadLetter] { try store.write { try $0.deadLetters(after: 0, limit: 100, includeReplayed: true) } }
    func alarms() throws -> [Alarm] { try store.write { try $0.alarms(after: 0, limit: 100) } }
    func outcomes() throws -> [String: Int] {
        try store.write { store in
            Dictionary(try store.outcomeCounts().map { ("\($0.application) \($0.kind.rawValue)", $0.count) }) { $0 + $1 }
        }
    }
}
