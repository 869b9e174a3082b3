import CPostgres
import HubModel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A connection of the replication protocol, for one thread: makes slots, and streams a slot's changes.
package final class ReplicationStream {
    /// What the server sends while it streams.
    package enum Frame {
        /// One message of the slot's plugin; its bytes hold until the next frame is asked for. `start` is where in the log it stands.
        case data(start: LogSequenceNumber, UnsafeRawBufferPointer)
        /// The server has read the log up to `end`; it may want to hear from us at once.
        case keepalive(end: LogSequenceNumber, wantsReply: Bool)
        /// Nothing has come.
        case nothing
    }

    /// 2000-01-01, PostgreSQL's beginning of time, in milliseconds since 1970.
    static let epoch: Int64 = 946_684_800_000

    private let connection: PostgresConnection
    private var held: UnsafeMutablePointer<CChar>?
    private var isStreaming = false

    /// Connects. Blocks.
    package init(_ options: PostgresOptions) throws(PostgresError) {
        connection = try PostgresConnection(options, isReplication: true)
    }

    deinit { close() }

    package func close() {
        free()
        connection.close()
    }

    private func free() {
        if let held { PQfreemem(held) }
        held = nil
    }

    /// The process that serves this connection.
    package var serverProcess: Int32 { connection.serverProcess }

    // MARK: Slots

    /// A place in the log from which a slot tells everything, and the name of a snapshot of the database at exactly that place.
    package struct Beginning: Sendable {
        package var place: LogSequenceNumber
        /// Holds until this connection is used for anything else.
        package var snapshot: String
    }

    /// Makes a slot that ends with this connection, only for its snapshot. Waits for the transactions that are open now.
    package func beginning(slot: String) throws(PostgresError) -> Beginning {
        let row: PostgresRow?
        do throws(PostgresError) {
            row = try connection.ask(
                "CREATE_REPLICATION_SLOT \(PostgresConnection.quoted(slot)) TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT"
            ).first
        } catch {
            // The server would go on waiting, and nobody for it.
            if error.kind == .lost { connection.cancel() }
            throw error
        }
        guard let row, let place = LogSequenceNumber(row.text(1)), let snapshot = row.optionalText(2) else {
            throw PostgresError(.lost, "The server made a slot without a snapshot.")
        }
        return Beginning(place: place, snapshot: snapshot)
    }

    /// Starts to stream transactions whose commit stands at `place` or behind it.
    package func start(slot: String, publication: String, from place: LogSequenceNumber) throws(PostgresError) {
        let name = PostgresConnection.quoted(publication).split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
        try connection.beginCopy(
            "START_REPLICATION SLOT \(PostgresConnection.quoted(slot)) LOGICAL \(place) "
                + "(proto_version '1', publication_names '\(name)')")
        isStreaming = true
    }

    // MARK: Streaming

    /// The next frame; waits that long at most for one.
    package func next(milliseconds: Int32) throws(PostgresError) -> Frame {
        free()
        var buffer: UnsafeMutablePointer<CChar>?
        var count = PQgetCopyData(connection.handle, &buffer, 1)
        if count == 0 {
            // What has arrived is taken before it is waited for: behind encryption, it may be in the process already.
            try connection.takeIn()
            count = PQgetCopyData(connection.handle, &buffer, 1)
        }
        if count == 0, milliseconds > 0 {
            try connection.wait(milliseconds)
            count = PQgetCopyData(connection.handle, &buffer, 1)
        }
        if count == 0 { return .nothing }
        guard count > 0, let buffer else { throw connection.endOfCopy() }
        held = buffer
        return try Self.frame(UnsafeRawBufferPointer(start: buffer, count: Int(count)))
    }

    static func frame(_ bytes: UnsafeRawBufferPointer) throws(PostgresError) -> Frame {
        var reader = LogicalReader(bytes)
        do throws(LogicalMessageError) {
            switch try reader.byte() {
            case UInt8(ascii: "w"):
                let start = try reader.place()
                _ = try reader.range(2 * MemoryLayout<UInt64>.size)
                return .data(start: start, UnsafeRawBufferPointer(rebasing: bytes[dataHeader...]))
            case UInt8(ascii: "k"):
                let end = try reader.place()
                _ = try reader.time()
                return .keepalive(end: end, wantsReply: try reader.byte() == 1)
            case let other: throw reader.mistake("a frame of kind \(other)")
            }
        } catch {
            throw PostgresError(.lost, error.description)
        }
    }

    private static let dataHeader = 1 + 3 * MemoryLayout<UInt64>.size

    /// Tells the server what may be forgotten: everything before `confirmed`. `wantsReply`: it answers with a keepalive at once.
    package func confirm(_ confirmed: LogSequenceNumber, received: LogSequenceNumber, wantsReply: Bool = false) throws(PostgresError) {
        guard isStreaming else { throw PostgresError(.usage, "Nothing is being streamed.") }
        var bytes: [UInt8] = [UInt8(ascii: "r")]
        func append(_ number: UInt64) { withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) } }
        append(max(received, confirmed).rawValue)
        append(confirmed.rawValue)
        append(confirmed.rawValue)
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        append(UInt64(bitPattern: (Int64(now.tv_sec) * 1000 - Self.epoch) * 1000 + Int64(now.tv_nsec) / 1000))
        bytes.append(wantsReply ? 1 : 0)
        try connection.sendCopy(bytes)
    }
}
