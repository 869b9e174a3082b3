import HubModel

/// What was polled and not taken yet: whole chunks of records in their order, bounded in records and bytes by whoever fills it.
///
/// Chunks move without their records being touched; only a chunk that has to be split or purged is copied.
struct Inbox: Sendable {
    /// Records polled in one go, with the partitions that they come from.
    struct Chunk: Sendable {
        var records: [Record] = []
        var bytes = 0
        var partitions: Set<TopicPartition> = []
    }

    private var chunks: [Chunk] = []
    private var first = 0
    private(set) var count = 0
    private(set) var bytes = 0

    var isEmpty: Bool { count == 0 }

    /// Whether records of the partition wait here.
    func holds(_ partition: TopicPartition) -> Bool { chunks[first...].contains { $0.partitions.contains(partition) } }

    mutating func append(_ chunk: Chunk) {
        guard !chunk.records.isEmpty else { return }
        chunks.append(chunk)
        count += chunk.records.count
        bytes += chunk.bytes
    }

    /// The oldest records, at most `limit`.
    mutating func take(_ limit: Int) -> Chunk {
        var result = Chunk()
        while first < chunks.count, result.records.count < limit {
            let room = limit - result.records.count
            if chunks[first].records.count <= room {
                let chunk = chunks[first]
                chunks[first] = Chunk()
                first += 1
                if result.records.isEmpty {
                    result = chunk
                } else {
                    result.records += chunk.records
                    result.bytes += chunk.bytes
                    result.partitions.formUnion(chunk.partitions)
                }
            } else {
                let part = Array(chunks[first].records.prefix(room))
                let size = part.reduce(0) { $0 + $1.size }
                chunks[first].records.removeFirst(room)
                chunks[first].bytes -= size
                result.records += part
                result.bytes += size
                result.partitions.formUnion(part.map { TopicPartition($0.topic, $0.partition) })
            }
        }
        if first == chunks.count || first > 64 {
            chunks.removeFirst(first)
            first = 0
        }
        count -= result.records.count
        bytes -= result.bytes
        return result
    }

    /// Throws away the records of these partitions.
    mutating func purge(_ gone: Set<TopicPartition>) {
        chunks.removeFirst(first)
        first = 0
        for index in chunks.indices where !chunks[index].partitions.isDisjoint(with: gone) {
            var chunk = Chunk()
            chunk.records = chunks[index].records.filter { !gone.contains(TopicPartition($0.topic, $0.partition)) }
            chunk.bytes = chunk.records.reduce(0) { $0 + $1.size }
            chunk.partitions = chunks[index].partitions.subtracting(gone)
            chunks[index] = chunk
        }
        chunks.removeAll { $0.records.isEmpty }
        count = chunks.reduce(0) { $0 + $1.records.count }
        bytes = chunks.reduce(0) { $0 + $1.bytes }
    }
}
