import CRdKafka
import HubModel

/// A librdkafka list of partitions with offsets, destroyed with this value.
struct PartitionList: ~Copyable {
    private let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init() { pointer = rd_kafka_topic_partition_list_new(8) }

    /// Takes over a list that librdkafka handed out.
    init(owning pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) { self.pointer = pointer }

    init(_ partitions: some Sequence<TopicPartition>) {
        self.init()
        for partition in partitions { add(partition) }
    }

    init(_ offsets: [TopicPartition: Int64]) {
        self.init()
        for (partition, offset) in offsets { add(partition, offset: offset) }
    }

    deinit { rd_kafka_topic_partition_list_destroy(pointer) }

    /// Lends the list to a call of librdkafka; it lives at least until that returns.
    borrowing func lend<R>(_ body: (UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) -> R) -> R { body(pointer) }

    var entries: [PartitionEntry] { pointer.entries }

    func add(_ partition: TopicPartition, offset: Int64 = LogicalOffset.none) {
        rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.partition).pointee.offset = offset
    }
}

/// One entry of a librdkafka list.
struct PartitionEntry {
    var partition: TopicPartition
    var offset: Int64
    var error: rd_kafka_resp_err_t
}

extension UnsafeMutablePointer<rd_kafka_topic_partition_list_t> {
    /// The list's entries as Swift values.
    var entries: [PartitionEntry] {
        UnsafeBufferPointer(start: pointee.elems, count: Int(pointee.cnt)).map {
            PartitionEntry(
                partition: TopicPartition($0.topic.map { String(cString: $0) } ?? "", $0.partition),
                offset: $0.offset, error: $0.err)
        }
    }
}

/// Offsets that stand for a place instead of a number (rdkafka.h).
enum LogicalOffset {
    static let beginning: Int64 = -2
    static let end: Int64 = -1
    static let stored: Int64 = -1000
    static let none: Int64 = -1001
}
