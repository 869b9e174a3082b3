import Foundation
import HubBus
import HubConfiguration
import HubDriver
import HubModel
import HubRuntime
import HubStore
import InMemoryLogging
import Logging

/// A hub in a folder and on a bus of its own, run from the configuration file that a test writes there. Both go with the test.
final class TestHub {
    /// Something did not come about in time.
    struct Missed: Error, CustomStringConvertible {
        var description: String
    }

    let folder: String
    let store: any Store = MemoryStore()
    private(set) var hub: RunningHub?
    private let bus: EmbeddedBus
    private let catalog: [any DriverFactory.Type]
    /// Where the configuration's `{ env: NAME }` looks.
    private let environment: [String: String]
    private let log: InMemoryLogHandler

    init(_ catalog: [any DriverFactory.Type], environment: [String: String] = [:]) throws {
        folder = NSTemporaryDirectory() + "hub-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        bus = try EmbeddedBus(partitions: 2)
        self.catalog = catalog
        self.environment = environment
        var log = InMemoryLogHandler()
        log.logLevel = .info
        self.log = log
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// What the hub has logged, each line with its level.
    var logged: [String] { log.entries.map { "\($0.level): \($0.message)" } }

    /// Writes a file into the hub's folder.
    func write(_ name: String, _ text: String) throws {
        let file = URL(fileURLWithPath: folder + "/" + name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    /// Copies a file or a folder into the hub's.
    func copy(_ path: String, _ name: String) throws {
        let place = URL(fileURLWithPath: folder + "/" + name)
        try FileManager.default.createDirectory(at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: URL(fileURLWithPath: path), to: place)
    }

    // MARK: Running

    /// Reads `hub.yaml`.
    func load() throws(ConfigurationMistakes) -> Configuration {
        try Configuration.load(folder + "/hub.yaml", catalog: catalog, environment: environment)
    }

    /// Starts the hub of `hub.yaml`.
    func start(delivers: Bool = true) throws {
        let (path, catalog, environment) = (folder + "/hub.yaml", catalog, environment)
        var options = RunningHub.Options()
        options.embedded = bus
        options.delivers = delivers
        options.read = { () throws(RuntimeError) in
            do throws(ConfigurationMistakes) {
                return RunningHub.Fresh(configuration: try Configuration.load(path, catalog: catalog, environment: environment))
            } catch {
                throw RuntimeError(.refused, error.description)
            }
        }
        let log = log
        let made = RunningHub(
            configuration: try load(), store: store, bus: bus.configuration, options: options,
            logger: Logger(label: "multipoint.hub") { _ in log })
        hub = made
        try made.start()
    }

    func stop() {
        hub?.stop()
        hub = nil
    }

    /// Waits until something holds.
    func eventually(_ what: String, within limit: Duration = .seconds(30), _ holds: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if try await holds() { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Missed(description: "did not come about within \(limit): \(what); \(try await state())")
    }

    // MARK: What the store has

    func deadLetters() async throws -> [DeadLetter] {
        try await store.perform { try $0.deadLetters(after: 0, limit: 1000, includeReplayed: true) }
    }

    func alarms() async throws -> [Alarm] { try await store.perform { try $0.alarms(after: 0, limit: 1000) } }

    /// How many deliveries to an application ended so.
    func outcomes(_ application: ApplicationID, _ kind: OutcomeKind) async throws -> Int {
        try await store.perform { try $0.outcomeCounts() }.filter { $0.application == application && $0.kind == kind }
            .reduce(0) { $0 + $1.count }
    }

    /// How many deliveries to an application wait, or are under way.
    func waiting(_ application: ApplicationID) async throws -> Int {
        try await store.perform { try $0.waitCounts(application) }.reduce(0) { $0 + $1.count }
    }

    /// Why it cannot be reached; nil where it can.
    func absence(_ application: ApplicationID) async throws -> String? {
        try await store.perform { try ApplicationAbsence.read(application, in: $0)?.reason }
    }

    func golden(_ entity: EntityName) async throws -> [GoldenRecord] {
        try await store.perform { try $0.goldenRecords(entity, after: nil, limit: 1000) }
    }

    /// In a line, for whoever looks why something is missing.
    private func state() async throws -> String {
        let letters = try await deadLetters().suffix(3).map { "\($0.application?.rawValue ?? "") \($0.code) \($0.reason)" }
        let waits = try await store.perform { store in
            try store.outcomeCounts().map { "\($0.application) \($0.kind.rawValue) \($0.count)" }
        }
        let alarms = try await alarms().suffix(3).map { "\($0.code): \($0.text)" }
        return "outcomes \(waits), dead letters \(letters), alarms \(alarms), log \(logged.suffix(8))"
    }
}
