import CRdKafka

extension BusAdmin {
    /// Asks the broker to create a topic. Returns its refusal; nil where the topic was created.
    func create(
        _ name: String, _ partitions: Int, _ replication: Int, _ compacted: Bool, _ deadline: ContinuousClock.Instant
    ) throws(BusError) -> BusError? {
        try client.use { rk throws(BusError) in
            var text = [CChar](repeating: 0, count: 256)
            var topic = rd_kafka_NewTopic_new(name, Int32(partitions), Int32(replication), &text, text.count)
            guard topic != nil else { throw BusError(.configuration, "topic \(name): \(String(terminated: text))") }
            defer { rd_kafka_NewTopic_destroy(topic) }
            if compacted { rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "compact") }
            let event = try ask(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS, deadline) { options, queue in
                rd_kafka_CreateTopics(rk, &topic, 1, options, queue)
            }
            guard let event else { return BusError(.timedOut, "create topic \(name): no answer in time", isRetriable: true) }
            defer { rd_kafka_event_destroy(event) }
            let error = rd_kafka_event_error(event)
            if error != RD_KAFKA_RESP_ERR_NO_ERROR { return BusError(error, "create topic \(name)") }
            var count = 0
            guard let result = rd_kafka_event_CreateTopics_result(event),
                let topics = rd_kafka_CreateTopics_result_topics(result, &count), count > 0
            else { return nil }
            let topicError = rd_kafka_topic_result_error(topics[0])
            guard topicError != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
            return BusError(
                topicError, "create topic \(name)", detail: rd_kafka_topic_result_error_string(topics[0]).map { String(cString: $0) })
        }
    }

    /// Makes one request of librdkafka's admin interface and waits for its event; nil if none came in time.
    func ask(
        _ rk: OpaquePointer, _ operation: rd_kafka_admin_op_t, _ deadline: ContinuousClock.Instant,
        _ request: (OpaquePointer?, OpaquePointer?) -> Void
    ) throws(BusError) -> OpaquePointer? {
        let milliseconds = max(1, deadline.millisecondsLeft)
        let options = rd_kafka_AdminOptions_new(rk, operation)
        let queue = rd_kafka_queue_new(rk)
        defer {
            rd_kafka_queue_destroy(queue)
            rd_kafka_AdminOptions_destroy(options)
        }
        var text = [CChar](repeating: 0, count: 256)
        let error = rd_kafka_AdminOptions_set_request_timeout(options, milliseconds, &text, text.count)
        if error != RD_KAFKA_RESP_ERR_NO_ERROR { throw BusError(error, "administration", detail: String(terminated: text)) }
        request(options, queue)
        return rd_kafka_queue_poll(queue, milliseconds + 500)
    }
}
