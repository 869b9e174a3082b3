package import HubModel

extension BusConsumer {
    /// What `take` hands over.
    package struct Batch: Sendable {
        /// In order within each partition.
        package var records: [Record] = []
        /// The epoch under which each partition that occurs in `records` was assigned.
        package var epochs: [TopicPartition: Int] = [:]
        package var events: [Event] = []
        /// The consumer is closed: nothing will come any more.
        package var isClosed = false

        package var isEmpty: Bool { records.isEmpty && events.isEmpty }

        package init() {}
    }

    /// Something that happened beside records.
    package enum Event: Sendable {
        /// Everything in the partition before `offset` has been handed over, in this batch or in earlier ones.
        case endReached(TopicPartition, offset: Int64, epoch: Int)
        /// The offset asked for is not held by the broker; the partition is stopped until `reposition`. Everything before it has been
        /// handed over, in this batch or in earlier ones.
        case outOfRange(OutOfRange)
        /// The topic does not exist (any more), or may not be read. Comes once per assignment and topic.
        case topicUnavailable(topic: String, BusError)
        /// The topic has another number of partitions than when it was first seen: keys now go elsewhere.
        case partitionCountChanged(topic: String, from: Int, to: Int)
        /// An asynchronous commit was refused.
        case commitFailed([TopicPartition: Int64], BusError)
        /// Something that passes, such as unreachable brokers.
        case trouble(BusError)
        /// The consumer cannot go on; close it.
        case fatal(BusError)
    }

    /// An offset that the broker does not hold.
    package struct OutOfRange: Sendable, Hashable {
        package var partition: TopicPartition
        package var epoch: Int
        /// The offset asked for; nil where the group has no committed offset.
        package var position: Int64?
        /// What the broker holds: from `low` up to before `high`; nil where it could not be asked.
        package var low: Int64?
        package var high: Int64?

        package init(partition: TopicPartition, epoch: Int, position: Int64?, low: Int64?, high: Int64?) {
            self.partition = partition
            self.epoch = epoch
            self.position = position
            self.low = low
            self.high = high
        }

        /// How many offsets were dropped before they were read; 0 where the position lies beyond the log's end.
        package var gone: Int64 {
            guard let position, let low else { return 0 }
            return max(0, low - position)
        }

        /// The log ends before the position: the topic was cut or made anew.
        package var isBeyondEnd: Bool {
            guard let position, let high else { return false }
            return position > high
        }
    }
}
