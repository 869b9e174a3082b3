package import HubModel

/// One message of `pgoutput`, protocol version 1 (PostgreSQL's documentation, "Logical Replication Message Formats").
///
/// Column texts are not copied: they are ranges of the bytes that were decoded.
package enum LogicalMessage: Sendable, Hashable {
    /// A transaction begins; `commit` is where its commit record starts, and orders transactions. `transaction` is its number (xid).
    case begin(commit: LogSequenceNumber, time: Instant, transaction: UInt32)
    /// It ends; a stream that starts at `end` begins with the next one.
    case commit(commit: LogSequenceNumber, end: LogSequenceNumber)
    /// Where the transaction came from, when this server itself is a subscriber.
    case origin
    /// How a table looks from here on.
    case relation(LogicalRelation)
    /// The name of a type that is not built in.
    case type
    case insert(relation: UInt32, new: LogicalTuple)
    /// `old` holds the replica identity where the key has changed, the whole old row with `REPLICA IDENTITY FULL`; nil elsewhere.
    case update(relation: UInt32, old: LogicalTuple?, new: LogicalTuple)
    case delete(relation: UInt32, old: LogicalTuple)
    case truncate(relations: [UInt32])
}

/// A row's columns, in the relation's order.
package struct LogicalTuple: Sendable, Hashable {
    package enum Column: Sendable, Hashable {
        case null
        /// A large value that the change did not touch: it is not in the log.
        case unchanged
        /// Bytes of the message: the value as the type's output function writes it.
        case text(Range<Int>)
    }

    package var columns: [Column]

    package init(columns: [Column]) { self.columns = columns }
}

/// A table as its changes are told.
package struct LogicalRelation: Sendable, Hashable {
    package struct Column: Sendable, Hashable {
        package var name: String
        /// In `pg_type`.
        package var type: UInt32
        /// It belongs to the replica identity: deletions and changed keys tell it.
        package var isIdentity: Bool
    }

    /// In `pg_class`.
    package var id: UInt32
    package var schema: String
    package var name: String
    package var columns: [Column]
}

/// What is no message of `pgoutput`, or one that was not asked for.
package struct LogicalMessageError: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String
}
