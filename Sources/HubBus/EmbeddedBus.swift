import CRdKafka
package import HubModel
package import Logging

/// A Kafka of one's own inside the process, for trying things out, for demonstrations and for fault tests: librdkafka's mock cluster.
///
/// It is not a store: it keeps about 5 MB per partition and drops older records, and everything with the process.
/// It refuses CreateTopics (topics are created here, or on first use with 4 partitions), does not list groups, does not hide records
/// of aborted transactions, and does not fence an older producer with the same transactional id (inject `Fault.fenced` for that).
/// `close()` has to be called once, after all clients.
package final class EmbeddedBus: Sendable {
    /// Kafka's protocol numbers of the requests that faults are injected into.
    package struct Request: Sendable, Hashable, RawRepresentable {
        package var rawValue: Int16
        package init(rawValue: Int16) { self.rawValue = rawValue }

        package static let produce = Request(rawValue: 0)
        package static let fetch = Request(rawValue: 1)
        package static let listOffsets = Request(rawValue: 2)
        package static let metadata = Request(rawValue: 3)
        package static let offsetCommit = Request(rawValue: 8)
        package static let offsetFetch = Request(rawValue: 9)
        package static let findCoordinator = Request(rawValue: 10)
        package static let joinGroup = Request(rawValue: 11)
        package static let heartbeat = Request(rawValue: 12)
        package static let initProducerID = Request(rawValue: 22)
        package static let addPartitionsToTransaction = Request(rawValue: 24)
        package static let endTransaction = Request(rawValue: 26)
    }

    /// An error that a broker answers with.
    package struct Fault: Sendable, Hashable {
        let code: rd_kafka_resp_err_t
        private init(_ code: rd_kafka_resp_err_t) { self.code = code }

        /// Answers as usual: leaves one request alone.
        package static let none = Fault(RD_KAFKA_RESP_ERR_NO_ERROR)
        /// Cuts the connection instead of answering.
        package static let disconnect = Fault(RD_KAFKA_RESP_ERR__TRANSPORT)
        package static let notLeader = Fault(RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION)
        package static let notEnoughReplicas = Fault(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS)
        package static let requestTimedOut = Fault(RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT)
        package static let coordinatorNotAvailable = Fault(RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE)
        package static let unknownTopic = Fault(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        package static let notAuthorized = Fault(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        package static let recordTooLarge = Fault(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        /// For transactional requests: somebody newer has the transactional id.
        package static let fenced = Fault(RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH)

        /// Any other error, by Kafka's number.
        package static func other(_ number: Int32) -> Fault { Fault(rd_kafka_resp_err_t(number)) }
    }

    /// The mock cluster may be steered from any thread; its end is fenced by `client`.
    private struct Cluster: @unchecked Sendable { let pointer: OpaquePointer }

    /// Bytes that a partition holds before its oldest records are dropped.
    package static let partitionCapacity = 5 << 20

    /// `host:port` of every broker, with commas between.
    package let bootstrap: String
    /// How many partitions `createTopic` makes unless told.
    package let defaultPartitions: Int
    private let client: Client
    private let cluster: Monitor<Cluster?>

    /// - Parameters:
    ///   - brokers: they are numbered from 1.
    ///   - topics: created at once, with their numbers of partitions.
    package init(
        brokers: Int = 1, partitions: Int = 4, topics: [String: Int] = [:], logger: Logger = Logger(label: "multipoint.bus.embedded")
    ) throws(BusError) {
        // The cluster lives inside a client instance of its own, which never connects to anything.
        let silence = [BusConfiguration.Property(name: "log_level", value: "3")]
        client = try Client(.producer, BusConfiguration([:], logger: logger), own: silence, context: ClientContext(logger: logger))
        defaultPartitions = partitions
        let made: (Cluster, String)
        do throws(BusError) {
            made = try client.use { rk throws(BusError) in
                guard let pointer = rd_kafka_mock_cluster_new(rk, Int32(brokers)) else {
                    throw BusError(.other, "the embedded bus could not be started")
                }
                return (Cluster(pointer: pointer), String(cString: rd_kafka_mock_cluster_bootstraps(pointer)))
            }
        } catch {
            client.destroy()
            throw error
        }
        (cluster, bootstrap) = (Monitor(made.0), made.1)
        for (topic, count) in topics.sorted(by: { $0.key < $1.key }) { try createTopic(topic, partitions: count) }
    }

    /// What clients of this bus should be made with. It does not wake a waiting fetch when data arrives, hence the short waits.
    package var suggestedProperties: [String: String] {
        [
            "bootstrap.servers": bootstrap, "fetch.wait.max.ms": "10", "fetch.error.backoff.ms": "50",
            "session.timeout.ms": "6000", "heartbeat.interval.ms": "100", "reconnect.backoff.ms": "50",
            "reconnect.backoff.max.ms": "500", "retry.backoff.ms": "20", "topic.metadata.refresh.fast.interval.ms": "50",
        ]
    }

    /// `suggestedProperties` as a configuration.
    package var configuration: BusConfiguration { BusConfiguration(suggestedProperties) }

    package func createTopic(_ topic: String, partitions: Int? = nil) throws(BusError) {
        try steer("create topic \(topic)") {
            rd_kafka_mock_topic_create($0, topic, Int32(partitions ?? defaultPartitions), 1)
        }
    }

    /// The next requests of that kind are answered with these errors, one each.
    package func pushErrors(_ request: Request, _ faults: [Fault]) throws(BusError) {
        let codes = faults.map(\.code)
        try steer("inject faults") { cluster in
            rd_kafka_mock_push_request_errors_array(cluster, request.rawValue, codes.count, codes)
            return RD_KAFKA_RESP_ERR_NO_ERROR
        }
    }

    /// Forgets the errors still waiting for that kind of request.
    package func clearErrors(_ request: Request) throws(BusError) {
        try steer("clear faults") { cluster in
            rd_kafka_mock_clear_request_errors(cluster, request.rawValue)
            return RD_KAFKA_RESP_ERR_NO_ERROR
        }
    }

    /// Cuts all connections of a broker (of all, if nil) and accepts none.
    package func setDown(broker: Int? = nil) throws(BusError) {
        try steer("broker down") { rd_kafka_mock_broker_set_down($0, Int32(broker ?? -1)) }
    }

    package func setUp(broker: Int? = nil) throws(BusError) {
        try steer("broker up") { rd_kafka_mock_broker_set_up($0, Int32(broker ?? -1)) }
    }

    /// Moves a partition to another leader; nil leaves it without one.
    package func setLeader(_ partition: TopicPartition, broker: Int?) throws(BusError) {
        try steer("move leader of \(partition)") {
            rd_kafka_mock_partition_set_leader($0, partition.topic, partition.partition, Int32(broker ?? -1))
        }
    }

    /// Every answer of a broker (of all, if nil) takes that long.
    package func setRoundTrip(milliseconds: Int, broker: Int? = nil) throws(BusError) {
        try steer("round trip") { rd_kafka_mock_broker_set_rtt($0, Int32(broker ?? -1), Int32(milliseconds)) }
    }

    /// Metadata of the topic is answered with this error; `.none` ends it.
    package func setTopicError(_ topic: String, _ fault: Fault) throws(BusError) {
        try steer("topic error") { cluster in
            rd_kafka_mock_topic_set_error(cluster, topic, fault.code)
            return RD_KAFKA_RESP_ERR_NO_ERROR
        }
    }

    /// The lowest offset still held of every partition of these topics that has dropped any: an offset below it can
    /// not be read any more. Empty while everything is still there.
    package func retentionFloor(_ topics: [String]) throws(BusError) -> [TopicPartition: Int64] {
        let admin = try BusAdmin(configuration)
        defer { admin.close() }
        return try admin.watermarks(of: topics, deadline: .now + .seconds(5)).compactMapValues { $0.low > 0 ? $0.low : nil }
    }

    /// Ends the cluster; blocks. A second call does nothing.
    package func close() {
        try? client.use { rk throws(BusError) in
            cluster.withLock { cluster in
                if let pointer = cluster?.pointer { rd_kafka_mock_cluster_destroy(pointer) }
                cluster = nil
            }
        }
        client.destroy()
    }

    private func steer(_ what: String, _ body: (OpaquePointer) -> rd_kafka_resp_err_t) throws(BusError) {
        let error = try client.use { rk throws(BusError) in
            try cluster.withLock { cluster throws(BusError) in
                guard let cluster else { throw BusError(.closed, "the embedded bus is closed") }
                return body(cluster.pointer)
            }
        }
        if error != RD_KAFKA_RESP_ERR_NO_ERROR { throw BusError(error, what) }
    }
}
