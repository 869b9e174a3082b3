import CRdKafka
import Foundation
package import HubModel

/// How far a group is behind in one partition.
package struct PartitionLag: Sendable, Hashable {
    package var partition: TopicPartition
    /// The next offset that the group will read; nil where it has committed none.
    package var committed: Int64?
    /// The lowest offset that the broker holds, and the one after the highest.
    package var low: Int64
    package var high: Int64

    package init(partition: TopicPartition, committed: Int64?, low: Int64, high: Int64) {
        self.partition = partition
        self.committed = committed
        self.low = low
        self.high = high
    }

    /// Offsets still to be read; all that the broker holds where nothing is committed.
    package var lag: Int64 { max(0, high - max(committed ?? low, low)) }

    /// Records that the broker dropped before the group read them.
    package var gone: Int64 { committed.map { max(0, low - $0) } ?? 0 }
}

extension BusAdmin {
    /// The offsets that a partition holds: from `low` up to before `high`.
    package struct Watermarks: Sendable, Hashable {
        package var low: Int64
        package var high: Int64
    }

    /// All partitions of these topics.
    package func partitions(of topics: [String], deadline: ContinuousClock.Instant) throws(BusError) -> [TopicPartition] {
        let wanted = Set(topics)
        return try self.topics(deadline: deadline).filter { wanted.contains($0.name) }
            .flatMap { topic in (0..<Int32(topic.partitions)).map { TopicPartition(topic.name, $0) } }
    }

    /// Watermarks of all partitions of these topics; a topic that does not exist is absent.
    package func watermarks(
        of topics: [String], deadline: ContinuousClock.Instant
    ) throws(BusError) -> [TopicPartition: Watermarks] {
        try watermarks(ofPartitions: partitions(of: topics, deadline: deadline), deadline: deadline)
    }

    package func watermarks(
        ofPartitions partitions: [TopicPartition], deadline: ContinuousClock.Instant
    ) throws(BusError) -> [TopicPartition: Watermarks] {
        let low = try edges(partitions, LogicalOffset.beginning, deadline)
        let high = try edges(partitions, LogicalOffset.end, deadline)
        var result: [TopicPartition: Watermarks] = [:]
        for partition in partitions {
            if let low = low[partition], let high = high[partition] { result[partition] = Watermarks(low: low, high: high) }
        }
        return result
    }

    /// What a group has committed in these partitions; a partition without a commit is absent.
    package func committed(
        group: String, _ partitions: [TopicPartition], deadline: ContinuousClock.Instant
    ) throws(BusError) -> [TopicPartition: Int64] {
        guard !partitions.isEmpty else { return [:] }
        return try client.use { rk throws(BusError) in
            var request = PartitionList(partitions).lend { rd_kafka_ListConsumerGroupOffsets_new(group, $0) }
            defer { rd_kafka_ListConsumerGroupOffsets_destroy(request) }
            let event = try ask(rk, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, deadline) { options, queue in
                rd_kafka_ListConsumerGroupOffsets(rk, &request, 1, options, queue)
            }
            guard let event else { throw BusError(.timedOut, "offsets of group \(group): no answer in time", isRetriable: true) }
            defer { rd_kafka_event_destroy(event) }
            let error = rd_kafka_event_error(event)
            if error != RD_KAFKA_RESP_ERR_NO_ERROR { throw explain(error, "offsets of group \(group)", rk) }
            var count = 0
            guard let result = rd_kafka_event_ListConsumerGroupOffsets_result(event),
                let groups = rd_kafka_ListConsumerGroupOffsets_result_groups(result, &count), count > 0
            else { return [:] }
            if let failure = rd_kafka_group_result_error(groups[0]) {
                throw BusError(rd_kafka_error_code(failure), "offsets of group \(group)")
            }
            var offsets: [TopicPartition: Int64] = [:]
            guard let list = rd_kafka_group_result_partitions(groups[0]) else { return [:] }
            for entry in UnsafeMutablePointer(mutating: list).entries where entry.offset >= 0 {
                if entry.error != RD_KAFKA_RESP_ERR_NO_ERROR { throw BusError(entry.error, "offset of \(entry.partition)") }
                offsets[entry.partition] = entry.offset
            }
            return offsets
        }
    }

    /// How far a group is behind in all partitions of these topics, by topic and partition.
    package func lag(
        group: String, topics: [String], deadline: ContinuousClock.Instant
    ) throws(BusError) -> [PartitionLag] {
        let watermarks = try watermarks(of: topics, deadline: deadline)
        // Commits first would let records that come in between look like lag; the other way lag is never overstated by much.
        let committed = try committed(group: group, watermarks.keys.sorted(), deadline: deadline)
        return watermarks.sorted { $0.key < $1.key }.map { partition, marks in
            PartitionLag(partition: partition, committed: committed[partition], low: marks.low, high: marks.high)
        }
    }

    /// One end of every partition. What may pass, such as a leader that moves, is waited for until the deadline.
    private func edges(
        _ partitions: [TopicPartition], _ edge: Int64, _ deadline: ContinuousClock.Instant
    ) throws(BusError) -> [TopicPartition: Int64] {
        while true {
            do throws(BusError) {
                return try askEdges(partitions, edge, deadline)
            } catch {
                guard error.isRetriable, error.code != .timedOut, deadline.millisecondsLeft > 100 else { throw error }
                // Blocking is what every call here does.
                Thread.sleep(forTimeInterval: 0.05)
            }
        }
    }

    /// With one request per broker.
    private func askEdges(
        _ partitions: [TopicPartition], _ edge: Int64, _ deadline: ContinuousClock.Instant
    ) throws(BusError) -> [TopicPartition: Int64] {
        guard !partitions.isEmpty else { return [:] }
        return try client.use { rk throws(BusError) in
            // ListOffsets takes -1 (end) and -2 (beginning) in place of a time.
            let list = PartitionList(Dictionary(partitions.map { ($0, edge) }) { first, _ in first })
            let error = list.lend { rd_kafka_offsets_for_times(rk, $0, max(1, deadline.millisecondsLeft)) }
            if error != RD_KAFKA_RESP_ERR_NO_ERROR { throw explain(error, "watermarks", rk) }
            var result: [TopicPartition: Int64] = [:]
            for entry in list.entries where entry.error == RD_KAFKA_RESP_ERR_NO_ERROR && entry.offset >= 0 {
                result[entry.partition] = entry.offset
            }
            return result
        }
    }
}
