import HubBus
import HubDelivery
import HubDriver
import HubModel
import HubRules
import HubStore
import Logging
import Synchronization

/// Delivery to one application: its own consumer group, its own lanes, its own breaker. Nothing that happens to it delays another.
///
/// One thread reads the canonical topics; one turns records, replies and passed time into transactions, and sends the calls decided there.
final class DeliveryEngine: Sendable {
    let hub: RunningHub
    let application: ApplicationID
    let driver: any Driver
    /// The canonical topics that it reads: other ones need another engine.
    let topics: [String]
    let state: Mutex<DeliveryState>
    let bell = Bell()
    private let stops = Atomic<Bool>(false)
    private let consumer = Mutex<BusConsumer?>(nil)
    private let workers = Mutex<[Worker]>([])
    /// Rung when there is room for more records.
    private let room = Bell()

    init(hub: RunningHub, application: ApplicationID, driver: any Driver) {
        self.hub = hub
        self.application = application
        self.driver = driver
        let plan = hub.plan
        topics = plan.deliveryTopics(application)
        let limits = plan.applications[application]?.manifest.limits ?? Manifest.Limits()
        var fresh = DeliveryState(limits: limits)
        fresh.breaker.probeFirst(now: hub.clock.now())
        state = Mutex(fresh)
    }

    var group: String { hub.plan.deliveryGroup(application) }
    /// By what the hub goes by just now.
    var delivery: TargetDelivery { TargetDelivery(plan: hub.plan, application: application) }

    func start() throws(BusError) {
        let made = try BusConsumer(
            hub.consumerBus, group: group, topics: topics, limits: RunningHub.inboxLimits,
            assigned: { [unowned self] partitions, _ in try assigned(partitions) },
            revoked: { [unowned self] partitions, _ in
                state.withLock { state in state.offsets.filter { partitions.contains($0.key) } }
            })
        consumer.withLock { $0 = made }
        workers.withLock {
            $0 = [
                Worker("intake \(application)") { [unowned self] in read(made) },
                Worker("delivery \(application)") { [unowned self] in run(made) },
            ]
        }
    }

    func stop(until deadline: ContinuousClock.Instant) {
        stops.store(true, ordering: .relaxed)
        bell.ring()
        room.ring()
        for worker in workers.withLock({ $0 }) where !worker.join(until: deadline) {
            hub.logger.warning("delivery to \(application) did not end in time; calls under way are settled at the next start")
        }
        if let consumer = consumer.withLock({ $0 }), !consumer.close(until: RunningHub.closingEnd(deadline)) {
            hub.logger.warning("the Kafka client of \(group) did not end in time")
        }
    }

    /// Something may have become ready in the store.
    func look() {
        state.withLock { $0.needsResume = true }
        bell.ring()
    }

    /// Paused by a person: nothing is sent until resumed.
    func setPaused(_ paused: Bool) {
        state.withLock { $0.isPaused = paused }
        bell.ring()
        room.ring()
    }

    private func assigned(_ partitions: [TopicPartition]) throws -> [TopicPartition: StartOffset] {
        let group = group
        let offsets = try hub.store.write { store in
            try partitions.map { partition in
                _ = try store.raiseEpoch(group, partition)
                return (partition, try store.offset(group, partition))
            }
        }
        let stored = Dictionary(uniqueKeysWithValues: offsets.compactMap { partition, offset in offset.map { (partition, $0) } })
        state.withLock { state in
            state.offsets.merge(stored) { _, new in new }
            // The hub may have ended between its store and Kafka: lag tools should not show that for ever.
            state.uncommitted.merge(stored) { _, new in new }
        }
        bell.ring()
        return Dictionary(uniqueKeysWithValues: offsets.map { ($0.0, $0.1.map { .offset($0) } ?? .beginning) })
    }

    // MARK: Reading

    private func read(_ consumer: BusConsumer) {
        while !stops.load(ordering: .relaxed) {
            let space = state.withLock { $0.space }
            if space <= 0 {
                room.wait(milliseconds: 200)
                continue
            }
            let batch = consumer.take(max: min(space, 500), wait: 100)
            if batch.isClosed { return }
            if !batch.records.isEmpty {
                state.withLock { $0.inbox.append(contentsOf: batch.records) }
                bell.ring()
            }
            for event in batch.events { handle(event, consumer) }
        }
    }

    private func handle(_ event: BusConsumer.Event, _ consumer: BusConsumer) {
        switch event {
        case .outOfRange(let range):
            hub.repositioned(range, group: group) { [self] offset in
                consumer.reposition(range.partition, to: .offset(offset))
                // What the topic has lost, the store still has.
                hub.catchUpAgain(application)
            }
        case .commitFailed(let offsets, _):
            state.withLock { $0.uncommitted.merge(offsets) { max($0, $1) } }
            hub.report(event, group: group)
        default: hub.report(event, group: group)
        }
    }

    // MARK: Deciding

    private func run(_ consumer: BusConsumer) {
        resumeAll()
        while true {
            let now = hub.clock.now()
            if stops.load(ordering: .relaxed), state.withLock({ $0.stop(now: now) }) { break }
            probeWhenDue(now)
            tellUntoldRejections(now: now)
            commitAgain(consumer)
            guard let work = state.withLock({ $0.takeWork(now: now, stopping: stops.load(ordering: .relaxed)) }) else {
                let wait = state.withLock { $0.untilNext(now: now) }
                bell.wait(milliseconds: Int(max(1, min(1000, wait.milliseconds))))
                continue
            }
            decide(work, consumer, now)
            room.ring()
        }
    }

    private func commitAgain(_ consumer: BusConsumer) {
        let uncommitted = state.withLock { state in
            defer { state.uncommitted = [:] }
            // Never further than the store, and never back.
            return state.uncommitted.reduce(into: [TopicPartition: Int64]()) { result, entry in
                result[entry.key] = state.offsets[entry.key] ?? entry.value
            }
        }
        if !uncommitted.isEmpty { _ = try? consumer.commit(uncommitted) }
    }

    /// One transaction for all that has come together: replies, records, and targets whose time has come.
    private func decide(_ work: DeliveryState.Work, _ consumer: BusConsumer, _ now: Instant) {
        let intake = Intake(delivery: delivery)
        let application = application
        let group = group
        do throws(StoreError) {
            let decided = try hub.store.write { store in
                var busy = work.busy
                var decided = Decided()
                for (call, reply) in work.replies {
                    busy.remove(call.target.id)
                    if case .call(let next) = try intake.delivery.answered(call, reply, now: now, in: store) {
                        decided.calls.append(next)
                        busy.insert(next.target.id)
                    } else {
                        decided.rested.append(call.target.id)
                    }
                }
                for (partition, records) in work.records {
                    let next = (records.last?.offset ?? -1) + 1
                    let calls = try intake.accept(
                        records, partition: partition, nextOffset: next, busy: { busy.contains($0) }, now: now, in: store)
                    busy.formUnion(calls.map(\.target.id))
                    decided.calls += calls
                    decided.offsets[partition] = try store.offset(group, partition) ?? next
                }
                if work.resumes {
                    let begun = try intake.beginDue(
                        limit: 500, afterStart: work.afterStart, busy: { busy.contains($0) }, now: now, in: store)
                    decided.calls += begun.calls
                    decided.hasMore = begun.hasMore
                    decided.afterStart = work.afterStart
                }
                decided.wake = try store.nextWake(application)
                return decided
            }
            let origins = work.origins
            state.withLock { $0.decided(decided, origins: origins) }
            if !decided.offsets.isEmpty { _ = try? consumer.commit(decided.offsets) }
            hub.publisher.ring()
            if work.mayReleaseEvents { hub.mediation?.release() }
            send()
        } catch {
            hub.fail(error, "delivery to \(application) cannot write to the store")
        }
    }

    /// At the start: what was ready, or on its way, when the hub ended last.
    private func resumeAll() {
        state.withLock { $0.needsResume = true }
    }
}
