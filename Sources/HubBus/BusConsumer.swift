package import HubModel
import Logging

/// A member of a consumer group that hands over records in batches.
///
/// A thread of its own polls Kafka into a bounded inbox; any thread takes batches out of it. While the inbox is full, all
/// partitions are paused and polling goes on, so a slow caller stays a member of the group. Offsets are committed only by the caller.
/// Every call here may block: none may be made on Swift's cooperative pool. `close()` has to be called once.
package final class BusConsumer: Sendable {
    /// How much the inbox holds. A little more may arrive: what one drain of librdkafka's queue had already begun.
    package struct Limits: Sendable {
        package var records: Int
        package var bytes: Int

        package init(records: Int = 20_000, bytes: Int = 32 << 20) {
            self.records = max(1, records)
            self.bytes = max(1, bytes)
        }
    }

    /// What the caller has to say about where to start; see `init`.
    package typealias Assigned = @Sendable (_ partitions: [TopicPartition], _ epoch: Int) throws -> [TopicPartition: StartOffset]
    /// What the caller wants committed for partitions that go; see `init`.
    package typealias Revoked = @Sendable (_ partitions: [TopicPartition], _ lost: Bool) -> [TopicPartition: Int64]

    private let core: ConsumerCore

    /// Joins a group and begins to read.
    ///
    /// - Parameters:
    ///   - configuration: librdkafka's properties. `partition.assignment.strategy` is `cooperative-sticky` unless given; `range`
    ///     with a librdkafka before 2.3.0.
    ///   - topics: names; one that begins with `^` is a pattern.
    ///   - assigned: called on the polling thread, and may block, when partitions come: says where to start each. A partition left out
    ///     starts at the group's committed offset, or at the beginning. If it throws, a fatal event with code `assignment`
    ///     follows, and the new partitions stay paused.
    ///   - revoked: called on the polling thread, and may block, when partitions go. Their records have left the inbox; the caller
    ///     finishes what it holds and returns the offsets to commit (the next to be read), which are committed before the partitions
    ///     are given up. `lost` means that another member may have them already: nothing is committed then. A broker in the middle
    ///     of a rebalance may refuse the commit (`commitFailed`): who must not read twice keeps offsets of their own, and starts there.
    ///   Neither may call `close`, and both have to return within `max.poll.interval.ms`.
    /// - Throws: `configuration` where a property is wrong.
    package init(
        _ configuration: BusConfiguration, group: String, topics: [String], limits: Limits = Limits(),
        assigned: @escaping Assigned, revoked: @escaping Revoked
    ) throws(BusError) {
        core = ConsumerCore(
            group: group, topics: topics, limits: limits, assigned: assigned, revoked: revoked, logger: configuration.logger)
        try core.start(configuration)
    }

    /// The next records and events; blocks until there are any, the time-out passes (then the batch is empty) or the consumer closes.
    ///
    /// - Parameters:
    ///   - max: how many records at most.
    ///   - milliseconds: how long to wait for the first of them.
    package func take(max: Int, wait milliseconds: Int) -> Batch { core.take(max: max, wait: milliseconds) }

    /// Asks for offsets (the next to be read) to be committed, without waiting; a failure comes as an event.
    ///
    /// - Parameter epochs: the epochs under which they were read, as `Batch.epochs` has them; a partition left out counts as current.
    /// - Returns: partitions left out because they are gone or assigned anew since.
    @discardableResult
    package func commit(
        _ offsets: [TopicPartition: Int64], epochs: [TopicPartition: Int] = [:]
    ) throws(BusError) -> [TopicPartition] {
        try core.commit(offsets, epochs: epochs, waiting: false)
    }

    /// Commits offsets and waits for the broker's answer; otherwise as `commit`.
    @discardableResult
    package func commitSync(
        _ offsets: [TopicPartition: Int64], epochs: [TopicPartition: Int] = [:]
    ) throws(BusError) -> [TopicPartition] {
        try core.commit(offsets, epochs: epochs, waiting: true)
    }

    /// Stops reading these partitions until `resume`; what is in the inbox already still comes.
    package func pause(_ partitions: [TopicPartition]) { core.order(.pause(partitions)) }

    package func resume(_ partitions: [TopicPartition]) { core.order(.resume(partitions)) }

    /// Goes on reading somewhere else: the answer to an `outOfRange` event (without one the partition stays stopped).
    /// Records of the partition that are in the inbox are thrown away.
    package func reposition(_ partition: TopicPartition, to offset: StartOffset) { core.order(.reposition(partition, offset)) }

    /// Whether work read under that epoch still counts.
    package func isCurrent(_ partition: TopicPartition, epoch: Int) -> Bool { core.isCurrent(partition, epoch: epoch) }

    /// The partitions held now, with their epochs.
    package var assignment: [TopicPartition: Int] { core.assignment }

    /// Records and bytes in the inbox.
    package var inboxLoad: (records: Int, bytes: Int) { core.inboxLoad }

    /// Gives up all partitions (`revoked` is called), leaves the group and ends the thread; blocks. A second call does nothing.
    package func close() { core.close() }

    /// As `close()`, up to a deadline: librdkafka 2.0.2 may never end a client that has seen one of its topics vanish. Its thread is then
    /// left to end with the process.
    ///
    /// - Returns: false where the deadline came first.
    package func close(until deadline: ContinuousClock.Instant) -> Bool { core.close(until: deadline) }
}
