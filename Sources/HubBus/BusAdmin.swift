import CRdKafka
import Logging

/// Questions to a Kafka cluster, and the creation of topics. Calls block: none may be made on Swift's cooperative pool.
package final class BusAdmin: Sendable {
    /// A topic as the cluster describes it.
    package struct Topic: Sendable, Hashable {
        package var name: String
        package var partitions: Int
        /// The smallest number of replicas of any partition.
        package var replication: Int
        /// Partitions without a leader: they can be neither read nor written now.
        package var leaderless: Int
    }

    /// What `ensureTopic` found or did.
    package enum Ensured: Sendable, Hashable {
        case created
        case exists(partitions: Int)
        /// The cluster refuses to create topics on request but makes them on first use, as the embedded bus does.
        case brokerCreatesByItself(partitions: Int)
    }

    /// The cluster as far as it could be reached.
    package struct ClusterReport: Sendable, Hashable {
        package struct Broker: Sendable, Hashable {
            package var id: Int32
            package var address: String
        }

        package var brokers: [Broker]
        /// The broker that answered.
        package var answeredBy: String
        /// nil where the broker does not tell.
        package var clusterID: String?
        /// librdkafka's own test broker, which takes transactions but fences nobody.
        package var isTestBroker: Bool { clusterID?.hasPrefix("mockCluster") == true }
        package var controller: Int32?
        package var topics: Int
        /// How long the first answer took, connecting included.
        package var elapsed: Duration
        /// librdkafka's own version.
        package var libraryVersion: String
    }

    let client: Client
    let context: ClientContext
    private let embedded: EmbeddedBus?

    /// Connects lazily: an unreachable cluster shows with the first question.
    ///
    /// - Parameter embedded: the embedded bus that is talked to, if it is one: it does not create topics by request, but by call.
    package init(_ configuration: BusConfiguration, embedded: EmbeddedBus? = nil) throws(BusError) {
        self.embedded = embedded
        context = ClientContext(logger: configuration.logger)
        client = try Client(.producer, configuration, own: [], context: context)
    }

    /// Closes; blocks. A second call does nothing.
    package func close() { client.destroy() }

    /// Reaches the cluster and describes it; the error says why it could not be reached.
    package func checkCluster(deadline: ContinuousClock.Instant) throws(BusError) -> ClusterReport {
        let start = ContinuousClock.now
        return try metadata(topic: nil, deadline: deadline) { rk, metadata in
            let elapsed = ContinuousClock.now - start
            let clusterID = rd_kafka_clusterid(rk, max(1, min(1_000, deadline.millisecondsLeft)))
            defer { if let clusterID { rd_kafka_mem_free(rk, clusterID) } }
            let controller = rd_kafka_controllerid(rk, 0)
            return ClusterReport(
                brokers: UnsafeBufferPointer(start: metadata.brokers, count: Int(metadata.broker_cnt)).map {
                    .init(id: $0.id, address: ($0.host.map { String(cString: $0) } ?? "") + ":\($0.port)")
                },
                answeredBy: metadata.orig_broker_name.map { String(cString: $0) } ?? "",
                clusterID: clusterID.map { String(cString: $0) }, controller: controller >= 0 ? controller : nil,
                topics: Int(metadata.topic_cnt), elapsed: elapsed, libraryVersion: String(cString: rd_kafka_version_str()))
        }
    }

    /// All topics, by name. Internal ones (`__…`) are among them.
    package func topics(deadline: ContinuousClock.Instant) throws(BusError) -> [Topic] {
        try metadata(topic: nil, deadline: deadline) { _, metadata in
            UnsafeBufferPointer(start: metadata.topics, count: Int(metadata.topic_cnt))
                .filter { $0.err == RD_KAFKA_RESP_ERR_NO_ERROR }.map(Topic.init).sorted { $0.name < $1.name }
        }
    }

    /// One topic; nil where it does not exist. A cluster that creates topics on first use may create it by this question.
    package func topic(_ name: String, deadline: ContinuousClock.Instant) throws(BusError) -> Topic? {
        var problem: rd_kafka_resp_err_t?
        let topic = try metadata(topic: name, deadline: deadline) { _, metadata -> Topic? in
            let found = UnsafeBufferPointer(start: metadata.topics, count: Int(metadata.topic_cnt))
                .first { $0.topic.map { String(cString: $0) } == name }
            guard let found else { return nil }
            if found.err == RD_KAFKA_RESP_ERR_NO_ERROR { return Topic(found) }
            problem = found.err
            return nil
        }
        switch problem {
        case nil, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC: return topic
        case let error?: throw BusError(error, "topic \(name)")
        }
    }

    /// Creates a topic unless it exists.
    ///
    /// - Parameters:
    ///   - replication: replicas; nil leaves it to the broker (Kafka 2.4 and later).
    ///   - compacted: keeps the newest record of each key instead of the newest records.
    package func ensureTopic(
        _ name: String, partitions: Int, replication: Int? = nil, compacted: Bool = false, deadline: ContinuousClock.Instant
    ) throws(BusError) -> Ensured {
        // The list of all topics is asked for, as naming one could create it.
        if let known = try topics(deadline: deadline).first(where: { $0.name == name }) { return .exists(partitions: known.partitions) }
        if let embedded {
            try embedded.createTopic(name, partitions: partitions)
            return .created
        }
        // A cluster that does not know the request may leave it unanswered: half of the time is kept for finding that out.
        let half = ContinuousClock.now + ContinuousClock.now.duration(to: deadline) / 2
        guard let refusal = try create(name, partitions, replication ?? -1, compacted, half) else { return .created }
        if refusal.cause == "TOPIC_ALREADY_EXISTS", let topic = try topic(name, deadline: deadline) {
            return .exists(partitions: topic.partitions)
        }
        if refusal.code == .unsupported || refusal.code == .timedOut, let topic = try topic(name, deadline: deadline) {
            return .brokerCreatesByItself(partitions: topic.partitions)
        }
        throw refusal
    }

    /// Asks for one topic (nil: all) and lends the answer to `body`.
    private func metadata<R>(
        topic name: String?, deadline: ContinuousClock.Instant, _ body: (OpaquePointer, rd_kafka_metadata) -> R
    ) throws(BusError) -> R {
        try client.use { rk throws(BusError) in
            var topic: OpaquePointer?
            if let name {
                topic = rd_kafka_topic_new(rk, name, nil)
                if topic == nil { throw BusError(rd_kafka_last_error(), "topic \(name)") }
            }
            defer { if let topic { rd_kafka_topic_destroy(topic) } }
            var answer: UnsafePointer<rd_kafka_metadata>?
            let error = rd_kafka_metadata(rk, topic == nil ? 1 : 0, topic, &answer, max(1, deadline.millisecondsLeft))
            guard error == RD_KAFKA_RESP_ERR_NO_ERROR, let answer else { throw explain(error, "ask the Kafka cluster", rk) }
            defer { rd_kafka_metadata_destroy(answer) }
            return body(rk, answer.pointee)
        }
    }

    /// An error with the reason that the connection itself gave, which is what a person needs to know.
    func explain(_ error: rd_kafka_resp_err_t, _ attempt: String, _ rk: OpaquePointer) -> BusError {
        while rd_kafka_poll(rk, 0) > 0 {}
        var problem = BusError(error, attempt)
        guard let reason = context.newestError else { return problem }
        if problem.code == .timedOut || problem.code == .unreachable {
            problem.code = reason.code == .authentication ? .authentication : .unreachable
            problem.message += ": \(reason.message)"
        }
        return problem
    }
}

extension BusAdmin.Topic {
    fileprivate init(_ topic: rd_kafka_metadata_topic) {
        let partitions = UnsafeBufferPointer(start: topic.partitions, count: Int(topic.partition_cnt))
        self.init(
            name: topic.topic.map { String(cString: $0) } ?? "", partitions: partitions.count,
            replication: partitions.map { Int($0.replica_cnt) }.min() ?? 0, leaderless: partitions.count { $0.leader < 0 })
    }
}
