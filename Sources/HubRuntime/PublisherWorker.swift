import HubBus
import HubModel
import HubRules
import HubStore
import Logging
import Synchronization

/// The outbox's thread: produces rows in order and clears what Kafka has.
final class PublisherWorker: Sendable {
    private let hub: RunningHub
    private let producer: BusProducer
    private let bell: Bell
    private let stops = Atomic<Bool>(false)
    private let worker = Mutex<Worker?>(nil)

    /// Rows of one transaction at Kafka, whose end takes some tens of milliseconds however many there are.
    private static let batch = 2000
    /// Rows in hand from which on the next ones are read while these are being produced.
    private static let stream = 200

    init(hub: RunningHub, producer: BusProducer, bell: Bell) {
        self.hub = hub
        self.producer = producer
        self.bell = bell
    }

    func start(epoch: Int64) {
        worker.withLock { $0 = Worker("outbox") { [unowned self] in run(OutboxPublisher(epoch: epoch)) } }
    }

    /// Ends when the outbox is empty, or at the deadline: what is left goes out at the next start.
    func stop(until deadline: ContinuousClock.Instant) {
        stops.store(true, ordering: .relaxed)
        bell.ring()
        if let worker = worker.withLock({ $0 }), !worker.join(until: deadline) { hub.logger.warning("the outbox was not emptied in time") }
        producer.close(deadline: deadline)
    }

    /// Rows that are read while those before them are being produced.
    private struct ReadAhead {
        let after: Int64
        let rows: Awaited<[OutboxRow], StoreError>
    }

    private func run(_ machine: OutboxPublisher) {
        var machine = machine
        var ahead: ReadAhead?
        var action = machine.start()
        while true {
            switch action {
            case .read(let after):
                do throws(StoreError) {
                    var rows: [OutboxRow] = []
                    if let ahead, ahead.after == after { rows = try ahead.rows.wait().get() }
                    if rows.isEmpty { rows = try hub.store.write { try $0.outbox(after: after, limit: Self.batch) } }
                    action = machine.loaded(rows)
                } catch {
                    return hub.fail(error, "the outbox cannot be read")
                }
                ahead = nil
            case .produce(let rows):
                if ahead == nil, rows.count >= Self.stream, let last = rows.last { ahead = readAhead(after: last.sequence) }
                action = produce(rows, &machine)
            case .clear(let last):
                clear(through: last, epoch: machine.epoch)
                action = machine.cleared()
            case .idle:
                if stops.load(ordering: .relaxed) { return }
                bell.wait(milliseconds: 1000)
                action = machine.start()
            }
        }
    }

    private func readAhead(after: Int64) -> ReadAhead {
        let answer = Awaited<[OutboxRow], StoreError>()
        hub.store.submit {
            try $0.outbox(after: after, limit: Self.batch)
        } completion: {
            answer.set($0)
        }
        return ReadAhead(after: after, rows: answer)
    }

    private func produce(_ rows: [OutboxRow], _ machine: inout OutboxPublisher) -> OutboxPublisher.Action {
        do throws(BusError) {
            try producer.produce(rows.map(\.record), deadline: .now + .seconds(30))
            return machine.produced()
        } catch {
            if stops.load(ordering: .relaxed) { return .idle }
            if error.code == .fenced || error.isFatal {
                hub.fail(error, "the outbox has another publisher, or its producer cannot go on")
                return .idle
            }
            if error.code == .recordTooLarge { return skip(rows, error, &machine) }
            hub.logger.warning("the outbox waits for Kafka: \(error)")
            bell.wait(milliseconds: 500)
            return machine.failed()
        }
    }

    /// Kafka never takes a record that is too large: it is told, and the others go on one by one.
    private func skip(_ rows: [OutboxRow], _ error: BusError, _ machine: inout OutboxPublisher) -> OutboxPublisher.Action {
        for row in rows {
            do throws(BusError) {
                try producer.produce([row.record], deadline: .now + .seconds(30))
            } catch {
                guard error.code == .recordTooLarge else { return machine.failed() }
                let key = row.record.key.map { String(decoding: $0, as: UTF8.self) } ?? ""
                hub.logger.error("\(row.record.topic): the record of \(key) is larger than Kafka takes and is not published: \(error)")
                let now = hub.clock.now()
                let record = row.record
                hub.store.submit { store in
                    _ = try store.append(
                        DeadLetter(
                            application: nil, record: record, code: "too-large",
                            reason: "the hub's own record of \(key) is larger than Kafka takes: raise message.max.bytes and replay it",
                            time: now))
                } completion: { _ in
                }
            }
        }
        return machine.produced()
    }

    private func clear(through last: Int64, epoch: Int64) {
        hub.store.submit { store in
            try store.check(epoch: epoch, RunningHub.outboxGroup, RunningHub.outboxPartition)
            try store.clearOutbox(through: last)
        } completion: { [self] result in
            // Rows that were not cleared are produced once more after a restart, which is harmless.
            if case .failure(let error) = result { hub.fail(error, "the outbox cannot be cleared") }
        }
    }
}
