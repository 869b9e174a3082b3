import Foundation
package import HubBus
package import HubConfiguration
package import HubDriver
import HubModel
import HubStore
package import Logging
import Synchronization

/// Reads what changes in an application and publishes it to its inbound topics.
///
/// The position moves on only when Kafka has the events, and is kept in a file beside the store: after a crash some are published again,
/// which their feed positions make harmless.
package final class CaptureWorker: Sendable {
    private let application: ApplicationConfiguration
    private let driver: any Capturing
    private let publication: FeedPublication
    private let logger: Logger
    /// Told what a person should look at, after the alarm's code.
    private let alarm: @Sendable (_ code: String, _ text: String) -> Void
    private let alarmAfter: Duration
    private let clock = HubClock()
    private let stops = Atomic<Bool>(false)
    private let bell = Bell()
    private let worker = Mutex<Worker?>(nil)
    private let position: Mutex<FeedPosition>
    /// The question that is under way.
    private let question = Mutex<Awaited<CapturedBatch, DriverError>?>(nil)

    private static let batch = 500
    /// Milliseconds between two looks, at least.
    private static let pause = 50
    private static let patience = Duration.seconds(60)
    /// Notices of one batch that become alarms.
    private static let mostNotices = 100

    /// - Parameters:
    ///   - alarmAfter: how long a feed has to stand still before `alarm` is told, at growing intervals from then on.
    package init(
        _ application: ApplicationConfiguration, driver: any Capturing, configuration: Configuration, bus: BusConfiguration, logger: Logger,
        alarmAfter: Duration = FeedTrouble.standardInterval, alarm: @escaping @Sendable (String, String) -> Void = { _, _ in }
    ) throws {
        self.application = application
        self.driver = driver
        self.logger = logger
        self.alarm = alarm
        self.alarmAfter = alarmAfter
        position = Mutex(try FeedFolder(configuration).position(of: application.id))
        publication = FeedPublication(application, producer: try BusProducer(bus), logger: logger)
    }

    package func start() {
        // The thread holds on to this object until it ends, also where nobody waits for that any more.
        worker.withLock { $0 = Worker("capture \(application.id)") { [self] in run() } }
    }

    package func stop(until deadline: ContinuousClock.Instant) {
        stops.store(true, ordering: .relaxed)
        bell.ring()
        question.withLock { $0 }?.set(.failure(DriverError(.noAnswer, "the hub stops")))
        if let worker = worker.withLock({ $0 }), !worker.join(until: deadline) {
            logger.warning("capture of \(application.id) did not end in time")
        }
        publication.close(deadline: deadline)
    }

    var id: ApplicationID { application.id }

    /// Looks again at once. However often it is called while a look is under way, one look follows.
    func nudge() { bell.ring() }

    private func run() {
        var trouble = FeedTrouble(firstInterval: alarmAfter)
        while !stops.load(ordering: .relaxed) {
            do {
                let count = try step()
                say(trouble.succeeded(now: clock.now()), nil)
                if count == 0 {
                    bell.wait(milliseconds: max(Self.pause, Int(driver.manifest.pollTime.milliseconds)))
                } else if count < Self.batch {
                    bell.wait(milliseconds: Self.pause)
                }
            } catch {
                if stops.load(ordering: .relaxed) { break }
                say(trouble.failed(now: clock.now()), error)
                bell.wait(milliseconds: trouble.wait)
            }
        }
        do { try position.withLock { try $0.save() } } catch {
            logger.warning("capture of \(application.id): the newest position is not saved, its last second is read again: \(error)")
        }
    }

    private func say(_ word: FeedTrouble.Word?, _ error: (any Error)?) {
        let reason = error.map { "\($0)" } ?? ""
        switch word {
        case .begun:
            logger.warning("capture of \(application.id) waits: \(reason)")
        case .lasting(let duration, let failures):
            let text = "capture of \(application.id) has waited for \(duration.milliseconds / 1000) s, \(failures) tries failed: \(reason)"
            logger.error("\(text)")
            alarm("capture-waits", text)
        case .over(let duration, let failures):
            logger.notice("capture of \(application.id) goes on after \(duration.milliseconds / 1000) s, \(failures) tries failed")
        case nil: break
        }
    }

    /// One look at the feed.
    ///
    /// - Returns: how many entries it found.
    private func step() throws -> Int {
        let known = position.withLock { $0.reached }
        let batch = try next(after: known)
        let count = batch.changes.count + batch.malformed.count
        if count > 0 {
            guard batch.position != nil else {
                throw DriverError(.protocolViolation, "\(count) changes came without a position behind them; they are not published")
            }
            try publication.publish(batch)
        }
        for notice in batch.notices.prefix(Self.mostNotices) {
            logger.warning("capture of \(application.id): \(notice)")
            alarm("capture-notice", notice)
        }
        if let reached = batch.position, reached != known {
            try position.withLock { try $0.move(to: reached, published: count > 0) }
        }
        return count
    }

    private func next(after known: String?) throws -> CapturedBatch {
        let driver = driver
        let answer = Awaited<CapturedBatch, DriverError>()
        question.withLock { $0 = answer }
        defer { question.withLock { $0 = nil } }
        if stops.load(ordering: .relaxed) { throw DriverError(.noAnswer, "the hub stops") }
        // Waited for right below; where the hub stops first, closing the driver ends it.
        Task {
            do throws(DriverError) {
                answer.set(
                    .success(
                        try await Deadline.run(Self.patience) { () throws(DriverError) in
                            try await driver.capture(after: known, limit: Self.batch)
                        }))
            } catch {
                answer.set(.failure(error))
            }
        }
        return try answer.wait().get()
    }
}
