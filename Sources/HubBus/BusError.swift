import CRdKafka

/// What went wrong between the hub and Kafka.
///
/// `code` says what to do about it, `message` says it to a person, `cause` is librdkafka's own name of the error.
/// Secrets of the configuration never appear in it.
package struct BusError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of an error; more kinds may come.
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        package let description: String
        private init(_ description: String) { self.description = description }

        /// A property is unknown, has a wrong value, contradicts another one, or belongs to the hub.
        package static let configuration = Code("configuration")
        /// No broker answers at the configured addresses.
        package static let unreachable = Code("unreachable")
        /// The deadline passed first.
        package static let timedOut = Code("timedOut")
        /// Broker and client could not agree on who the client is (SASL, TLS).
        package static let authentication = Code("authentication")
        /// The broker knows the client and does not let it do this.
        package static let notAuthorized = Code("notAuthorized")
        /// The broker does not know the topic or partition.
        package static let unknownTopic = Code("unknownTopic")
        /// The record is larger than topic or client allow.
        package static let recordTooLarge = Code("recordTooLarge")
        /// The producer's own queue stayed full up to the deadline.
        package static let queueFull = Code("queueFull")
        /// An older record of the same key was not delivered, so this one does not count as delivered either.
        package static let predecessorFailed = Code("predecessorFailed")
        /// A newer producer with the same transactional id (or a newer member with the same instance id) took over.
        package static let fenced = Code("fenced")
        /// The transaction was neither confirmed nor refused in time: it may or may not have taken effect.
        package static let outcomeUnknown = Code("outcomeUnknown")
        /// The client instance cannot go on; close it and make a new one.
        package static let fatal = Code("fatal")
        /// Used after `close()`.
        package static let closed = Code("closed")
        /// The broker does not support what was asked.
        package static let unsupported = Code("unsupported")
        /// Where to start in an assigned partition could not be told.
        package static let assignment = Code("assignment")
        /// Any other answer of broker or library.
        package static let other = Code("other")
    }

    package var code: Code
    package var message: String
    /// librdkafka's name of the error, such as `_TRANSPORT`; nil where the error did not come from there.
    package var cause: String?
    /// Trying the same again may succeed.
    package var isRetriable: Bool
    /// The client instance cannot be used any more.
    package var isFatal: Bool

    package init(_ code: Code, _ message: String, cause: String? = nil, isRetriable: Bool = false, isFatal: Bool = false) {
        self.code = code
        self.message = message
        self.cause = cause
        self.isRetriable = isRetriable
        self.isFatal = isFatal
    }

    package var description: String {
        cause.map { "\(message) [\(code), \($0)]" } ?? "\(message) [\(code)]"
    }
}

extension BusError {
    /// An answer of librdkafka, with what was tried in front of its text.
    init(_ error: rd_kafka_resp_err_t, _ attempt: String, detail: String? = nil) {
        let code = Code(error)
        let text = detail ?? String(cString: rd_kafka_err2str(error))
        self.init(
            code, "\(attempt): \(text)", cause: String(cString: rd_kafka_err2name(error)),
            isRetriable: Self.retriable.contains(error), isFatal: code == .fatal || code == .fenced)
    }

    /// An error object of librdkafka, which is destroyed here.
    init(consuming error: OpaquePointer, _ attempt: String) {
        defer { rd_kafka_error_destroy(error) }
        self.init(rd_kafka_error_code(error), attempt, detail: String(cString: rd_kafka_error_string(error)))
        isRetriable = isRetriable || rd_kafka_error_is_retriable(error) == 1
        isFatal = isFatal || rd_kafka_error_is_fatal(error) == 1
        if isFatal, code == .other { code = .fatal }
    }

    /// The error that made a client instance unusable; nil while it is usable.
    init?(fatalErrorOf client: OpaquePointer, _ attempt: String) {
        var text = [CChar](repeating: 0, count: 512)
        let error = rd_kafka_fatal_error(client, &text, text.count)
        guard error != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        self.init(error, attempt, detail: String(terminated: text))
        if code != .fenced { code = .fatal }
        isFatal = true
        isRetriable = false
    }

    /// Errors of a broker or of the way to it that pass by themselves.
    private static let retriable: Set<rd_kafka_resp_err_t> = [
        RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__TIMED_OUT,
        RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, RD_KAFKA_RESP_ERR__QUEUE_FULL,
        RD_KAFKA_RESP_ERR__RESOLVE, RD_KAFKA_RESP_ERR__WAIT_COORD, RD_KAFKA_RESP_ERR__IN_PROGRESS, RD_KAFKA_RESP_ERR__WAIT_CACHE,
        RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS, RD_KAFKA_RESP_ERR__RETRY,
        RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, RD_KAFKA_RESP_ERR__PURGE_QUEUE,
        RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION,
        RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_UNKNOWN,
        RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, RD_KAFKA_RESP_ERR_NOT_CONTROLLER, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
        RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, RD_KAFKA_RESP_ERR_INVALID_MSG,
        // A topic that is being created, or whose leader moves, is unknown for a moment.
        RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT,
        RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED,
    ]
}

extension BusError.Code {
    fileprivate init(_ error: rd_kafka_resp_err_t) {
        switch error {
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__RESOLVE:
            self = .unreachable
        case RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE,
            RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
            self = .timedOut
        case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR__SSL, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
            RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
            self = .authentication
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            self = .notAuthorized
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            self = .unknownTopic
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
            self = .recordTooLarge
        case RD_KAFKA_RESP_ERR__QUEUE_FULL:
            self = .queueFull
        case RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
            RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
            self = .fenced
        case RD_KAFKA_RESP_ERR__FATAL:
            self = .fatal
        case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED:
            self = .unsupported
        case RD_KAFKA_RESP_ERR__INVALID_ARG, RD_KAFKA_RESP_ERR_INVALID_CONFIG:
            self = .configuration
        default:
            self = .other
        }
    }
}

extension String {
    /// Text of a C buffer up to its terminating zero; anything that is not UTF-8 is repaired.
    init(terminated buffer: [CChar]) {
        self = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
