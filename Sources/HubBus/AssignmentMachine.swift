package import HubModel

/// Where to begin reading a partition.
package enum StartOffset: Sendable, Hashable {
    /// One end of what the broker still holds.
    package enum Edge: Sendable, Hashable { case beginning, end }

    /// This offset is the first to be read.
    case offset(Int64)
    case beginning
    case end
    /// The group's committed offset, or an edge where the group has none.
    case committed(otherwise: Edge)
}

/// A consumer's bookkeeping of its partitions, without any input or output.
///
/// ```
///            assigned                    revocation begins           revocation ended
///   (gone) ────────────▶ consuming ───────────────────▶ draining ───────────────────▶ (gone)
///                       reposition ▲ │ out of range        ▲
///                                  └─┴─▶ stopped ──────────┘
/// ```
///
/// Every assignment has an epoch that is never used twice. Work that carries an epoch is *late* once its partition has another
/// one or is gone: it is fenced. While draining, offsets may still be committed, but nothing new is read.
package struct AssignmentMachine: Sendable {
    package enum Phase: Sendable, Hashable {
        case consuming
        /// Being given up: the caller finishes what it holds.
        case draining
        /// Its offset is not held by the broker; waits for `reposition`.
        case stopped
    }

    package struct Partition: Sendable, Hashable {
        package var phase: Phase
        package var epoch: Int
        /// The next offset expected; nil until one is known.
        package var next: Int64?
        package var isPausedByCaller = false
    }

    /// The newest epoch; 0 before the first assignment.
    package private(set) var epoch = 0
    package private(set) var partitions: [TopicPartition: Partition] = [:]
    /// Whether everything is paused because the inbox is full.
    package private(set) var isFull = false

    package init() {}

    // MARK: Assignment and revocation

    /// Partitions have come. A partition that was here already (a whole new assignment) starts anew, in the new epoch.
    @discardableResult
    package mutating func assign(_ assigned: [TopicPartition]) -> Int {
        epoch += 1
        for partition in assigned { partitions[partition] = Partition(phase: .consuming, epoch: epoch) }
        return epoch
    }

    /// Where a partition was started, once that is known as a number.
    package mutating func started(_ partition: TopicPartition, at offset: Int64) { partitions[partition]?.next = offset }

    /// Partitions are going: reading ends, committing goes on. Returns those that really were here.
    package mutating func beginRevocation(_ revoked: [TopicPartition]) -> [TopicPartition] {
        let known = revoked.filter { partitions[$0] != nil }
        for partition in known { partitions[partition]?.phase = .draining }
        return known
    }

    /// What may be committed on giving up: offsets of draining partitions; nothing when another member may hold them already.
    package func finalOffsets(_ offsets: [TopicPartition: Int64], lost: Bool) -> [TopicPartition: Int64] {
        lost ? [:] : offsets.filter { partitions[$0.key]?.phase == .draining && $0.value >= 0 }
    }

    /// The partitions are gone; everything of theirs is late from now on.
    package mutating func endRevocation(_ revoked: [TopicPartition]) {
        for partition in revoked where partitions[partition]?.phase == .draining { partitions[partition] = nil }
    }

    // MARK: Reading

    /// Whether records of the partition are wanted, and from which offset on (lower ones were received before).
    package func admission(_ partition: TopicPartition) -> Int64? {
        guard let state = partitions[partition], state.phase == .consuming else { return nil }
        return state.next ?? 0
    }

    /// Records up to before `next` were received.
    package mutating func received(_ partition: TopicPartition, next: Int64) {
        guard let state = partitions[partition], state.phase == .consuming else { return }
        partitions[partition]?.next = max(next, state.next ?? 0)
    }

    /// The broker does not hold the offset asked for. Returns the epoch to report it under; nil if it does not matter any more.
    package mutating func outOfRange(_ partition: TopicPartition) -> Int? {
        guard let state = partitions[partition], state.phase == .consuming else { return nil }
        partitions[partition]?.phase = .stopped
        return state.epoch
    }

    /// The caller chose another place to read from. False if the partition is not here (any more).
    package mutating func reposition(_ partition: TopicPartition) -> Bool {
        guard let state = partitions[partition], state.phase != .draining else { return false }
        partitions[partition]?.phase = .consuming
        partitions[partition]?.next = nil
        return true
    }

    // MARK: Committing

    /// Splits offsets into those that may be committed and those that are late (gone, or of another epoch).
    ///
    /// - Parameter epochs: the epoch under which each was read; a partition missing here counts as current.
    package func committable(
        _ offsets: [TopicPartition: Int64], epochs: [TopicPartition: Int]
    ) -> (current: [TopicPartition: Int64], late: [TopicPartition]) {
        var current: [TopicPartition: Int64] = [:]
        var late: [TopicPartition] = []
        for (partition, offset) in offsets {
            if let state = partitions[partition], state.epoch == epochs[partition] ?? state.epoch, offset >= 0 {
                current[partition] = offset
            } else {
                late.append(partition)
            }
        }
        return (current, late.sorted())
    }

    /// Whether work of that epoch still counts.
    package func isCurrent(_ partition: TopicPartition, epoch: Int) -> Bool { partitions[partition]?.epoch == epoch }

    // MARK: Pausing

    /// The inbox is full. Returns what has to be paused now.
    package mutating func fill() -> [TopicPartition] {
        guard !isFull else { return [] }
        isFull = true
        return live { !$0.isPausedByCaller }
    }

    /// The inbox has room again. Returns what has to be resumed now.
    package mutating func drain() -> [TopicPartition] {
        guard isFull else { return [] }
        isFull = false
        return live { !$0.isPausedByCaller }
    }

    /// The caller pauses partitions. Returns what has to be paused now.
    package mutating func pause(_ paused: [TopicPartition]) -> [TopicPartition] {
        setPaused(paused, true)
    }

    /// The caller resumes partitions. Returns what has to be resumed now: nothing while the inbox is full.
    package mutating func resume(_ resumed: [TopicPartition]) -> [TopicPartition] {
        setPaused(resumed, false)
    }

    /// Which of these must not be read at the moment: librdkafka starts every partition unpaused.
    package func mustPause(_ candidates: [TopicPartition]) -> [TopicPartition] {
        candidates.filter { candidate in partitions[candidate].map { isFull || $0.isPausedByCaller } ?? false }
    }

    private mutating func setPaused(_ changed: [TopicPartition], _ paused: Bool) -> [TopicPartition] {
        var result: [TopicPartition] = []
        for partition in changed {
            guard let state = partitions[partition], state.phase != .draining, state.isPausedByCaller != paused else { continue }
            partitions[partition]?.isPausedByCaller = paused
            if !isFull { result.append(partition) }
        }
        return result
    }

    private func live(_ wanted: (Partition) -> Bool) -> [TopicPartition] {
        partitions.filter { $0.value.phase != .draining && wanted($0.value) }.map(\.key).sorted()
    }
}
