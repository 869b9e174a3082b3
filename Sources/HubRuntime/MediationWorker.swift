import HubBus
import HubMediation
import HubModel
import HubRules
import HubStore
import Logging
import Synchronization

/// Mediation's thread: takes batches from the inbound topics, prepares them, and commits each as one transaction with its offsets.
final class MediationWorker: Sendable {
    private let hub: RunningHub
    /// The inbound topics that it reads: a hub with others needs another worker.
    let topics: [String]
    private let state = Mutex(State())
    private let stops = Atomic<Bool>(false)
    private let consumer = Mutex<BusConsumer?>(nil)
    private let worker = Mutex<Worker?>(nil)
    /// Rung when a transaction has been committed.
    private let committed = Bell()

    private struct State {
        /// The store's epoch of each partition held.
        var epochs: [TopicPartition: Int64] = [:]
        /// The next offset by what has been committed to the store.
        var offsets: [TopicPartition: Int64] = [:]
        /// What Kafka may not know yet of the store's offsets: after an assignment, or where a commit failed.
        var uncommitted: Set<TopicPartition> = []
        /// Behind the last record taken, for batches that follow each other while the first is still under way.
        var positions: [TopicPartition: Int64] = [:]
        /// Transactions under way.
        var pending = 0
        /// What has been committed, to be let go on mediation's thread: taking thousands of records apart would hold up the store.
        var spent: [[Mediator.Batch]] = []
        var releases = false
    }

    /// Transactions that may be under way: some are decided, and share a commit, while the next is prepared.
    private static let depth = 4
    private static let batch = 500

    init(hub: RunningHub, topics: [String]) {
        self.hub = hub
        self.topics = topics
    }

    func start() throws(BusError) {
        let made = try BusConsumer(
            hub.consumerBus, group: hub.plan.mediationGroup, topics: topics, limits: RunningHub.inboxLimits,
            assigned: { [unowned self] partitions, _ in try assigned(partitions) },
            revoked: { [unowned self] partitions, lost in revoked(partitions, lost: lost) })
        consumer.withLock { $0 = made }
        worker.withLock { $0 = Worker("mediation") { [unowned self] in run(made) } }
    }

    func stop(until deadline: ContinuousClock.Instant) {
        stops.store(true, ordering: .relaxed)
        if let worker = worker.withLock({ $0 }), !worker.join(until: deadline) { hub.logger.warning("mediation did not end in time") }
        if let consumer = consumer.withLock({ $0 }), !consumer.close(until: RunningHub.closingEnd(deadline)) {
            hub.logger.warning("the Kafka client of \(hub.plan.mediationGroup) did not end in time")
        }
    }

    /// A link or the end of a create may have ended waits.
    func release() {
        state.withLock { $0.releases = true }
    }

    // MARK: Assignment, on the polling thread

    private func assigned(_ partitions: [TopicPartition]) throws -> [TopicPartition: StartOffset] {
        let group = hub.plan.mediationGroup
        let held = try hub.store.write { store in
            try partitions.map { (partition: $0, epoch: try store.raiseEpoch(group, $0), offset: try store.offset(group, $0)) }
        }
        state.withLock { state in
            for (partition, epoch, offset) in held {
                state.epochs[partition] = epoch
                state.offsets[partition] = offset
                state.positions[partition] = offset
                if offset != nil { state.uncommitted.insert(partition) }
            }
        }
        return Dictionary(uniqueKeysWithValues: held.map { ($0.partition, $0.offset.map { .offset($0) } ?? .beginning) })
    }

    private func revoked(_ partitions: [TopicPartition], lost: Bool) -> [TopicPartition: Int64] {
        drain(until: .now + .seconds(5))
        return state.withLock { state in
            let offsets = state.offsets.filter { partitions.contains($0.key) }
            for partition in partitions {
                state.epochs[partition] = nil
                state.offsets[partition] = nil
                state.positions[partition] = nil
            }
            return offsets
        }
    }

    private func drain(until deadline: ContinuousClock.Instant) {
        while state.withLock({ $0.pending > 0 }), ContinuousClock.now < deadline { committed.wait(milliseconds: 50) }
    }

    // MARK: The thread

    private func run(_ consumer: BusConsumer) {
        while !stops.load(ordering: .relaxed) {
            let batch = consumer.take(max: Self.batch, wait: 50)
            if batch.isClosed { return }
            // Records first: an event about a partition stands behind its records of the same batch.
            if !batch.records.isEmpty { submit(batch, consumer) }
            for event in batch.events { handle(event, consumer) }
            commitAgain(consumer)
            if state.withLock({ state in
                defer { state.releases = false }
                return state.releases
            }) {
                releaseWaiting()
            }
        }
        drain(until: .now + .seconds(8))
    }

    private func commitAgain(_ consumer: BusConsumer) {
        let uncommitted = state.withLock { state in
            defer { state.uncommitted = [] }
            return state.offsets.filter { state.uncommitted.contains($0.key) }
        }
        if !uncommitted.isEmpty { _ = try? consumer.commit(uncommitted) }
    }

    private func submit(_ batch: BusConsumer.Batch, _ consumer: BusConsumer) {
        let now = hub.clock.now()
        // One look for the whole batch: it is translated and worked in under the same mappings.
        let (plan, pipeline) = hub.rules
        var batches: [TopicPartition: Mediator.Batch] = [:]
        for record in batch.records {
            let partition = TopicPartition(record.topic, record.partition)
            let result = pipeline.prepare(record, now: now)
            if batches[partition] == nil {
                let (epoch, position) = state.withLock { ($0.epochs[partition], $0.positions[partition]) }
                guard let epoch else { continue }
                batches[partition] = Mediator.Batch(partition: partition, epoch: epoch, records: [], from: position, nextOffset: 0)
            }
            batches[partition]?.records.append((record, result))
            batches[partition]?.nextOffset = record.offset + 1
        }
        let work = batches.values.sorted { $0.partition < $1.partition }
        while state.withLock({ $0.pending >= Self.depth }) { committed.wait(milliseconds: 100) }
        // What is spent ends here, outside the lock.
        _ = state.withLock { state in
            defer { state.spent = [] }
            state.pending += 1
            for batch in work { state.positions[batch.partition] = batch.nextOffset }
            return state.spent
        }
        hub.store.submit { store in
            let mediator = Mediator(plan: plan, pipeline: pipeline)
            var releases = false
            for batch in work where try mediator.commit(batch, now: now, in: store) { releases = true }
            return releases
        } completion: { [self] result in
            done(work, result, consumer)
        }
    }

    private func done(_ work: [Mediator.Batch], _ result: Result<Bool, StoreError>, _ consumer: BusConsumer) {
        switch result {
        case .success(let releases):
            let offsets = Dictionary(uniqueKeysWithValues: work.map { ($0.partition, $0.nextOffset) })
            state.withLock { state in
                for (partition, offset) in offsets where state.epochs[partition] != nil { state.offsets[partition] = offset }
                if releases { state.releases = true }
            }
            // For lag tools only: where to start is the store's to say.
            _ = try? consumer.commit(offsets)
            hub.publisher.ring()
            hub.lookAtTargets()
        case .failure(let error) where error.code == .fenced:
            hub.logger.info("a batch came too late: its partition has another holder")
        case .failure(let error):
            // Nothing of it has happened; what was read is read again from where the store stands.
            hub.fail(error, "mediation cannot write to the store")
        }
        state.withLock { state in
            state.pending -= 1
            state.spent.append(work)
        }
        committed.ring()
    }

    private func releaseWaiting() {
        let (plan, pipeline) = hub.rules
        let now = hub.clock.now()
        hub.store.submit { store in
            try Mediator(plan: plan, pipeline: pipeline).release(limit: 200, now: now, in: store)
        } completion: { [self] result in
            if case .success(true) = result { release() }
            hub.publisher.ring()
            hub.lookAtTargets()
        }
    }

    private func handle(_ event: BusConsumer.Event, _ consumer: BusConsumer) {
        switch event {
        case .outOfRange(let range):
            hub.repositioned(range, group: hub.plan.mediationGroup) { [self] offset in
                state.withLock { state in
                    state.positions[range.partition] = offset
                    state.offsets[range.partition] = offset
                }
                consumer.reposition(range.partition, to: .offset(offset))
            }
        case .commitFailed(let offsets, _):
            state.withLock { $0.uncommitted.formUnion(offsets.keys) }
            hub.report(event, group: hub.plan.mediationGroup)
        default: hub.report(event, group: hub.plan.mediationGroup)
        }
    }
}
