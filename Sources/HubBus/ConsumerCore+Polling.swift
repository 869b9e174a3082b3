import CRdKafka
import HubModel
import Logging

extension ConsumerCore {
    /// The polling thread's life.
    func run(_ client: Client) {
        var hasFailedForGood = false
        try? client.use { rk throws(BusError) in
            while true {
                let (orders, isClosing) = monitor.withLock { state in
                    defer { state.orders = [] }
                    state.isLeaving = state.isClosing
                    return (state.orders, state.isClosing)
                }
                if isClosing { break }
                for order in orders { carryOut(order, rk) }
                let mayRead = balance(rk)
                checkPartitionCounts(rk)
                poll(rk, max: mayRead ? Self.chunkLimit : 1)
            }
            hasFailedForGood = BusError(fatalErrorOf: rk, "Kafka client") != nil
            if hasFailedForGood {
                // Such a client neither leaves its group nor calls back: the broker hands its partitions on by time-out.
                giveUpLost(rk)
            } else {
                // Calls `rebalance` for what is still assigned.
                let error = rd_kafka_consumer_close(rk)
                if error != RD_KAFKA_RESP_ERR_NO_ERROR { logger.warning("\(BusError(error, "leave group \(group)"))") }
            }
        }
        client.destroy(withoutLeaving: hasFailedForGood)
        monitor.update { state in
            state.inbox = Inbox()
            state.isClosed = true
        }
    }

    /// One blocking poll, then whatever else is there already, up to so many records.
    private func poll(_ rk: OpaquePointer, max limit: Int) {
        var next = rd_kafka_consumer_poll(rk, limit > 1 ? Self.pollMilliseconds : 0)
        while let message = next {
            if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                reader.read(message, admission: admission)
            } else {
                absorb(message.pointee, rk)
            }
            rd_kafka_message_destroy(message)
            if reader.count >= limit || reader.bytes >= limits.bytes { break }
            next = rd_kafka_consumer_poll(rk, 0)
        }
        flush()
    }

    private func admission(_ partition: TopicPartition) -> Int64? {
        monitor.withLock { $0.machine.admission(partition) }
    }

    /// Puts what has been read into the inbox.
    func flush() {
        guard reader.count > 0 else { return reader.reset() }
        let (chunk, positions) = reader.finish()
        monitor.update { state in
            for (partition, next) in positions { state.machine.received(partition, next: next) }
            state.inbox.append(chunk)
        }
    }

    /// Pauses everything when the inbox is full and nothing is taken out of it for a moment, resumes when it is half empty.
    ///
    /// - Returns: false where the inbox is full and moving: nothing but a call to stay in the group should be polled.
    private func balance(_ rk: OpaquePointer) -> Bool {
        let tight = monitor.withLock { state in !state.machine.isFull && isFull(state.inbox) ? state.taken : nil }
        if let tight {
            monitor.wait(until: .now + Self.patience) { state in
                isBelowHalf(state.inbox) || state.isClosing || !state.orders.isEmpty ? true : nil
            }
            let isMoving = monitor.withLock { state in isFull(state.inbox) && state.taken != tight }
            if isMoving { return false }
        }
        let (paused, resumed) = monitor.withLock { state -> ([TopicPartition], [TopicPartition]) in
            if !state.machine.isFull, isFull(state.inbox) {
                state.wantsRoom = true
                return (state.machine.fill(), [])
            }
            if state.machine.isFull, isBelowHalf(state.inbox) {
                state.wantsRoom = false
                return ([], state.machine.drain())
            }
            return ([], [])
        }
        setPaused(paused, true, rk)
        setPaused(resumed, false, rk)
        return true
    }

    func setPaused(_ partitions: [TopicPartition], _ paused: Bool, _ rk: OpaquePointer) {
        guard !partitions.isEmpty else { return }
        let list = PartitionList(partitions)
        let error = paused ? list.lend { rd_kafka_pause_partitions(rk, $0) } : list.lend { rd_kafka_resume_partitions(rk, $0) }
        if error != RD_KAFKA_RESP_ERR_NO_ERROR { report(.trouble(BusError(error, paused ? "pause" : "resume"))) }
    }

    private func carryOut(_ order: Order, _ rk: OpaquePointer) {
        switch order {
        case .pause(let partitions):
            setPaused(monitor.withLock { $0.machine.pause(partitions) }, true, rk)
        case .resume(let partitions):
            setPaused(monitor.withLock { $0.machine.resume(partitions) }, false, rk)
        case .reposition(let partition, let start):
            reposition(partition, to: start, rk)
        }
    }

    private func reposition(_ partition: TopicPartition, to start: StartOffset, _ rk: OpaquePointer) {
        let isKnown = monitor.withLock { state in
            guard state.machine.reposition(partition) else { return false }
            state.inbox.purge([partition])
            state.events.removeAll { if case .endReached(partition, _, _) = $0 { true } else { false } }
            return true
        }
        guard isKnown else { return }
        // A partition that ran out of range has no fetcher to seek with: it is given back to librdkafka and assigned again.
        let offset = numbers(for: [partition: start], rk)[partition] ?? LogicalOffset.beginning
        if let error = reassign(partition, at: offset, rk) {
            report(.trouble(BusError(error, "reposition \(partition)")))
        }
        if offset >= 0 { monitor.withLock { $0.machine.started(partition, at: offset) } }
        setPaused(monitor.withLock { $0.machine.mustPause([partition]) }, true, rk)
    }

    private func reassign(_ partition: TopicPartition, at offset: Int64, _ rk: OpaquePointer) -> rd_kafka_resp_err_t? {
        if isCooperative(rk) {
            if let error = PartitionList([partition]).lend({ rd_kafka_incremental_unassign(rk, $0) }) { return consume(error) }
            if let error = PartitionList([partition: offset]).lend({ rd_kafka_incremental_assign(rk, $0) }) { return consume(error) }
            return nil
        }
        // The eager protocol only knows whole assignments: the other partitions go on from where they are.
        let positions = monitor.withLock { state in
            state.machine.partitions.filter { $0.value.phase != .draining }.mapValues { $0.next ?? LogicalOffset.stored }
        }
        let error = PartitionList(positions.merging([partition: offset]) { $1 }).lend { rd_kafka_assign(rk, $0) }
        return error == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : error
    }

    private func consume(_ error: OpaquePointer) -> rd_kafka_resp_err_t {
        defer { rd_kafka_error_destroy(error) }
        return rd_kafka_error_code(error)
    }

    // MARK: Messages that carry an error

    private func absorb(_ message: rd_kafka_message_t, _ rk: OpaquePointer) {
        let topic = message.rkt.flatMap { rd_kafka_topic_name($0) }.map { String(cString: $0) }
        let partition = topic.map { TopicPartition($0, message.partition) }
        let text = message.payload.map { payload in
            String(decoding: UnsafeRawBufferPointer(start: payload, count: message.len), as: UTF8.self)
        }
        switch message.err {
        case RD_KAFKA_RESP_ERR__PARTITION_EOF:
            guard let partition else { return }
            flush()
            let epoch = monitor.withLock { state in
                state.machine.partitions[partition].flatMap { $0.phase == .consuming ? $0.epoch : nil }
            }
            if let epoch { report(.endReached(partition, offset: message.offset, epoch: epoch)) }
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, RD_KAFKA_RESP_ERR__NO_OFFSET:
            guard let partition else { return }
            flush()
            outOfRange(partition, at: message.offset, rk)
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
            RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
            guard unavailableTopics.insert(topic ?? "").inserted else { return }
            report(.topicUnavailable(topic: topic ?? "", BusError(message.err, "topic \(topic ?? "?")", detail: text)))
        default:
            if let fatal = BusError(fatalErrorOf: rk, "Kafka client") { return fail(fatal) }
            report(.trouble(BusError(message.err, partition.map { "\($0)" } ?? "Kafka", detail: text)))
        }
    }

    private func outOfRange(_ partition: TopicPartition, at offset: Int64, _ rk: OpaquePointer) {
        guard
            let (epoch, expected) = monitor.withLock({ state -> (Int, Int64?)? in
                let expected = state.machine.partitions[partition]?.next
                return state.machine.outOfRange(partition).map { ($0, expected) }
            })
        else { return }
        var low: Int64 = -1
        var high: Int64 = -1
        let answer = rd_kafka_query_watermark_offsets(rk, partition.topic, partition.partition, &low, &high, 5_000)
        let isKnown = answer == RD_KAFKA_RESP_ERR_NO_ERROR
        let position = offset >= 0 ? offset : expected
        report(
            .outOfRange(
                BusConsumer.OutOfRange(
                    partition: partition, epoch: epoch, position: position, low: isKnown ? low : nil, high: isKnown ? high : nil)))
    }

    /// Compares the topics' numbers of partitions with those seen first: after every assignment, and now and then.
    private func checkPartitionCounts(_ rk: OpaquePointer) {
        guard let due = nextPartitionCheck, ContinuousClock.now >= due else { return }
        nextPartitionCheck = .now + Self.partitionCheckInterval
        var metadata: UnsafePointer<rd_kafka_metadata>?
        guard rd_kafka_metadata(rk, 0, nil, &metadata, 2_000) == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { return }
        defer { rd_kafka_metadata_destroy(metadata) }
        for topic in UnsafeBufferPointer(start: metadata.pointee.topics, count: Int(metadata.pointee.topic_cnt)) {
            guard topic.err == RD_KAFKA_RESP_ERR_NO_ERROR, let name = topic.topic.map({ String(cString: $0) }) else { continue }
            if let event = partitionCounts.note(name, Int(topic.partition_cnt)) { report(event) }
        }
    }
}
