import HubBus
import HubModel

/// One line by which a fault test steers the embedded bus.
///
///     errors produce not-leader 3     the next three produce requests are answered so
///     clear produce                   forgets errors still waiting
///     down | down 2 | up | up 2       all brokers, or one
///     leader TOPIC PARTITION BROKER   `none` leaves the partition without a leader
///     delay 50 | delay 50 2           every answer takes that many milliseconds
///     topic NAME PARTITIONS           creates a topic
///     topic-error NAME not-leader     metadata of the topic is answered so; `none` ends it
///     watermarks TOPIC…               lowest and next offset of every partition
enum ControlLine: Equatable {
    case errors(EmbeddedBus.Request, EmbeddedBus.Fault, count: Int)
    case clear(EmbeddedBus.Request)
    case down(Int?)
    case up(Int?)
    case leader(TopicPartition, Int?)
    case delay(Int, broker: Int?)
    case topic(String, partitions: Int?)
    case topicError(String, EmbeddedBus.Fault)
    case watermarks([String])

    /// Why a line means nothing.
    struct Mistake: Error, Equatable {
        var text: String
    }

    static let requests: [String: EmbeddedBus.Request] = [
        "produce": .produce, "fetch": .fetch, "list-offsets": .listOffsets, "metadata": .metadata, "offset-commit": .offsetCommit,
        "offset-fetch": .offsetFetch, "find-coordinator": .findCoordinator, "join-group": .joinGroup, "heartbeat": .heartbeat,
        "init-producer-id": .initProducerID, "add-partitions": .addPartitionsToTransaction, "end-transaction": .endTransaction,
    ]

    static let faults: [String: EmbeddedBus.Fault] = [
        "none": .none, "disconnect": .disconnect, "not-leader": .notLeader, "not-enough-replicas": .notEnoughReplicas,
        "timed-out": .requestTimedOut, "coordinator-not-available": .coordinatorNotAvailable, "unknown-topic": .unknownTopic,
        "not-authorized": .notAuthorized, "too-large": .recordTooLarge, "fenced": .fenced,
    ]

    init(_ line: String) throws(Mistake) {
        var words = line.split(whereSeparator: \.isWhitespace).map(String.init)
        guard !words.isEmpty else { throw Mistake(text: "an empty line") }
        let command = words.removeFirst()
        switch (command, words.count) {
        case ("errors", 3):
            self = .errors(try Self.request(words[0]), try Self.fault(words[1]), count: try Self.number(words[2], 1...100_000))
        case ("clear", 1): self = .clear(try Self.request(words[0]))
        case ("down", 0...1): self = .down(try words.first.map(Self.broker))
        case ("up", 0...1): self = .up(try words.first.map(Self.broker))
        case ("leader", 3):
            let partition = TopicPartition(words[0], Int32(try Self.number(words[1], 0...10_000)))
            self = .leader(partition, words[2] == "none" ? nil : try Self.broker(words[2]))
        case ("delay", 1...2):
            self = .delay(try Self.number(words[0], 0...60_000), broker: try words.dropFirst().first.map(Self.broker))
        case ("topic", 1...2):
            self = .topic(
                words[0], partitions: try words.dropFirst().first.map { text throws(Mistake) in try Self.number(text, 1...10_000) })
        case ("topic-error", 2): self = .topicError(words[0], try Self.fault(words[1]))
        case ("watermarks", 1...): self = .watermarks(words)
        default: throw Mistake(text: "\(line): not understood")
        }
    }

    private static func number(_ text: String, _ range: ClosedRange<Int>) throws(Mistake) -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw Mistake(text: "\(text): expected a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private static func broker(_ text: String) throws(Mistake) -> Int { try number(text, 1...100) }

    /// A name, or Kafka's number.
    private static func request(_ text: String) throws(Mistake) -> EmbeddedBus.Request {
        if let known = requests[text] { return known }
        if let number = Int16(text) { return EmbeddedBus.Request(rawValue: number) }
        throw Mistake(text: "\(text): no request; there are \(requests.keys.sorted().joined(separator: ", "))")
    }

    private static func fault(_ text: String) throws(Mistake) -> EmbeddedBus.Fault {
        if let known = faults[text] { return known }
        if let number = Int32(text) { return .other(number) }
        throw Mistake(text: "\(text): no fault; there are \(faults.keys.sorted().joined(separator: ", "))")
    }

    /// Does it; returns what there is to say.
    func apply(to bus: EmbeddedBus) throws(BusError) -> [String] {
        switch self {
        case .errors(let request, let fault, let count): try bus.pushErrors(request, Array(repeating: fault, count: count))
        case .clear(let request): try bus.clearErrors(request)
        case .down(let broker): try bus.setDown(broker: broker)
        case .up(let broker): try bus.setUp(broker: broker)
        case .leader(let partition, let broker): try bus.setLeader(partition, broker: broker)
        case .delay(let milliseconds, let broker): try bus.setRoundTrip(milliseconds: milliseconds, broker: broker)
        case .topic(let name, let partitions): try bus.createTopic(name, partitions: partitions)
        case .topicError(let name, let fault): try bus.setTopicError(name, fault)
        case .watermarks(let topics):
            let admin = try BusAdmin(bus.configuration)
            defer { admin.close() }
            let marks = try admin.watermarks(of: topics, deadline: .now + .seconds(5))
            return marks.sorted { $0.key < $1.key }.map { "\($0.key.topic) \($0.key.partition) \($0.value.low) \($0.value.high)" }
        }
        return []
    }
}
