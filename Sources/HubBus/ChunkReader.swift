import CRdKafka
import HubModel

/// Turns librdkafka's messages into records, a chunk at a time. Belongs to the polling thread.
struct ChunkReader {
    private struct Source {
        var topicHandle: OpaquePointer
        var partition: TopicPartition
        /// The first offset that is wanted; nil if none is.
        var next: Int64?
        var hasRecords = false
    }

    private var records: [Record] = []
    private(set) var bytes = 0
    private var sources: [Source] = []
    private var current = 0

    var count: Int { records.count }

    /// Copies one message, unless its partition is not read now or the offset was received before.
    ///
    /// - Parameter admission: the first offset wanted of a partition; asked once per chunk and partition.
    mutating func read(_ message: UnsafeMutablePointer<rd_kafka_message_t>, admission: (TopicPartition) -> Int64?) {
        guard let topic = message.pointee.rkt else { return }
        select(topic, message.pointee.partition, admission: admission)
        let offset = message.pointee.offset
        guard let next = sources[current].next, offset >= next else { return }
        sources[current].next = offset + 1
        sources[current].hasRecords = true
        var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let timestamp = rd_kafka_message_timestamp(message, &type)
        var record = Record(
            topic: sources[current].partition.topic, partition: message.pointee.partition, offset: offset,
            timestamp: type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? nil : timestamp,
            key: Self.bytes(message.pointee.key, message.pointee.key_len),
            value: Self.bytes(message.pointee.payload, message.pointee.len))
        var headers: OpaquePointer?
        if rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR, let headers {
            record.headers = Self.read(headers)
        }
        // As `Record.size`, without a walk over headers that are not there: this is the hottest line of the bus.
        bytes += record.headers.isEmpty ? 96 + message.pointee.key_len + message.pointee.len : record.size
        records.append(record)
    }

    /// The chunk, and the offset after the last record of each partition; begins a new chunk.
    mutating func finish() -> (Inbox.Chunk, [TopicPartition: Int64]) {
        var positions: [TopicPartition: Int64] = [:]
        for source in sources where source.hasRecords { positions[source.partition] = source.next }
        let chunk = Inbox.Chunk(records: records, bytes: bytes, partitions: Set(positions.keys))
        reset()
        return (chunk, positions)
    }

    mutating func reset() {
        records = []
        bytes = 0
        sources.removeAll(keepingCapacity: true)
        current = 0
    }

    /// Topic handles are compared instead of names: within one chunk no handle is destroyed, as the chunk ends with every rebalance.
    private mutating func select(_ topic: OpaquePointer, _ partition: Int32, admission: (TopicPartition) -> Int64?) {
        func isWanted(_ source: Source) -> Bool { source.topicHandle == topic && source.partition.partition == partition }
        if current < sources.count, isWanted(sources[current]) { return }
        if let index = sources.firstIndex(where: isWanted) {
            current = index
            return
        }
        if records.isEmpty { records.reserveCapacity(ConsumerCore.chunkLimit) }
        let name = TopicPartition(rd_kafka_topic_name(topic).map { String(cString: $0) } ?? "", partition)
        sources.append(Source(topicHandle: topic, partition: name, next: admission(name)))
        current = sources.count - 1
    }

    /// A null pointer is an absent key or value; a length of zero is a present, empty one.
    private static func bytes(_ start: UnsafeMutableRawPointer?, _ count: Int) -> [UInt8]? {
        guard let start else { return nil }
        return copy(start, count)
    }

    private static func copy(_ start: UnsafeRawPointer, _ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            if count > 0 { buffer.baseAddress.map { UnsafeMutableRawPointer($0).copyMemory(from: start, byteCount: count) } }
            initialized = count
        }
    }

    private static func read(_ headers: OpaquePointer) -> [Record.Header] {
        var result: [Record.Header] = []
        result.reserveCapacity(rd_kafka_header_cnt(headers))
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        while rd_kafka_header_get_all(headers, result.count, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR {
            let bytes = value.map { copy($0, size) }
            result.append(Record.Header(name: name.map { String(cString: $0) } ?? "", value: bytes))
        }
        return result
    }
}
