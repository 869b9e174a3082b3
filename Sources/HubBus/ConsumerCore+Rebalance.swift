import CRdKafka
import HubModel

extension ConsumerCore {
    /// How long the broker is asked for committed offsets before a partition starts.
    private static let committedMilliseconds: Int32 = 10_000

    func isCooperative(_ rk: OpaquePointer) -> Bool {
        rd_kafka_rebalance_protocol(rk).map { String(cString: $0) == "COOPERATIVE" } ?? false
    }

    /// Partitions have come: ask the caller where to start, then start them.
    func assign(_ rk: OpaquePointer, _ partitions: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) {
        flush()
        let incoming = partitions.entries.map(\.partition)
        let epoch = monitor.withLock { state in
            state.inbox.purge(Set(incoming))
            return state.machine.assign(incoming)
        }
        unavailableTopics = []
        nextPartitionCheck = .now
        var starts: [TopicPartition: StartOffset] = [:]
        var isRefused = false
        if !incoming.isEmpty {
            do {
                starts = try assigned(incoming, epoch)
            } catch {
                isRefused = true
                fail(BusError(.assignment, "where to start reading could not be told: \(error)", isFatal: true))
            }
        }
        let offsets = numbers(
            for: Dictionary(uniqueKeysWithValues: incoming.map { ($0, starts[$0] ?? .committed(otherwise: .beginning)) }), rk)
        let list = PartitionList(offsets)
        if isCooperative(rk) {
            if let error = list.lend({ rd_kafka_incremental_assign(rk, $0) }) {
                fail(BusError(consuming: error, "take over partitions"))
            }
        } else {
            let error = list.lend { rd_kafka_assign(rk, $0) }
            if error != RD_KAFKA_RESP_ERR_NO_ERROR { fail(BusError(error, "take over partitions")) }
        }
        let paused = monitor.withLock { state in
            for (partition, offset) in offsets where offset >= 0 { state.machine.started(partition, at: offset) }
            if isRefused { _ = state.machine.pause(incoming) }
            return state.machine.mustPause(incoming)
        }
        setPaused(paused, true, rk)
    }

    /// Partitions go: purge, let the caller drain, commit, and only then give them up.
    func revoke(_ rk: OpaquePointer, _ partitions: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) {
        flush()
        let isLost = rd_kafka_assignment_lost(rk) == 1
        let leaving = monitor.update { state in
            let leaving = state.machine.beginRevocation(partitions.entries.map(\.partition))
            state.inbox.purge(Set(leaving))
            let gone = Set(leaving)
            state.events.removeAll { if case .endReached(let partition, _, _) = $0 { gone.contains(partition) } else { false } }
            return leaving
        }
        if !leaving.isEmpty {
            let wanted = revoked(leaving, isLost)
            let offsets = monitor.withLock { $0.machine.finalOffsets(wanted, lost: isLost) }
            if !offsets.isEmpty {
                let error = PartitionList(offsets).lend { rd_kafka_commit(rk, $0, 0) }
                if error != RD_KAFKA_RESP_ERR_NO_ERROR {
                    report(.commitFailed(offsets, BusError(error, "commit offsets before giving up partitions")))
                }
            }
            monitor.update { $0.machine.endRevocation(leaving) }
        }
        if isCooperative(rk) {
            if let error = rd_kafka_incremental_unassign(rk, partitions) { fail(BusError(consuming: error, "give up partitions")) }
        } else {
            let error = rd_kafka_assign(rk, nil)
            if error != RD_KAFKA_RESP_ERR_NO_ERROR { fail(BusError(error, "give up partitions")) }
        }
    }

    /// Gives up everything as lost: another member may hold it, or will.
    func giveUpLost(_ rk: OpaquePointer) {
        flush()
        let leaving = monitor.update { state in
            state.inbox = Inbox()
            return state.machine.beginRevocation(state.machine.partitions.keys.sorted())
        }
        if !leaving.isEmpty { _ = revoked(leaving, true) }
        monitor.update { $0.machine.endRevocation(leaving) }
        _ = rd_kafka_assign(rk, nil)
    }

    /// Start offsets as librdkafka takes them. Committed ones are asked for here, because what to do without one differs by partition.
    func numbers(for starts: [TopicPartition: StartOffset], _ rk: OpaquePointer) -> [TopicPartition: Int64] {
        var result: [TopicPartition: Int64] = [:]
        var otherwise: [TopicPartition: Int64] = [:]
        for (partition, start) in starts {
            switch start {
            case .offset(let offset): result[partition] = max(0, offset)
            case .beginning: result[partition] = LogicalOffset.beginning
            case .end: result[partition] = LogicalOffset.end
            case .committed(let edge): otherwise[partition] = edge == .beginning ? LogicalOffset.beginning : LogicalOffset.end
            }
        }
        guard !otherwise.isEmpty else { return result }
        let list = PartitionList(otherwise.keys)
        let error = list.lend { rd_kafka_committed(rk, $0, Self.committedMilliseconds) }
        for entry in list.entries {
            if error != RD_KAFKA_RESP_ERR_NO_ERROR || entry.error != RD_KAFKA_RESP_ERR_NO_ERROR {
                // Unknown is not the same as none: librdkafka asks again by itself, and an absent offset becomes an event.
                result[entry.partition] = LogicalOffset.stored
            } else {
                result[entry.partition] = entry.offset >= 0 ? entry.offset : otherwise[entry.partition]
            }
        }
        return result
    }
}
