import CRdKafka
import HubModel
import Logging

/// The inside of a consumer: the polling thread, the inbox, and what librdkafka calls back.
///
/// `@unchecked Sendable` because shared state is in `monitor`, and what is marked as the polling thread's is touched by it alone.
final class ConsumerCore: ClientContext, @unchecked Sendable {
    /// What callers want done; carried out by the polling thread, so that librdkafka hears it in one order.
    enum Order: Sendable {
        case pause([TopicPartition])
        case resume([TopicPartition])
        case reposition(TopicPartition, StartOffset)
    }

    struct State: Sendable {
        var machine = AssignmentMachine()
        var inbox = Inbox()
        var events: [BusConsumer.Event] = []
        var orders: [Order] = []
        var isClosing = false
        /// The polling thread has seen `isClosing` and leaves the group.
        var isLeaving = false
        var isClosed = false
        /// Records taken out so far: whether a full inbox is moving.
        var taken = 0
        /// Whether the polling thread wants to hear that the inbox has become half empty.
        var wantsRoom = false
        var droppedEvents = 0
    }

    /// Events that may wait to be taken; of more, only the newest kinds that matter are kept (see `report`).
    private static let eventLimit = 10_000
    /// How many records are polled before they go into the inbox together.
    static let chunkLimit = 1_000
    /// How long a full inbox out of which nothing is taken is waited for before partitions are paused: pausing throws away what
    /// librdkafka has prefetched. While something is taken, waiting goes on, with one poll after every such time.
    static let patience = Duration.milliseconds(250)
    static let pollMilliseconds: Int32 = 100
    static let partitionCheckInterval = Duration.seconds(300)

    let group: String
    let topics: [String]
    let limits: BusConsumer.Limits
    let assigned: BusConsumer.Assigned
    let revoked: BusConsumer.Revoked
    let monitor = Monitor(State())
    /// Set once by `start`, before any other thread sees this object.
    private(set) var client: Client?
    private var thread: BusThread?

    // The polling thread's own.
    var reader = ChunkReader()
    var unavailableTopics: Set<String> = []
    var partitionCounts = PartitionCounts()
    var nextPartitionCheck: ContinuousClock.Instant?
    var hasFailed = false

    init(
        group: String, topics: [String], limits: BusConsumer.Limits, assigned: @escaping BusConsumer.Assigned,
        revoked: @escaping BusConsumer.Revoked, logger: Logger
    ) {
        self.group = group
        self.topics = topics
        self.limits = limits
        self.assigned = assigned
        self.revoked = revoked
        super.init(logger: logger)
    }

    /// The hub's own properties of a consumer.
    ///
    /// Reaching a prefetch limit stops librdkafka's fetching for up to a second, so the limits hold several seconds of flow.
    static func properties(group: String) -> [BusConfiguration.Property] {
        [
            ("group.id", group), ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "error"), ("enable.partition.eof", "true"),
            ("partition.assignment.strategy", strategy(library: rd_kafka_version())),
            ("queued.min.messages", "200000"), ("queued.max.messages.kbytes", "131072"),
        ].map { BusConfiguration.Property(name: $0.0, value: $0.1) }
    }

    /// How members share partitions. The sticky assignor keeps what need not move, but a librdkafka before 2.3.0 aborts the whole process
    /// where a consumer is closed between joining its group and its first assignment.
    /// - Parameter library: `rd_kafka_version`, two digits each for major, minor, revision and candidate.
    static func strategy(library: Int32) -> String { library < 0x0203_0000 ? "range" : "cooperative-sticky" }

    func start(_ configuration: BusConfiguration) throws(BusError) {
        let client = try Client(.consumer, configuration, own: Self.properties(group: group), context: self)
        do throws(BusError) {
            try client.use { rk throws(BusError) in
                rd_kafka_poll_set_consumer(rk)
                let list = PartitionList(topics.map { TopicPartition($0, -1) })
                let error = list.lend { rd_kafka_subscribe(rk, $0) }
                if error != RD_KAFKA_RESP_ERR_NO_ERROR {
                    throw BusError(error, "subscribe to \(topics.joined(separator: ", "))")
                }
            }
            self.client = client
            // The thread keeps this object alive until the client, which calls it back, is destroyed.
            thread = try BusThread("bus-\(group)") { self.run(client) }
        } catch {
            client.destroy()
            throw error
        }
    }

    // MARK: The caller's side

    func take(max: Int, wait milliseconds: Int) -> BusConsumer.Batch {
        let deadline = ContinuousClock.now + .milliseconds(milliseconds)
        var hasRoom = false
        let batch = monitor.wait(until: deadline) { state -> BusConsumer.Batch? in
            guard !state.inbox.isEmpty || !state.events.isEmpty || state.isClosed else { return nil }
            var batch = BusConsumer.Batch()
            let chunk = state.inbox.take(Swift.max(1, max))
            batch.records = chunk.records
            state.taken += chunk.records.count
            for partition in chunk.partitions { batch.epochs[partition] = state.machine.partitions[partition]?.epoch }
            batch.takeEvents(&state)
            batch.isClosed = state.isClosed && batch.isEmpty
            hasRoom = state.wantsRoom && self.isBelowHalf(state.inbox)
            if hasRoom { state.wantsRoom = false }
            return batch
        }
        if hasRoom { wake() }
        return batch ?? BusConsumer.Batch()
    }

    func commit(
        _ offsets: [TopicPartition: Int64], epochs: [TopicPartition: Int], waiting: Bool
    ) throws(BusError) -> [TopicPartition] {
        guard let client else { throw BusError(.closed, "the consumer is closed") }
        return try client.use { rk throws(BusError) in
            // Under the lock that revocation takes: what passes the fence is queued before the final commit of a revocation.
            var (current, late, error) = monitor.withLock { state in
                let (current, late) = state.machine.committable(offsets, epochs: epochs)
                let isSent = !waiting && !current.isEmpty
                return (current, late, isSent ? PartitionList(current).lend { rd_kafka_commit(rk, $0, 1) } : RD_KAFKA_RESP_ERR_NO_ERROR)
            }
            if waiting, !current.isEmpty { error = PartitionList(current).lend { rd_kafka_commit(rk, $0, 0) } }
            if error != RD_KAFKA_RESP_ERR_NO_ERROR { throw BusError(error, "commit offsets of group \(group)") }
            return late
        }
    }

    func isCurrent(_ partition: TopicPartition, epoch: Int) -> Bool {
        monitor.withLock { $0.machine.isCurrent(partition, epoch: epoch) }
    }

    var assignment: [TopicPartition: Int] { monitor.withLock { $0.machine.partitions.mapValues(\.epoch) } }

    var inboxLoad: (records: Int, bytes: Int) { monitor.withLock { ($0.inbox.count, $0.inbox.bytes) } }

    func order(_ order: Order) {
        monitor.update { $0.orders.append(order) }
        wake()
    }

    func close() {
        beginClosing()
        if let thread, !thread.isCurrent { thread.join() }
    }

    func close(until deadline: ContinuousClock.Instant) -> Bool {
        beginClosing()
        guard let thread, !thread.isCurrent else { return true }
        return thread.join(until: deadline)
    }

    private func beginClosing() {
        monitor.update { $0.isClosing = true }
        wake()
    }

    /// Ends a blocking poll early. Never while the client closes: librdkafka's close would take it for its own end, and leave
    /// the client in a state in which destroying it waits for ever.
    private func wake() {
        try? client?.use { rk throws(BusError) in
            guard let queue = rd_kafka_queue_get_consumer(rk) else { return }
            defer { rd_kafka_queue_destroy(queue) }
            monitor.withLock { state in
                if !state.isLeaving { rd_kafka_queue_yield(queue) }
            }
        }
    }

    // MARK: The polling thread's side

    func isBelowHalf(_ inbox: Inbox) -> Bool { inbox.count <= limits.records / 2 && inbox.bytes <= limits.bytes / 2 }

    func isFull(_ inbox: Inbox) -> Bool { inbox.count >= limits.records || inbox.bytes >= limits.bytes }

    /// Adds an event for the caller. When nobody takes them, all but ends of partitions, gaps and failures are dropped first.
    func report(_ event: BusConsumer.Event) {
        monitor.update { state in
            if state.events.count >= Self.eventLimit {
                guard event.matters else {
                    state.droppedEvents += 1
                    return
                }
                if let index = state.events.firstIndex(where: { !$0.matters }) {
                    state.events.remove(at: index)
                    state.droppedEvents += 1
                }
            }
            state.events.append(event)
        }
    }

    override func rebalance(
        _ client: OpaquePointer, isAssignment: Bool, _ partitions: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>
    ) {
        if isAssignment { assign(client, partitions) } else { revoke(client, partitions) }
    }

    override func clientFailed(_ error: BusError) {
        super.clientFailed(error)
        if error.isFatal { fail(error) } else { report(.trouble(error)) }
    }

    /// Reports a failure after which the consumer has to be closed, once.
    func fail(_ error: BusError) {
        guard !hasFailed else { return }
        hasFailed = true
        report(.fatal(error))
    }

    override func committed(_ error: rd_kafka_resp_err_t, _ partitions: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?) {
        guard error != RD_KAFKA_RESP_ERR_NO_ERROR, error != RD_KAFKA_RESP_ERR__NO_OFFSET, let partitions else { return }
        let offsets = partitions.entries.map { ($0.partition, $0.offset) }
        report(
            .commitFailed(
                Dictionary(offsets) { max($0, $1) }, BusError(error, "commit offsets of group \(group)")))
    }
}

extension BusConsumer.Event {
    fileprivate var matters: Bool {
        switch self {
        case .trouble, .commitFailed: false
        default: true
        }
    }
}

extension BusConsumer.Batch {
    /// Takes the events that may be told now: what ends or interrupts a partition only once its records have been taken.
    /// Whoever answers a gap by reading elsewhere would otherwise throw away records that came before it.
    fileprivate mutating func takeEvents(_ state: inout ConsumerCore.State) {
        guard !state.events.isEmpty else { return }
        var waiting: [BusConsumer.Event] = []
        for event in state.events {
            let partition: TopicPartition? =
                switch event {
                case .endReached(let partition, _, _): partition
                case .outOfRange(let range): range.partition
                default: nil
                }
            if let partition, state.inbox.holds(partition) { waiting.append(event) } else { events.append(event) }
        }
        state.events = waiting
    }
}
