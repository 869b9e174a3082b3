import Foundation
import HubModel
import HubStore
import PostgresClient
import Testing

/// A kind of store under the contract's tests. A further kind is one more element of ``all``.
struct StoreKind: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// An empty store; the folder is the test's own.
    var make: @Sendable (_ folder: TemporaryFolder) throws -> any Store

    /// What the test leaves behind outside its folder.
    var cleanUp: @Sendable (_ folder: TemporaryFolder) -> Void = { _ in }

    static let all: [StoreKind] = embedded + PostgresServer.kinds

    private static let embedded: [StoreKind] = [
        StoreKind(testDescription: "memory") { _ in MemoryStore() },
        StoreKind(testDescription: "SQLite") { folder in try SQLiteStore(path: folder.path("hub.db")) },
        StoreKind(testDescription: "SQLite, hardly any memory") { folder in try SQLiteStore(path: folder.path("hub.db"), options: .tiny) },
    ]

    /// Runs a test on an empty store.
    func run(_ test: (any Store) throws -> Void) throws {
        let folder = try TemporaryFolder()
        defer {
            cleanUp(folder)
            folder.remove()
        }
        let store = try make(folder)
        defer { store.close() }
        try test(store)
    }
}

/// The server that MULTIPOINT_POSTGRES names; each test has a schema of its own there.
enum PostgresServer {
    static let connection = ProcessInfo.processInfo.environment["MULTIPOINT_POSTGRES"]

    static let kinds: [StoreKind] = {
        guard connection != nil else {
            print("The store on PostgreSQL is not tested, since MULTIPOINT_POSTGRES names no server.")
            return []
        }
        return [
            StoreKind(testDescription: "PostgreSQL", make: { try make($0) { _ in } }, cleanUp: drop),
            StoreKind(testDescription: "PostgreSQL, hardly any memory", make: { try make($0) { $0.shrink() } }, cleanUp: drop),
        ]
    }()

    static func schema(_ folder: TemporaryFolder) -> String {
        "store_" + folder.folder.suffix(36).lowercased().filter { $0 != "-" }
    }

    static func options(_ folder: TemporaryFolder) -> PostgresStoreOptions {
        let connection = connection ?? ""
        var options = PostgresStoreOptions(
            connection + (connection.contains("?") ? "&" : "?") + "options=-csearch_path%3D\(schema(folder))")
        options.server.name = schema(folder)
        return options
    }

    static func make(_ folder: TemporaryFolder, _ change: (inout PostgresStoreOptions) -> Void) throws -> PostgresStore {
        try script("CREATE SCHEMA IF NOT EXISTS \(schema(folder))")
        var options = options(folder)
        change(&options)
        return try PostgresStore(options)
    }

    @Sendable static func drop(_ folder: TemporaryFolder) { try? script("DROP SCHEMA IF EXISTS \(schema(folder)) CASCADE") }

    static func script(_ sql: String) throws {
        let connection = try PostgresConnection(PostgresOptions(connection ?? ""))
        defer { connection.close() }
        try connection.script(sql)
    }
}

extension PostgresStoreOptions {
    mutating func shrink() {
        limits.cachedGoldenRecords = 2
        limits.cachedTargets = 3
        limits.outboxRowsInMemory = 4
        limits.queueLength = 2
        limits.transactionsPerCommit = 3
    }
}

extension SQLiteOptions {
    static var tiny: SQLiteOptions {
        var options = SQLiteOptions()
        options.limits.cachedGoldenRecords = 2
        options.limits.cachedTargets = 3
        options.limits.outboxRowsInMemory = 4
        options.limits.queueLength = 2
        options.limits.transactionsPerCommit = 3
        return options
    }
}

struct TemporaryFolder: Sendable {
    let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "store-tests-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    func path(_ name: String) -> String { folder + "/" + name }
    func remove() { try? FileManager.default.removeItem(atPath: folder) }
}

/// What a body throws to give its transaction up.
struct GivenUp: Error, Equatable {
    var number = 0
}

let crm: ApplicationID = "crm"
let erp: ApplicationID = "erp"
let customer: EntityName = "customer"
let order: EntityName = "order"

func at(_ milliseconds: Int64) -> Instant { Instant(milliseconds: milliseconds) }

func golden(_ id: CanonicalID, _ entity: EntityName = customer, number: Int = 1, name: String = "Ann", isDeleted: Bool = false)
    -> GoldenRecord
{
    GoldenRecord(
        id: id, entity: entity, version: Version(generation: 1, number: number), isDeleted: isDeleted,
        fields: ["name": .string(name), "limit": .number(Number(250, scale: 2))],
        provenance: ["name": Provenance(time: at(5), application: crm, event: "e1")])
}

func waitingState(_ reason: TargetState.Wait.Reason, awaits: CanonicalID? = nil, until: Int64? = nil, since: Int64) -> TargetState {
    var state = TargetState()
    state.wait = .init(reason, awaits: awaits, until: until.map { at($0) }, since: at(since))
    return state
}

/// A target whose create was sent then and has not been resolved.
func intentState(sent: Int64) -> TargetState {
    var state = TargetState()
    state.written = [.init(id: 1, fields: ["name": "Ann"], isCreate: true, sent: at(sent))]
    return state
}

func event(_ document: NativeReference, _ awaits: WaitingEvent.Awaited, since: Int64 = 1, value: String = "{}") -> WaitingEvent {
    WaitingEvent(
        document: document, awaits: awaits,
        record: Record(topic: "crm.customer", partition: 3, offset: 17, timestamp: 99, key: [], value: Array(value.utf8)), since: at(since))
}

func outboxRow(_ value: String, topic: String = "hub.customer") -> OutboxRow {
    OutboxRow(record: Record(topic: topic, key: Array("k".utf8), value: Array(value.utf8)))
}

/// The error that the work ends with; a failed test where it ends well.
func storeError(_ work: () throws -> Void, _ location: SourceLocation = #_sourceLocation) -> StoreError? {
    do {
        try work()
        Issue.record("Nothing was thrown.", sourceLocation: location)
        return nil
    } catch let error as StoreError {
        return error
    } catch {
        Issue.record("Not a StoreError: \(error)", sourceLocation: location)
        return nil
    }
}

extension Target {
    /// Of an entity that all companies share.
    init(_ application: ApplicationID, _ id: CanonicalID) { self.init(application, .shared, id) }
}

extension NativeReference {
    /// Of an entity that all companies share.
    init(_ application: ApplicationID, _ entity: EntityName, _ key: NativeKey) { self.init(application, .shared, entity, key) }
}
