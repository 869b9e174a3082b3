/// How many partitions each topic had when it was last looked at.
struct PartitionCounts: Sendable {
    private var counts: [String: Int] = [:]

    /// Takes down what the broker says now; tells where that is another number than before.
    mutating func note(_ topic: String, _ count: Int) -> BusConsumer.Event? {
        guard let before = counts.updateValue(count, forKey: topic), before != count else { return nil }
        return .partitionCountChanged(topic: topic, from: before, to: count)
    }
}
