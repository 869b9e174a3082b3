import HubDriver
import HubModel
import Synchronization
import Testing

@testable import HubConfiguration

@Suite("A signal")
struct SignalTests {
    private func event(
        _ key: NativeKey, _ place: Int64, _ operation: ChangeEvent.Operation = .upsert, company: String? = nil
    ) -> CapturedChange {
        CapturedChange(
            event: ChangeEvent(
                type: "sale", operation: operation, key: key, position: SourcePosition(major: 100, minor: place), company: company),
            fields: nil)
    }

    @Test("names documents, which are read whole and told once each, where their newest signal stands")
    func reads() async throws {
        let application = Documents([
            "1": NativeDocument(key: "1", token: "t1", fields: ["state": "draft"]),
            "2": NativeDocument(key: "2", stamp: SourcePosition(minor: 7), reference: "order-1-2", fields: ["state": "done"]),
        ])
        let driver = SignalledDriver(
            application,
            signal: Signals([event("1", 1), event("2", 2, company: "5"), event("1", 3), event("9", 4)]))
        let batch = try await driver.capture(after: "a", limit: 500)
        #expect(batch.position == "a+4")
        #expect(batch.changes.map(\.event.key) == ["2", "1"], "nobody knows of 9, and nothing says that it went")
        #expect(batch.changes[0].fields == ["state": "done"] && batch.changes[0].event.company == "5")
        #expect(batch.changes[0].event.position == SourcePosition(minor: 7) && batch.changes[0].event.reference == "order-1-2")
        #expect(batch.changes[1].event.position == SourcePosition(major: 100, minor: 3) && batch.changes[1].event.token == "t1")
        #expect(application.asked == ["2", "1", "9"])
    }

    @Test("tells deletions, and what stands there all the same as it is")
    func deletes() async throws {
        let application = Documents([
            "2": NativeDocument(key: "2", fields: ["state": "again"]), "3": NativeDocument(key: "3", isDeleted: true, fields: [:]),
        ])
        let signals = Signals([
            event("1", 1), event("1", 2, .delete), event("2", 3, .delete), event("3", 4), event("4", 5, .snapshot),
        ])
        let batch = try await SignalledDriver(application, signal: signals).capture(after: nil, limit: 500)
        #expect(batch.changes.map(\.event.operation) == [.delete, .upsert, .delete])
        #expect(batch.changes[0].fields == nil && batch.changes[0].event.position == SourcePosition(major: 100, minor: 2))
    }

    @Test("is configured beside the driver that reads")
    func configured() throws {
        let sound = soundConfiguration.replacing("fake-erp, password: { file: erp.key },", with: "fake-erp, signal.driver: fake-signal,")
        let blind = sound.replacing("driver: fake-erp", with: "driver: fake-blind")
        #expect(try mistakes(blind).first?.contains("cannot read the documents") == true)
        #expect(try mistakes(sound.replacing("fake-signal", with: "nobody")).first?.contains("no driver nobody") == true)
        let reading = sound.replacing("driver: fake-erp", with: "driver: fake-reader")
        #expect(try mistakes(reading).isEmpty)
        #expect(try mistakes(reading.replacing("fake-signal", with: "fake-crm")).first?.contains("missing") == true)
        let wrong = reading.replacing("signal.driver", with: "signal.colour: red, signal.driver")
        #expect(try mistakes(wrong).first?.contains("no such setting") == true)
        let configuration = try load(reading)
        let application = try #require(configuration.application("erp"))
        #expect(application.capturing(application.driver) is SignalledDriver)
        let other = try #require(configuration.application("crm"))
        #expect(other.capturing(other.driver) == nil)
    }

    private func load(_ text: String) throws -> Configuration {
        let folder = try Folder(soundFiles.merging(["hub.yaml": text]) { $1 })
        return try Configuration.load(
            folder.path + "/hub.yaml", catalog: [FakeCRM.self, FakeERP.self, FakeReader.self, FakeBlind.self, FakeSignal.self],
            environment: ["CRM_KEY": "k3y"], busCheck: { _ in [] })
    }

    private func mistakes(_ text: String) throws -> [String] {
        do { _ = try load(text) } catch let error as ConfigurationMistakes { return error.mistakes.map(\.description) }
        return []
    }
}

/// An application that has documents, and no feed.
private struct Documents: LookingUp, Reading {
    private let documents: [NativeKey: NativeDocument]
    private let log = Log()

    private final class Log: Sendable {
        let keys = Mutex<[NativeKey]>([])
    }

    init(_ documents: [NativeKey: NativeDocument]) { self.documents = documents }

    var asked: [NativeKey] { log.keys.withLock { $0 } }
    var manifest: Manifest { FakeDriver.make("documents", delete: .removes).manifest }
    func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] { batch.map { _ in .changed } }
    func probe() async throws(DriverError) -> ApplicationIdentity { ApplicationIdentity(instance: "documents", version: "1") }
    func close() async {}
    func lookUp(_ references: [LookUp]) async throws(DriverError) -> [[NativeDocument]] { references.map { _ in [] } }
    func read(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?] {
        log.keys.withLock { $0 += references.map(\.key) }
        return references.map { documents[$0.key] }
    }
}

/// A feed that says the same each time.
private struct Signals: Capturing {
    private let changes: [CapturedChange]

    init(_ changes: [CapturedChange]) { self.changes = changes }

    var manifest: Manifest { FakeDriver.make("signals", delete: .removes).manifest }
    func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] { batch.map { _ in .changed } }
    func probe() async throws(DriverError) -> ApplicationIdentity { ApplicationIdentity(instance: "signals", version: "1") }
    func close() async {}
    func capture(after position: String?, limit: Int) async throws(DriverError) -> CapturedBatch {
        CapturedBatch(changes: changes, position: "\(position ?? "")+\(changes.count)")
    }
}

private enum FakeReader: DriverFactory {
    static let name = "fake-reader"
    static let settings: [SettingDescription] = []
    static let mappings = FakeERP.mappings
    static func make(_ settings: DriverSettings) throws(DriverError) -> any Driver { Documents([:]) }
}

/// Takes creates only, and reads nothing.
private struct Blind: LookingUp {
    let manifest: Manifest

    init() {
        var manifest = FakeDriver.make("blind", delete: .refuses).manifest
        for place in manifest.entities.indices { manifest.entities[place].operations = [.create] }
        self.manifest = manifest
    }

    func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] { batch.map { _ in .changed } }
    func probe() async throws(DriverError) -> ApplicationIdentity { ApplicationIdentity(instance: "blind", version: "1") }
    func lookUp(_ references: [LookUp]) async throws(DriverError) -> [[NativeDocument]] { references.map { _ in [] } }
    func close() async {}
}

private enum FakeBlind: DriverFactory {
    static let name = "fake-blind"
    static let settings: [SettingDescription] = []
    static let mappings = FakeERP.mappings
    static func make(_ settings: DriverSettings) throws(DriverError) -> any Driver { Blind() }
}

private enum FakeSignal: DriverFactory {
    static let name = "fake-signal"
    static let settings: [SettingDescription] = []
    static let mappings: [BuiltinMapping] = []
    static func make(_ settings: DriverSettings) throws(DriverError) -> any Driver { Signals([]) }
}
