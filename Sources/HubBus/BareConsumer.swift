import CRdKafka
package import HubModel

/// What a bare loop has read.
package struct BareReading: Sendable {
    package var records: Int
    /// Bytes of keys and values.
    package var bytes: Int
    /// From the first record to the last.
    package var elapsed: Duration
}

/// Reads partitions from their beginning with nothing but librdkafka's own poll call, and counts.
///
/// The yardstick that the benchmark holds `BusConsumer` against: no group, no inbox, no copies.
/// - Parameter count: ends after that many records.
/// - Throws: `timedOut` where they have not come by the deadline.
package func readBare(
    _ configuration: BusConfiguration, _ partitions: [TopicPartition], count: Int, deadline: ContinuousClock.Instant
) throws(BusError) -> BareReading {
    let client = try Client(
        .consumer, configuration, own: ConsumerCore.properties(group: "bare"), context: ClientContext(logger: configuration.logger))
    defer { client.destroy() }
    return try client.use { rk throws(BusError) in
        rd_kafka_poll_set_consumer(rk)
        let list = PartitionList(Dictionary(partitions.map { ($0, LogicalOffset.beginning) }) { first, _ in first })
        let error = list.lend { rd_kafka_assign(rk, $0) }
        if error != RD_KAFKA_RESP_ERR_NO_ERROR { throw BusError(error, "assign") }
        defer { _ = rd_kafka_consumer_close(rk) }
        var reading = BareReading(records: 0, bytes: 0, elapsed: .zero)
        var start: ContinuousClock.Instant?
        while reading.records < count {
            guard let message = rd_kafka_consumer_poll(rk, 100) else {
                if ContinuousClock.now >= deadline { throw BusError(.timedOut, "\(reading.records) of \(count) records came in time") }
                continue
            }
            if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                if start == nil { start = .now }
                reading.records += 1
                reading.bytes += message.pointee.len + message.pointee.key_len
            }
            rd_kafka_message_destroy(message)
        }
        reading.elapsed = start.map { ContinuousClock.now - $0 } ?? .zero
        return reading
    }
}
