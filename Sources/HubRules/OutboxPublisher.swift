package import HubStore

/// Takes rows from the outbox to Kafka, in order, and clears what has been reported as written.
///
/// A plain state machine: its owner reads the store, produces, and tells what happened. Only the holder of the outbox's epoch may clear.
/// After a failure everything from the first row on that has no report is produced again; a repeated row is harmless, a lost one is not.
package struct OutboxPublisher: Sendable {
    package enum Action: Sendable, Equatable {
        /// Read rows past that sequence, then call ``loaded(_:)``.
        case read(after: Int64)
        /// Produce these in order, then call ``produced()`` or ``failed()``.
        case produce([OutboxRow])
        /// Clear through that sequence under the epoch, then call ``cleared()``.
        case clear(through: Int64)
        /// Nothing to do until the outbox has grown.
        case idle
    }

    package let epoch: Int64
    private var position: Int64 = 0
    private var inHand: [OutboxRow] = []

    /// - Parameter epoch: of the outbox's lease, raised at taking it over.
    package init(epoch: Int64) {
        self.epoch = epoch
    }

    package func start() -> Action { .read(after: position) }

    package mutating func loaded(_ rows: [OutboxRow]) -> Action {
        inHand = rows
        return rows.isEmpty ? .idle : .produce(rows)
    }

    /// All rows in hand are in Kafka.
    package mutating func produced() -> Action {
        guard let last = inHand.last else { return .idle }
        position = last.sequence
        return .clear(through: last.sequence)
    }

    /// Some rows may not be in Kafka: all in hand are produced again, in order.
    package func failed() -> Action { inHand.isEmpty ? .read(after: position) : .produce(inHand) }

    package mutating func cleared() -> Action {
        inHand = []
        return .read(after: position)
    }
}
