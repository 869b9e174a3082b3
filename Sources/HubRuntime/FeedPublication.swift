import HubBus
import HubCodec
import HubConfiguration
import HubDriver
import HubModel
import HubStore
import Logging

/// Puts what was captured into an application's inbound topics; what cannot be published as an event goes there as a dead letter.
struct FeedPublication: Sendable {
    private let application: ApplicationConfiguration
    private let producer: BusProducer
    private let logger: Logger
    private let encoder: CloudEventEncoder

    private static let patience = Duration.seconds(30)

    init(_ application: ApplicationConfiguration, producer: BusProducer, logger: Logger) {
        self.application = application
        self.producer = producer
        self.logger = logger
        encoder = CloudEventEncoder(source: "/\(application.id)")
    }

    func close(deadline: ContinuousClock.Instant) { producer.close(deadline: deadline) }

    /// Returns when Kafka has all of it; throws where that is not so, and some of it may be there.
    func publish(_ batch: CapturedBatch) throws(BusError) {
        let events = batch.changes.compactMap { event($0) }
        let entries = batch.malformed.compactMap { unreadable($0) }
        let records = events + entries
        if records.isEmpty { return }
        let errors = try produce(records)
        let others = errors.filter { $0.value.code != .recordTooLarge }
        if let other = others.min(by: { $0.key < $1.key }) { throw other.value }
        for place in BusProducer.placesToRepeat(records, after: errors) { try produceAlone(records[place]) }
    }

    /// The errors of records that were not delivered, by place.
    private func produce(_ records: [Record]) throws(BusError) -> [Int: BusError] {
        let answer = Awaited<[Int: BusError], Never>()
        try producer.submit(records, deadline: .now + Self.patience) { answer.set(.success($0)) }
        return answer.wait().get()
    }

    private func produceAlone(_ record: Record) throws(BusError) {
        do throws(BusError) {
            try producer.produce([record], deadline: .now + Self.patience)
        } catch {
            guard error.code == .recordTooLarge else { throw error }
            let key = record.key.map { String(decoding: $0, as: UTF8.self) } ?? "without a key"
            let reason = """
                \(application.id) \(key): the event has \(record.value?.count ?? 0) bytes, more than Kafka takes: raise message.max.bytes (of \
                the topic and in bus:), then change the document once more
                """
            logger.error("\(record.topic): \(reason)")
            let entry = UnreadableEntry(code: "too-large", reason: reason)
            try producer.produce([entry.record(topic: record.topic, key: record.key, raw: record.value)], deadline: .now + Self.patience)
        }
    }

    /// Nil for types that no mapping is for: they are not published at all.
    private func event(_ change: CapturedChange) -> Record? {
        guard let topic = application.topics[change.event.type] else { return nil }
        // One document's events stay in one partition.
        let key = change.event.key.map { Array("\(change.event.type)/\($0)".utf8) }
        let data = change.fields.map { Value.object($0) }
        do throws(EnvelopeError) {
            var record = try encoder.encode(change.event, data: data, topic: topic)
            record.key = key
            record.partition = -1
            return record
        } catch {
            let reason = "\(application.id) \(change.event.type) \(change.event.key?.rawValue ?? "without a key"): \(error.message)"
            logger.error("\(topic): \(reason)")
            return UnreadableEntry(code: "\(error.code)", reason: reason).record(topic: topic, key: key, raw: data?.json)
        }
    }

    /// Nil where the application has no topic at all to tell it in, which the log then says.
    private func unreadable(_ entry: MalformedEntry) -> Record? {
        guard let topic = entry.native.flatMap({ application.topics[$0] }) ?? application.inboundTopics.first else {
            logger.error("\(application.id), which has no topic, tells what cannot be read: \(entry.reason)")
            return nil
        }
        logger.warning("\(topic): \(entry.reason)")
        return UnreadableEntry(code: entry.code, reason: entry.reason).record(topic: topic, key: nil, raw: entry.raw)
    }
}
