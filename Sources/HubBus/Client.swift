import CRdKafka
import Logging
import Synchronization

/// What librdkafka calls back: errors and log lines for every client; consumer and producer add theirs.
///
/// `@unchecked Sendable` because the class has no mutable state outside its mutex, and says so to subclasses.
class ClientContext: @unchecked Sendable {
    let logger: Logger
    private let newest = Mutex<BusError?>(nil)

    init(logger: Logger) { self.logger = logger }

    /// The newest error that librdkafka told about the client as a whole: usually the reason why nothing answers.
    var newestError: BusError? { newest.withLock { $0 } }

    /// Called on the thread that polls.
    func clientFailed(_ error: BusError) { newest.withLock { $0 = error } }

    /// Called on the thread that polls: partitions come (`isAssignment`) or go. Has to assign and unassign.
    func rebalance(_ client: OpaquePointer, isAssignment: Bool, _ partitions: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) {}

    /// Called on the thread that polls: the end of an asynchronous commit.
    func committed(_ error: rd_kafka_resp_err_t, _ partitions: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?) {}

    /// Called on the thread that polls: a record was delivered, or was not.
    func reported(_ message: rd_kafka_message_t) {}

    /// Called on any thread of librdkafka.
    final func log(level: Int32, facility: String, text: String) {
        // Properties are handed to consumers and producers alike: that one of them ignores some is no news.
        if facility == "CONFWARN", text.contains("will be ignored by this") { return }
        let level: Logger.Level =
            switch level {
            case ...3: .error
            case 4: .warning
            case 5: .notice
            case 6: .info
            default: .debug
            }
        logger.log(level: level, "\(text)", metadata: ["facility": "\(facility)"])
    }
}

/// The one owner of a librdkafka client instance (`rd_kafka_t`).
///
/// Whoever uses the instance does it inside `use`; `destroy` waits for them and destroys it once.
final class Client: Sendable {
    enum Kind: Sendable { case consumer, producer }

    /// librdkafka's instances may be used by any thread; only their end has to be fenced, which `users` does.
    private struct Handle: @unchecked Sendable { let pointer: OpaquePointer }

    private struct State: Sendable {
        var handle: Handle?
        var users = 0
        /// Kept alive as long as librdkafka may call it.
        var context: ClientContext?
    }

    private let state: Monitor<State>

    /// Makes a client of the user's properties and the hub's own ones, which are set last.
    init(
        _ kind: Kind, _ configuration: BusConfiguration, own: [BusConfiguration.Property], context: ClientContext
    ) throws(BusError) {
        let conf = ClientConfiguration()
        for (name, value) in Self.defaults where configuration[name] == nil {
            try conf.set(.init(name: name, value: value))
        }
        for property in configuration.properties {
            try BusConfiguration.refuseReserved(property)
            try conf.set(property)
        }
        for property in own where BusConfiguration.reservedNames.contains(property.name) || configuration[property.name] == nil {
            try conf.set(property)
        }
        rd_kafka_conf_set_opaque(conf.pointer, Unmanaged.passUnretained(context).toOpaque())
        Self.register(kind, conf.pointer)
        let pointer = try conf.makeClient(kind == .consumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER)
        state = Monitor(State(handle: Handle(pointer: pointer), context: context))
    }

    private static let defaults: KeyValuePairs = ["client.id": "multipoint", "log.connection.close": "false"]

    private static func register(_ kind: Kind, _ conf: OpaquePointer) {
        rd_kafka_conf_set_log_cb(conf) { client, level, facility, text in
            guard let client, let facility, let text, let context = ClientContext.of(rd_kafka_opaque(client)) else { return }
            context.log(level: level, facility: String(cString: facility), text: String(cString: text))
        }
        rd_kafka_conf_set_error_cb(conf) { client, error, reason, opaque in
            guard let client, let context = ClientContext.of(opaque) else { return }
            let code = rd_kafka_resp_err_t(error)
            if code == RD_KAFKA_RESP_ERR__FATAL, let fatal = BusError(fatalErrorOf: client, "Kafka client") {
                context.clientFailed(fatal)
            } else {
                context.clientFailed(BusError(code, "Kafka", detail: reason.map { String(cString: $0) }))
            }
        }
        switch kind {
        case .consumer:
            rd_kafka_conf_set_rebalance_cb(conf) { client, error, partitions, opaque in
                guard let client, let partitions, let context = ClientContext.of(opaque) else { return }
                context.rebalance(client, isAssignment: error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, partitions)
            }
            rd_kafka_conf_set_offset_commit_cb(conf) { _, error, partitions, opaque in
                ClientContext.of(opaque)?.committed(error, partitions)
            }
        case .producer:
            rd_kafka_conf_set_dr_msg_cb(conf) { _, message, opaque in
                guard let message else { return }
                ClientContext.of(opaque)?.reported(message.pointee)
            }
        }
    }

    /// Runs `body` with the instance; it is not destroyed meanwhile. Throws `closed` after `destroy`.
    func use<R>(_ body: (OpaquePointer) throws(BusError) -> R) throws(BusError) -> R {
        let handle = state.withLock { state -> Handle? in
            if state.handle != nil { state.users += 1 }
            return state.handle
        }
        guard let handle else { throw BusError(.closed, "the Kafka client is closed") }
        defer { state.update { $0.users -= 1 } }
        return try body(handle.pointer)
    }

    /// Waits for running uses and destroys the instance; blocks. A second call does nothing.
    ///
    /// - Parameter withoutLeaving: does not leave the consumer group first, which an instance that failed for good cannot do.
    func destroy(withoutLeaving: Bool = false) {
        let handle = state.withLock { state in
            defer { state.handle = nil }
            return state.handle
        }
        guard let handle else { return }
        state.wait { $0.users == 0 ? true : nil }
        rd_kafka_destroy_flags(handle.pointer, withoutLeaving ? Int32(RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE) : 0)
        state.withLock { $0.context = nil }
    }
}

extension ClientContext {
    fileprivate static func of(_ opaque: UnsafeMutableRawPointer?) -> ClientContext? {
        opaque.map { Unmanaged<ClientContext>.fromOpaque($0).takeUnretainedValue() }
    }
}
