import HubBus
import HubModel
import Logging

/// The consumer that the hub uses beside a bare loop over librdkafka's poll call, on the same topic.
struct ConsumerBench {
    let size: BenchSize

    func rows() throws -> [BenchRow] {
        BenchProgress.tell("consumer: \(size.consumerRecords) records")
        let topic = "bench.consumer"
        let bus = try EmbeddedBus(partitions: BenchHub.partitions, topics: [topic: BenchHub.partitions])
        defer { bus.close() }
        var configuration = bus.configuration
        configuration.logger = Logger(label: "multipoint.bus") { _ in SwiftLogNoOpLogHandler() }
        let producer = try BusProducer(configuration)
        let records = (0..<size.consumerRecords).map { number in
            Record(
                topic: topic, partition: Int32(number % BenchHub.partitions), key: Array(BenchCustomer.key(number).rawValue.utf8),
                value: BenchCustomer.json(number, phone: BenchCustomer.phone(number)))
        }
        try producer.produce(records, deadline: .now + .seconds(60))
        producer.close()
        let partitions = (0..<Int32(BenchHub.partitions)).map { TopicPartition(topic, $0) }
        var wrapper: [Double] = []
        var bare: [Double] = []
        for run in 0..<size.runs {
            BenchProgress.tell("consumer, run \(run + 1)")
            let reading = try readBare(configuration, partitions, count: records.count, deadline: .now + .seconds(60))
            bare.append(Double(reading.records) / reading.elapsed.inSeconds)
            wrapper.append(try wrapped(configuration, topic, group: "bench-\(run)"))
        }
        return [
            BenchRow(
                name: "consumer",
                what: "records of 600 bytes in \(BenchHub.partitions) partitions of the embedded bus, from the first batch to "
                    + "the last, through BusConsumer with its thread, inbox and copies; baseline: a bare loop over rd_kafka_consumer_poll",
                values: wrapper, unit: "records/s", baselines: bare, ratioTarget: .atLeast(0.6))
        ]
    }

    private func wrapped(_ configuration: BusConfiguration, _ topic: String, group: String) throws -> Double {
        let consumer = try BusConsumer(
            configuration, group: group, topics: [topic],
            assigned: { partitions, _ in Dictionary(uniqueKeysWithValues: partitions.map { ($0, .beginning) }) }, revoked: { _, _ in [:] })
        defer { consumer.close() }
        let deadline = ContinuousClock.now + .seconds(60)
        var count = 0
        var start: ContinuousClock.Instant?
        while count < size.consumerRecords {
            let batch = consumer.take(max: 500, wait: 100)
            if ContinuousClock.now > deadline { throw BenchFailure("\(count) of \(size.consumerRecords) records came in time") }
            if batch.records.isEmpty { continue }
            if start == nil { start = .now }
            count += batch.records.count
        }
        let elapsed = start.map { ContinuousClock.now - $0 } ?? .zero
        return Double(count) / elapsed.inSeconds
    }
}
