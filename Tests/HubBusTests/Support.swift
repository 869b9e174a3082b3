import Glibc
import HubModel
import Logging
import Testing

@testable import HubBus

/// Runs blocking code on a thread of its own: tests share the cooperative pool, which must not be blocked. It stays within the test's
/// task, so that what it expects counts for the test.
func blocking<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withTaskExecutorPreference(ThreadPerJob()) { try body() }
}

private final class ThreadPerJob: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        do {
            _ = try BusThread("test") { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        } catch {
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}

/// An embedded bus that is closed when `body` ends.
func withBus<R: Sendable>(
    brokers: Int = 1, _ topics: [String: Int], _ body: @escaping @Sendable (EmbeddedBus) throws -> R
) async throws -> R {
    try await blocking {
        let bus = try EmbeddedBus(brokers: brokers, topics: topics, logger: .quiet)
        defer { bus.close() }
        return try body(bus)
    }
}

extension Logger {
    /// Faults are injected on purpose: what the library says about them would drown the results.
    static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

extension EmbeddedBus {
    func configuration(_ more: [String: String] = [:]) -> BusConfiguration {
        BusConfiguration(suggestedProperties.merging(more) { $1 }, logger: .quiet)
    }

    func produce(_ records: [Record], seconds: Int = 15) throws {
        let producer = try BusProducer(configuration())
        defer { producer.close() }
        try producer.produce(records, deadline: .in(seconds))
    }

    /// A consumer that starts everywhere at the beginning and commits nothing on revocation.
    func consumer(
        _ topics: [String], group: String = "g", limits: BusConsumer.Limits = .init(), more: [String: String] = [:],
        start: @escaping @Sendable (TopicPartition) -> StartOffset = { _ in .beginning }
    ) throws -> BusConsumer {
        try BusConsumer(configuration(more), group: group, topics: topics, limits: limits) { partitions, _ in
            Dictionary(uniqueKeysWithValues: partitions.map { ($0, start($0)) })
        } revoked: { _, _ in
            [:]
        }
    }
}

extension ContinuousClock.Instant {
    static func `in`(_ seconds: Int) -> Self { .now + .seconds(seconds) }
}

extension BusConsumer {
    /// Takes until enough records have come, or the time is over.
    func collect(_ count: Int, seconds: Int = 25, max: Int = 1_000, events: (Event) -> Void = { _ in }) -> [Record] {
        var records: [Record] = []
        let deadline = ContinuousClock.Instant.in(seconds)
        while records.count < count, ContinuousClock.now < deadline {
            let batch = take(max: max, wait: 200)
            records += batch.records
            batch.events.forEach(events)
            if batch.isClosed { break }
        }
        return records
    }

    /// Takes until an event answers, or the time is over.
    func firstEvent<R>(seconds: Int = 25, _ pick: (Event) -> R?) -> R? {
        let deadline = ContinuousClock.Instant.in(seconds)
        while ContinuousClock.now < deadline {
            for event in take(max: 1_000, wait: 200).events { if let result = pick(event) { return result } }
        }
        return nil
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func text(_ bytes: [UInt8]?) -> String { bytes.map { String(decoding: $0, as: UTF8.self) } ?? "nil" }

/// Numbers that are the same in every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

enum Thread {
    /// For tests that need time to pass at a broker.
    static func sleep(milliseconds: UInt32) { usleep(milliseconds * 1_000) }
}

/// Something that goes on beside a test.
final class Beside: Sendable {
    private let thread: BusThread
    init(_ body: @escaping @Sendable () -> Void) throws { thread = try BusThread("beside", body) }
    func join() { thread.join() }
}
