import Foundation
package import HubBus
import HubCodec
package import HubConfiguration
package import HubDriver
import HubModel
package import Logging
import Synchronization

/// Reads what changes in an application and publishes it to its inbound topics.
///
/// The position moves on only when Kafka has the events, and is kept in a file beside the store: after a crash some are published again,
/// which their feed positions make harmless.
package final class CaptureWorker: Sendable {
    private let application: ApplicationConfiguration
    private let driver: any Capturing
    private let producer: BusProducer
    private let logger: Logger
    private let positionFile: String
    private let stops = Atomic<Bool>(false)
    private let bell = Bell()
    private let worker = Mutex<Worker?>(nil)
    private let position = Mutex<String?>(nil)

    private static let batch = 500
    /// Between looks at a feed that had nothing new.
    private static let pause = 50

    package init(
        _ application: ApplicationConfiguration, driver: any Capturing, configuration: Configuration, bus: BusConfiguration, logger: Logger
    ) throws {
        self.application = application
        self.driver = driver
        self.logger = logger
        producer = try BusProducer(bus)
        let folder = configuration.storePath + ".capture"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        positionFile = folder + "/\(application.id).position"
        let stored = FileManager.default.contents(atPath: positionFile).map { String(decoding: $0, as: UTF8.self) }
        position.withLock { $0 = stored }
    }

    package func start() {
        worker.withLock { $0 = Worker("capture \(application.id)") { [unowned self] in run() } }
    }

    package func stop(until deadline: ContinuousClock.Instant) {
        stops.store(true, ordering: .relaxed)
        bell.ring()
        if let worker = worker.withLock({ $0 }), !worker.join(until: deadline) {
            logger.warning("capture of \(application.id) did not end in time")
        }
        producer.close(deadline: deadline)
    }

    private func run() {
        var failures = 0
        while !stops.load(ordering: .relaxed) {
            do {
                let isBusy = try step()
                failures = 0
                if !isBusy { bell.wait(milliseconds: Self.pause) }
            } catch {
                failures += 1
                let wait = min(30_000, 100 << min(failures, 10))
                if failures == 1 { logger.warning("capture of \(application.id) waits: \(error)") }
                bell.wait(milliseconds: wait)
            }
        }
    }

    /// One look at the feed; true where there may be more at once.
    private func step() throws -> Bool {
        let batch = try next()
        guard !batch.changes.isEmpty else { return false }
        let encoder = CloudEventEncoder(source: "/\(application.id)")
        var records: [Record] = []
        for change in batch.changes {
            // Types that no mapping is for are not published at all.
            guard let topic = application.topics[change.event.type] else { continue }
            var record = try encoder.encode(change.event, data: change.fields.map { .object($0) }, topic: topic)
            // One document's events stay in one partition.
            record.key = change.event.key.map { Array("\(change.event.type)/\($0)".utf8) }
            record.partition = -1
            records.append(record)
        }
        try producer.produce(records, deadline: .now + .seconds(30))
        if let reached = batch.position {
            try Data(reached.utf8).write(to: URL(fileURLWithPath: positionFile), options: .atomic)
            position.withLock { $0 = reached }
        }
        return batch.changes.count == Self.batch
    }

    private func next() throws -> CapturedBatch {
        let after = position.withLock { $0 }
        let driver = driver
        let result = Mutex<Result<CapturedBatch, DriverError>?>(nil)
        let done = Bell()
        // Waited for right below.
        Task {
            let outcome: Result<CapturedBatch, DriverError>
            do throws(DriverError) {
                outcome = .success(
                    try await Deadline.run(.seconds(60)) { () throws(DriverError) in
                        try await driver.capture(after: after, limit: Self.batch)
                    })
            } catch {
                outcome = .failure(error)
            }
            result.withLock { $0 = outcome }
            done.ring()
        }
        while true {
            if let outcome = result.withLock({ $0 }) { return try outcome.get() }
            done.wait(milliseconds: 1000)
        }
    }
}
