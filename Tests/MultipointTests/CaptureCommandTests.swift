import Foundation
import HubBus
import HubDriver
import HubModel
import ReferenceCRM
import ReferenceERP
import Testing

@Suite("multipoint capture, beside run --no-capture", .serialized)
struct CaptureCommandTests {
    /// A command that runs until it is told to stop, at the latest with the test.
    private final class Running {
        private let process: Process
        private let errors: String
        private let program: Program

        init(_ program: Program, _ arguments: String...) throws {
            self.program = program
            process = program.process(arguments)
            errors = "\(arguments.joined(separator: "-")).err"
            try program.write(errors, "")
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle(forWritingAtPath: "\(program.folder)/\(errors)")
            try process.run()
        }

        deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

        var words: String { program.text(errors) }
        var isRunning: Bool { process.isRunning }

        /// Its exit code.
        func stop() -> Int32 {
            process.terminate()
            process.waitUntilExit()
            return process.terminationStatus
        }
    }

    private struct Missed: Error {
        var what: String
    }

    private func eventually(_ what: String, _ running: [Running], _ holds: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            if try await holds() { return }
            guard running.allSatisfy(\.isRunning) else { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Missed(what: "\(what); \(running.map(\.words).joined(separator: "\n"))")
    }

    /// What stands in topics on the bus.
    private struct Topics {
        let configuration: BusConfiguration

        init(_ program: Program) {
            configuration = BusConfiguration([
                "bootstrap.servers": program.text("bus.address").trimmingCharacters(in: .whitespacesAndNewlines)
            ])
        }

        func count(_ topic: String) throws -> Int64 {
            let admin = try BusAdmin(configuration)
            defer { admin.close() }
            return try admin.watermarks(of: [topic], deadline: .now + .seconds(20)).values.reduce(0) { $0 + $1.high - $1.low }
        }

        /// A record's key, its event, and where it stands.
        struct Place {
            var key: String
            var event: String
            var partition: Int32
        }

        /// Every record of a topic.
        func places(_ topic: String) throws -> [Place] {
            let wanted = try count(topic)
            let consumer = try BusConsumer(
                configuration, group: "keys", topics: [topic],
                assigned: { partitions, _ in Dictionary(uniqueKeysWithValues: partitions.map { ($0, .beginning) }) },
                revoked: { _, _ in [:] })
            defer { consumer.close() }
            var places: [Place] = []
            let end = ContinuousClock.now + .seconds(60)
            while places.count < wanted, ContinuousClock.now < end {
                places += consumer.take(max: 100, wait: 100).records.map { record in
                    Place(
                        key: String(decoding: record.key ?? [], as: UTF8.self), event: record.header("ce_id") ?? "",
                        partition: record.partition)
                }
            }
            return places
        }
    }

    @Test("it alone publishes, a document's events under one key in one partition, and goes on where it was", .timeLimit(.minutes(4)))
    func capture() async throws {
        // The small bus waits for every heartbeat before a group has its partitions.
        let text = Program.configuration.replacing(
            "{ file: bus.address }",
            with: "{ file: bus.address }, session.timeout.ms: 6000, heartbeat.interval.ms: 100, fetch.wait.max.ms: 10, "
                + "topic.metadata.refresh.fast.interval.ms: 50")
        let program = try Program(files: Program.files.merging(["hub.yaml": text]) { $1 })
        // It refuses to create topics when it is asked to, and takes its time for that.
        let inbound = ["crm.account", "crm.item", "crm.deal", "crm.bill", "erp.partner", "erp.article", "erp.sales_order", "erp.invoice"]
        let own = ["customer", "product", "order", "invoice", "outcomes"].map { "acme.\($0)" }
        let bus = try BusTests.Bus(program, topics: (inbound + own).map { "\($0):4" }.joined(separator: ","))
        let topics = Topics(program)
        let crm = try CRMApplication(path: program.folder + "/data/crm.db")
        let made = try ReferenceERPFactory.make(DriverSettings(application: "erp", values: ["file": program.folder + "/data/erp.db"]))
        let erp = try #require(made as? any Paging)
        func partners() async throws -> [NativeDocument] {
            try await erp.page(native: "partner", company: nil, after: nil, limit: 100).documents
        }

        let hub = try Running(program, "run", "--no-capture")
        let first = try Running(program, "capture", "--application", "crm")
        var accounts: [NativeKey] = []
        for number in 1...6 { accounts.append(try await crm.createAccount(["name": .string("Customer \(number)")])) }
        try await eventually("six partners", [hub, first]) { try await partners().count == 6 }
        for edit in 1...3 {
            for account in accounts { try await crm.editAccount(account, ["phone": .string("+33 \(edit)")]) }
        }
        try await eventually("24 events", [hub, first]) { try topics.count("crm.account") == 24 }
        // Nobody captures the ERP: what the hub wrote there is not heard, and nothing else is written before that.
        #expect(try topics.count("erp.partner") == 0)
        #expect(try await partners().allSatisfy { ($0.fields["phone"] ?? .null).isNull })
        let refused = try program.run("capture", "--application", "shop")
        #expect(refused.code == 2 && refused.errors.contains("--application shop: there is no such application"), "\(refused.errors)")

        let second = try Running(program, "capture", "--application", "erp")
        try await eventually("the edits", [hub, first, second]) {
            try await partners().allSatisfy { $0.fields["phone"]?.text == "+33 3" }
        }
        #expect(first.stop() == 0 && second.stop() == 0)

        // What was told is not told again.
        try await crm.editAccount(accounts[0], ["phone": "+44 1"])
        let both = try Running(program, "capture")
        try await eventually("the last edit", [hub, both]) { try await partners().contains { $0.fields["phone"]?.text == "+44 1" } }

        let places = try topics.places("crm.account")
        #expect(Set(places.map(\.event)).count == places.count && places.count > 24)
        #expect(Set(places.map(\.key)) == Set(accounts.map { "account/\($0)" }))
        for (key, records) in Dictionary(grouping: places, by: \.key) {
            #expect(Set(records.map(\.partition)).count == 1, "\(key) stands in \(records.map(\.partition))")
        }
        #expect(both.stop() == 0 && hub.stop() == 0)
        #expect(bus.end() == 0)
        await made.close()
    }
}
