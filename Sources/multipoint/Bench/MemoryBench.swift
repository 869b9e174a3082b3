import Foundation
import HubBus
import HubModel
import HubRuntime
import Logging

/// The peak memory of a hub's process while events pass: the bus is a process of its own, so that what it keeps does not count.
struct MemoryBench {
    let size: BenchSize
    private static let customers = 10_000
    /// Events on their way at once at most: what the embedded bus certainly still holds.
    private static let window = 4_000

    func rows() throws -> [BenchRow] {
        let few = size.memoryEvents / 10
        let small = try peak(few)
        let large = try peak(size.memoryEvents)
        return [
            BenchRow(
                name: "memory",
                what: "peak (VmHWM) of a hub's own process while \(size.memoryEvents) events pass: updates of "
                    + "\(Self.customers) customers, mediated and delivered, echoes heard, a bus outside, fed at the pace of consumption; "
                    + "baseline: the same with \(few) events", values: [large], unit: "MB", baselines: [small], target: .atMost(250),
                // Equal but for noise.
                ratioTarget: .atMost(1.1))
        ]
    }

    /// Megabytes.
    private func peak(_ events: Int) throws -> Double {
        let folder = NSTemporaryDirectory() + "multipoint-memory-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let address = folder + "/bus.address"
        let bus = try BenchProcess(["bus", "--port-file", address, "--partitions", "\(BenchHub.partitions)"])
        defer { bus.end() }
        let deadline = ContinuousClock.now + .seconds(20)
        while !FileManager.default.fileExists(atPath: address) {
            guard ContinuousClock.now < deadline else { throw BenchFailure("the bus did not start") }
            Thread.sleep(forTimeInterval: 0.05)
        }
        let text = String(decoding: FileManager.default.contents(atPath: address) ?? Data(), as: UTF8.self)
        let bootstrap = text.trimmingCharacters(in: .whitespacesAndNewlines)
        let pipe = Pipe()
        let hub = try BenchProcess(["bench", "--hub", bootstrap], output: pipe)
        defer { hub.end() }
        return try feed(events, bootstrap, hub.process, pipe.fileHandleForReading)
    }

    private func feed(_ events: Int, _ bootstrap: String, _ hub: Process, _ progress: FileHandle) throws -> Double {
        var configuration = BusConfiguration(["bootstrap.servers": bootstrap])
        configuration.logger = Logger(label: "multipoint.bus") { _ in SwiftLogNoOpLogHandler() }
        let producer = try BusProducer(configuration)
        defer { producer.close() }
        var lines = LineBuffer(progress)
        var sent = 0
        var ended = 0
        let total = events + Self.customers
        while ended < total {
            guard let line = lines.next() else { throw BenchFailure("the hub's process has ended early") }
            ended = Int(line) ?? ended
            BenchProgress.tell("memory: \(ended) of \(total) events")
            // Customers are created first, and have to be known everywhere before they are updated.
            let limit = ended < Self.customers ? Self.customers : total
            let until = min(limit, ended + Self.window)
            guard until > sent else { continue }
            let records = try (sent..<until).map { serial in
                try BenchCustomer.record(
                    serial % Self.customers, serial: serial + 1, phone: BenchCustomer.phone(serial), topic: BenchHub.inbound)
            }
            try producer.produce(records, deadline: .now + .seconds(60))
            sent = until
        }
        return try Self.highWaterMark(hub.processIdentifier)
    }

    private static func highWaterMark(_ process: Int32) throws -> Double {
        let status = String(decoding: FileManager.default.contents(atPath: "/proc/\(process)/status") ?? Data(), as: UTF8.self)
        for line in status.split(separator: "\n") where line.hasPrefix("VmHWM:") {
            let parts = line.split(whereSeparator: \.isWhitespace)
            if parts.count >= 2, let kilobytes = Double(parts[1]) { return kilobytes / 1000 }
        }
        throw BenchFailure("the hub's process has no VmHWM")
    }

    /// The hub's own process: prints how many events have gone all the way, until it is told to end.
    static func runHub(_ bootstrap: String, _ interruption: Interruption) throws {
        var options = BenchHub.Options()
        options.address = bootstrap
        let bench = try BenchHub(options)
        defer { bench.close() }
        while !interruption.hasArrived {
            if let failure = bench.hub.failed { throw BenchFailure("\(failure)") }
            Output.line("\(try min(bench.mediated(), bench.delivered("erp"), bench.delivered("crm")))")
            Thread.sleep(forTimeInterval: 0.05)
        }
    }

    /// Lines of a pipe.
    private struct LineBuffer {
        private let file: FileHandle
        private var rest = Data()

        init(_ file: FileHandle) { self.file = file }

        /// The newest whole line that has arrived; nil at the end.
        mutating func next() -> String? {
            while true {
                let data = file.availableData
                guard !data.isEmpty else { return nil }
                rest.append(data)
                guard let last = rest.lastIndex(of: 0x0A) else { continue }
                let whole = rest[..<last]
                let line = whole.lastIndex(of: 0x0A).map { whole[whole.index(after: $0)...] } ?? whole
                let text = String(decoding: line, as: UTF8.self)
                rest = Data(rest[rest.index(after: last)...])
                return text
            }
        }
    }
}
