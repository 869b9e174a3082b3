import HubDriver
import HubModel
import Synchronization
import Testing

@testable import HubConfiguration

@Suite("A signal")
struct SignalTests {
    /// A change at a place in the log, two milliseconds apart.
    private func event(
        _ key: NativeKey, _ place: Int64, _ operation: ChangeEvent.Operation = .upsert, company: String? = nil, time: Int64? = nil
    ) -> CapturedChange {
        CapturedChange(
            event: ChangeEvent(
                id: "\(place)", type: "sale", operation: operation, key: key, position: SourcePosition(major: place, minor: 1),
                time: Instant(milliseconds: time ?? 1000 + 2 * place), company: company),
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
        #expect(try await driver.capture(after: batch.position, limit: 500).position?.contains("a+4+4") == true)
        #expect(batch.changes.map(\.event.key) == ["2", "1"], "nobody knows of 9, and nothing says that it went")
        #expect(batch.changes[0].fields == ["state": "done"] && batch.changes[0].event.company == "5")
        // The log's order decides, not what a read knows of the application's own feed.
        #expect(batch.changes[0].event.position == SourcePosition(major: 1_005_000, minor: 2))
        #expect(batch.changes[0].event.reference == "order-1-2")
        #expect(batch.changes[1].event.position == SourcePosition(major: 1_007_000, minor: 3) && batch.changes[1].event.token == "t1")
        #expect(application.asked.prefix(3) == ["2", "1", "9"])
    }

    @Test("has no places where the driver's own feed has none: each event is newer than all before it, by either feed")
    func unstamped() async throws {
        let application = Documents(["1": NativeDocument(key: "1", fields: [:])], stamped: false)
        let batch = try await SignalledDriver(application, signal: Signals([event("1", 1), event("2", 2, .delete)]))
            .capture(after: nil, limit: 500)
        #expect(batch.changes.map(\.event.operation) == [.upsert, .delete] && batch.changes.allSatisfy { $0.event.position == nil })
    }

    @Test("is told in smaller batches where few rows lead to many documents, and asks for documents of one kind together")
    func fanOut() async throws {
        let application = Documents([:])
        let companies = (1...30).map { SignalMap.Companion(native: "terms", of: "sale", company: "\($0)") }
        let driver = SignalledDriver(
            application, signal: Rows((1...200).map { event(NativeKey("\($0)"), Int64($0), .delete) }), companions: companies)
        var position: String?
        var told: [CapturedChange] = []
        var sizes: [Int] = []
        while told.count < 200 * 31 {
            let batch = try await driver.capture(after: position, limit: 500)
            position = batch.position
            told += batch.changes
            sizes.append(batch.changes.count)
            try #require(!batch.changes.isEmpty)
        }
        #expect(told.count == 200 * 31 && Set(told.map(\.event.id)).count == told.count)
        #expect(sizes.allSatisfy { $0 <= 1000 }, "\(sizes)")
        #expect(application.questions.allSatisfy { $0.kinds == 1 && $0.count <= 50 })
    }

    @Test("stands behind what polling has told, and never goes back, whatever the clocks do")
    func places() async throws {
        let application = Documents(["1": NativeDocument(key: "1", fields: [:])])
        func places(_ changes: [CapturedChange], after position: String?) async throws -> ([SourcePosition?], String?) {
            let batch = try await SignalledDriver(application, signal: Signals(changes)).capture(after: position, limit: 500)
            return (batch.changes.map(\.event.position), batch.position)
        }
        let (first, reached) = try await places([event("1", 5, time: 9000)], after: nil)
        let (second, _) = try await places([event("1", 6, time: 4000)], after: reached)
        let all = (first + second).compactMap(\.self)
        #expect(all.count == 2 && all[0] < all[1])
        #expect(all[0] > SourcePosition(major: 9_000_999, minor: .max), "a change that polling saw in the same millisecond")
        let (again, _) = try await places([event("1", 6, time: 4000)], after: reached)
        #expect(again == second, "the same position gives the same again")
    }

    @Test("tells companions with their documents, and nothing of types and companies that are not exchanged")
    func companions() async throws {
        let application = Documents(["1": NativeDocument(key: "1", fields: [:]), "2": NativeDocument(key: "2", fields: [:])])
        let signals = Signals([event("1", 1), event("2", 2, company: "9"), event("3", 3, .delete)])
        let both = SignalledDriver(
            application, signal: signals,
            companions: [.init(native: "terms", of: "sale", company: "7"), .init(native: "terms", of: "sale", company: "8")],
            companies: ["7", "8"])
        let told = try await both.capture(after: nil, limit: 500).changes
        #expect(
            told.map { "\($0.event.type) \($0.event.key ?? "") \($0.event.company ?? "") \($0.event.operation)" } == [
                "sale 1  upsert", "terms 1 7 upsert", "terms 1 8 upsert", "terms 2 7 upsert", "terms 2 8 upsert", "sale 3  delete",
                "terms 3 7 delete", "terms 3 8 delete",
            ])
        #expect(Set(told.map(\.event.id)).count == told.count)
        let none = SignalledDriver(application, signal: signals, natives: ["bill"])
        #expect(try await none.capture(after: nil, limit: 500).changes.isEmpty)
    }

    @Test("uses what the driver knows of its tables, alone or among others")
    func map() {
        let map = SignalMap(settings: ["tables": "own: table=own"])
        #expect(map.setting("tables", nil) == "own: table=own" && map.setting("slot", nil) == nil && map.setting("slot", "s") == "s")
        #expect(map.setting("tables", "other: feed=slot") == "other: feed=slot")
        #expect(map.setting("tables", "  builtin \nother: feed=slot") == "own: table=own\nother: feed=slot")
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
        #expect(batch.changes[0].fields == nil && batch.changes[0].event.position == SourcePosition(major: 1_005_000, minor: 2))
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
        #expect(application.manifest.entities.allSatisfy { !$0.hasStamp }, "reads do not know the signal's places")
        let other = try #require(configuration.application("crm"))
        #expect(other.capturing(other.driver) == nil)
    }

    @Test("needs one line where the driver knows its application's tables")
    func ready() async throws {
        func details(_ lines: String) async throws -> [String] {
            let text = soundConfiguration.replacing("fake-erp, password: { file: erp.key },", with: "fake-reader, \(lines)")
            let application = try #require(try load(text).application("erp"))
            #expect(application.companions.map(\.native) == ["bill"])
            return try await application.probed.probe().details
        }
        #expect(try await details(#"signal.connection: "db","#) == ["signal: partner: table=people", "signal: db"])
        let more = #"signal.connection: "db", signal.tables: "builtin\nmore: table=more","#
        #expect(try await details(more) == ["signal: partner: table=people\nmore: table=more", "signal: db"])
        #expect(try await details(#"signal.connection: "db", signal.tables: "mine: table=mine","#).first == "signal: mine: table=mine")
    }

    private func load(_ text: String) throws -> Configuration {
        let folder = try Folder(soundFiles.merging(["hub.yaml": text]) { $1 })
        return try Configuration.load(
            folder.path + "/hub.yaml",
            catalog: [FakeCRM.self, FakeERP.self, FakeReader.self, FakeBlind.self, FakeSignal.self, FakeTables.self],
            environment: ["CRM_KEY": "k3y"], busCheck: { _ in [] })
    }

    private func mistakes(_ text: String) throws -> [String] {
        do { _ = try load(text) } catch let error as ConfigurationMistakes { return error.mistakes.map(\.description) }
        return []
    }
}

/// An application that has documents, and no feed.
private struct Documents: LookingUp, Reading {
    let manifest: Manifest
    private let documents: [NativeKey: NativeDocument]
    private let log = Log()

    private final class Log: Sendable {
        let questions = Mutex<[[ReadRequest]]>([])
    }

    init(_ documents: [NativeKey: NativeDocument], stamped: Bool = true, more: [String] = ["sale", "terms"]) {
        self.documents = documents
        var manifest = FakeDriver.make("documents", delete: .removes).manifest
        manifest.entities += more.map { FakeDriver.entity($0, "invoice", delete: .removes) }
        for place in manifest.entities.indices { manifest.entities[place].hasStamp = stamped }
        self.manifest = manifest
    }

    var asked: [NativeKey] { log.questions.withLock { $0.joined().map(\.key) } }
    /// What was asked for at once: types and companies, and documents.
    var questions: [(kinds: Int, count: Int)] {
        log.questions.withLock { $0.map { (Set($0.map { [$0.native, $0.company] }).count, $0.count) } }
    }
    func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] { batch.map { _ in .changed } }
    func probe() async throws(DriverError) -> ApplicationIdentity { ApplicationIdentity(instance: "documents", version: "1") }
    func close() async {}
    func lookUp(_ references: [LookUp]) async throws(DriverError) -> [[NativeDocument]] { references.map { _ in [] } }
    func read(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?] {
        log.questions.withLock { $0.append(references) }
        return references.map { documents[$0.key] }
    }
}

/// Rows of a feed, in the order in which they are there.
private struct Rows: Capturing {
    private let changes: [CapturedChange]

    init(_ changes: [CapturedChange]) { self.changes = changes }

    var manifest: Manifest { FakeDriver.make("rows", delete: .removes).manifest }
    func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] { batch.map { _ in .changed } }
    func probe() async throws(DriverError) -> ApplicationIdentity { ApplicationIdentity(instance: "rows", version: "1") }
    func close() async {}
    func capture(after position: String?, limit: Int) async throws(DriverError) -> CapturedBatch {
        let start = position.flatMap { Int($0) } ?? 0
        let some = changes.dropFirst(start).prefix(limit)
        return CapturedBatch(changes: Array(some), position: String(start + some.count))
    }
}

/// A feed that says the same each time.
private struct Signals: Capturing {
    private let changes: [CapturedChange]
    private let details: [String]

    init(_ changes: [CapturedChange], details: [String] = []) {
        self.changes = changes
        self.details = details
    }

    var manifest: Manifest { FakeDriver.make("signals", delete: .removes).manifest }
    func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] { batch.map { _ in .changed } }
    func probe() async throws(DriverError) -> ApplicationIdentity {
        ApplicationIdentity(instance: "signals", version: "1", details: details)
    }
    func close() async {}
    func capture(after position: String?, limit: Int) async throws(DriverError) -> CapturedBatch {
        CapturedBatch(changes: changes, position: "\(position ?? "")+\(changes.count)")
    }
}

private enum FakeReader: DriverFactory {
    static let name = "fake-reader"
    static let settings: [SettingDescription] = []
    static let mappings = FakeERP.mappings
    static func make(_ settings: DriverSettings) throws(DriverError) -> any Driver { Documents([:], more: []) }
    static func signal(_ settings: DriverSettings) throws(DriverError) -> SignalMap? {
        SignalMap(settings: ["tables": "partner: table=people"], companions: [.init(native: "bill", of: "partner")])
    }
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

/// The standard signal, which says what it was given.
private enum FakeTables: DriverFactory {
    static let name = "postgresql"
    static let settings = [
        SettingDescription("tables", "a line per table", isRequired: true), SettingDescription("connection", "where", isRequired: true),
    ]
    static let mappings: [BuiltinMapping] = []
    static func make(_ settings: DriverSettings) throws(DriverError) -> any Driver {
        Signals([], details: [settings.values["tables"] ?? "", settings.values["connection"] ?? ""])
    }
}
