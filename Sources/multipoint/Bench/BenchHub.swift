import Foundation
import HubBus
import HubConfiguration
import HubDriver
import HubModel
import HubRuntime
import HubStore
import Logging

/// A real hub in a folder of its own, between a CRM that is only a topic and an application that does nothing.
final class BenchHub {
    let folder: String
    let configuration: Configuration
    let store: any Store
    let hub: RunningHub
    let producer: BusProducer
    let driver: BenchDriver
    private let embedded: EmbeddedBus?
    private var serial = 0

    static let inbound = "crm.account"
    static let partitions = 16

    struct Options {
        /// The applications are delivered to, and their feeds are captured.
        var delivers = true
        var hasToken = true
        /// A PostgreSQL server that has the store; nil: a file.
        var server: String?
        /// A bus elsewhere; nil for one in this process.
        var address: String?
    }

    init(_ options: Options = Options()) throws {
        folder = NSTemporaryDirectory() + "multipoint-bench-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let file = folder + "/hub.yaml"
        let text = """
            hub: bench
            bus: { embedded: true, partitions: \(Self.partitions) }
            store: hub.db
            applications:
              crm: { driver: bench }
              erp: { driver: bench, token: "\(options.hasToken ? "yes" : "no")" }
            entities:
              customer: { owner: crm }
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        configuration = try Configuration.load(file, catalog: [BenchDriverFactory.self], environment: [:])
        guard let driver = configuration.application("erp")?.driver as? BenchDriver else { throw BenchFailure("no driver") }
        self.driver = driver
        store =
            if let server = options.server { try PostgresStore(PostgresStoreOptions(server)) } else {
                try SQLiteStore(path: configuration.storePath)
            }
        var bus: BusConfiguration
        if let address = options.address {
            embedded = nil
            bus = BusConfiguration(["bootstrap.servers": address, "fetch.wait.max.ms": "10"])
        } else {
            let made = try EmbeddedBus(partitions: Self.partitions)
            embedded = made
            bus = made.configuration
        }
        bus.logger = Logger(label: "multipoint.bus") { _ in SwiftLogNoOpLogHandler() }
        var choices = RunningHub.Options()
        choices.captures = options.delivers
        choices.delivers = options.delivers
        choices.embedded = embedded
        hub = RunningHub(configuration: configuration, store: store, bus: bus, options: choices)
        producer = try BusProducer(bus)
        try hub.start()
    }

    func close() {
        hub.stop()
        producer.close()
        store.close()
        embedded?.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Statements that the store has run so far.
    var statementCount: Int {
        (store as? SQLiteStore)?.statementCount ?? (store as? PostgresStore)?.statementCount ?? 0
    }

    // MARK: Feeding

    /// Events that each change one customer's phone, spread evenly.
    func events(_ count: Int, of customers: Int) throws -> [Record] {
        try (0..<count).map { index in
            serial += 1
            return try BenchCustomer.record(
                index % customers, serial: serial, phone: BenchCustomer.phone(serial), topic: Self.inbound)
        }
    }

    /// The next event, whose phone is the given text.
    func event(_ number: Int, phone: String) throws -> Record {
        serial += 1
        return try BenchCustomer.record(number, serial: serial, phone: phone, topic: Self.inbound)
    }

    func send(_ records: [Record]) throws {
        var start = 0
        while start < records.count {
            let end = min(start + 1000, records.count)
            try producer.submit(Array(records[start..<end]), deadline: .now + .seconds(30)) { _ in }
            start = end
        }
    }

    // MARK: Watching

    /// Events that have ended in mediation, the CRM's all of them worked in.
    /// - Throws: where one has ended otherwise, as that would be measuring something else.
    func mediated(_ topic: String = inbound) throws -> Int {
        let ends = try store.write { try $0.eventEnds() }.filter { $0.topic == topic }
        let wanted: EventEnd = topic == Self.inbound ? .accepted : .echo
        if let other = ends.first(where: { $0.end != wanted && $0.count > 0 }) {
            throw BenchFailure("\(other.count) events of \(topic) have ended as \(other.end.rawValue), not as \(wanted.rawValue)")
        }
        return ends.map(\.count).reduce(0, +)
    }

    func isOutboxEmpty() throws -> Bool { try store.write { try $0.outbox(after: 0, limit: 1) }.isEmpty }

    /// Golden versions that have ended in that application: written, unchanged or superseded.
    func delivered(_ application: ApplicationID) throws -> Int {
        let counts = try store.write { try $0.outcomeCounts() }.filter { $0.application == application }
        if let other = counts.first(where: { [.rejected, .dead].contains($0.kind) && $0.count > 0 }) {
            throw BenchFailure("\(other.count) deliveries to \(application) have ended as \(other.kind.rawValue)")
        }
        return counts.filter { $0.kind != .waiting }.map(\.count).reduce(0, +)
    }

    func wait(_ what: String, atMost limit: Duration = .seconds(120), step: Double = 0.02, until condition: () throws -> Bool) throws {
        let end = ContinuousClock.now + limit
        while try !condition() {
            if let failure = hub.failed { throw BenchFailure("\(what): \(failure)") }
            if ContinuousClock.now > end { throw BenchFailure("\(what) has not happened within \(limit)") }
            Thread.sleep(forTimeInterval: step)
        }
    }

    /// Creates the customers, and waits until they have gone all the way.
    func create(_ customers: Int, delivers: Bool) throws {
        try send(try events(customers, of: customers))
        try wait("creating \(customers) customers") { try mediated() >= customers && isOutboxEmpty() }
        if delivers { try settle(versions: customers) }
    }

    /// Waits until every version has ended everywhere and every echo has been heard.
    func settle(versions: Int) throws {
        try wait("delivery of \(versions) versions") { try delivered("erp") >= versions && delivered("crm") >= versions }
        let applied = driver.applied
        try wait("echoes of \(applied) deliveries") { try mediated("erp.account") >= applied && isOutboxEmpty() }
    }

    func request(_ command: OperatorRequest.Command) throws {
        let request = OperatorRequest(command)
        try configuration.requests.submit(request)
        let path = configuration.requests.folder + "/" + request.id + ".reply"
        try wait("\(command)") { FileManager.default.fileExists(atPath: path) }
        try FileManager.default.removeItem(atPath: path)
        // The reply comes a moment before the engines hear of it.
        Thread.sleep(forTimeInterval: 0.2)
    }
}
