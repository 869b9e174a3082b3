import Foundation
import HubDriver
import PostgresClient
import Synchronization

/// A slot being streamed, on a thread of its own, into a bounded buffer.
///
/// While the buffer is full nothing is read, and the server waits; it is told all the while that somebody is there.
final class SlotStream: Sendable {
    struct Source: Sendable {
        var slot: String
        var publication: String
        var declared: [UInt32: [TableDeclaration]]
        /// Where the server's log ends when the stream is asked for.
        var serverEnd: LogSequenceNumber
    }

    private struct State {
        var buffer: SlotBuffer
        var confirmed: LogSequenceNumber
        var failure: SlotFailure?
        var isEnded = false
        var process: Int32 = 0
    }

    private let base: PostgreSQLDriver
    private let options: PostgresOptions
    private let source: Source
    private let start: LogPlace
    private let state: Mutex<State>
    private let stops = Atomic<Bool>(false)
    private let bell = DispatchSemaphore(value: 0)

    /// Bytes of changes in the buffer.
    static let maxBytes = 16 << 20
    /// How long the thread waits for the server before it looks around.
    private static let pause: Int32 = 100
    /// Between two words to the server.
    private static let statusInterval: Duration = .seconds(5)
    /// How long a slot may still belong to a connection that has just been given up.
    private static let releaseTime: Duration = .seconds(8)
    private static let isInUse = SQLState("55006")

    init(_ base: PostgreSQLDriver, _ options: PostgresOptions, _ source: Source, from start: LogPlace) {
        self.base = base
        self.options = options
        self.source = source
        self.start = start
        state = Mutex(State(buffer: SlotBuffer(from: start, maxBytes: Self.maxBytes), confirmed: .zero))
        let thread = Thread { [self] in run() }
        thread.name = "\(options.name)-slot"
        thread.start()
    }

    // MARK: For capture

    /// What follows a place; nil where that is before this stream's beginning.
    func take(after place: LogPlace, limit: Int) throws(SlotFailure) -> SlotBuffer.Taken? {
        let (taken, failure, wasFull) = state.withLock { state in
            let wasFull = state.buffer.isFull
            return (state.buffer.take(after: place, limit: limit), state.failure, wasFull)
        }
        // Only then does the thread wait for room.
        if wasFull { bell.signal() }
        // What has come is told first.
        if let failure, taken?.changes.isEmpty ?? true { throw failure }
        return taken
    }

    /// The server may forget what was committed before `place`.
    func confirm(_ place: LogSequenceNumber) { state.withLock { $0.confirmed = max($0.confirmed, place) } }

    /// All that was in the log when the stream was asked for has come.
    var isCaughtUp: Bool { state.withLock { $0.buffer.seen >= source.serverEnd || $0.failure != nil } }

    /// For tests: the server's process.
    var process: Int32 { state.withLock { $0.process } }

    /// Tells the thread to end, and waits until it has.
    func stop() async {
        stops.store(true, ordering: .relaxed)
        bell.signal()
        while !state.withLock({ $0.isEnded }) { try? await Task.sleep(for: .milliseconds(5)) }
    }

    // MARK: The thread

    private func run() {
        let session = PostgresSession(options)
        do throws(SlotFailure) {
            try stream(session)
        } catch {
            state.withLock { $0.failure = error }
        }
        session.drop()
        state.withLock { $0.isEnded = true }
    }

    private func connect() throws(PostgresError) -> ReplicationStream {
        let until = ContinuousClock.now + Self.releaseTime
        while true {
            let stream = try ReplicationStream(options)
            do throws(PostgresError) {
                try stream.start(slot: source.slot, publication: source.publication, from: start.lsn)
                return stream
            } catch {
                stream.close()
                guard error.state == Self.isInUse, ContinuousClock.now < until, !stops.load(ordering: .relaxed) else { throw error }
                _ = bell.wait(timeout: .now() + .milliseconds(Int(Self.pause)))
            }
        }
    }

    private func stream(_ session: PostgresSession) throws(SlotFailure) {
        var teller = SlotTeller(base: base, session: session, declared: source.declared)
        let stream = try Self.asked { () throws(PostgresError) in try connect() }
        defer { stream.close() }
        state.withLock { $0.process = stream.serverProcess }
        try status(stream, wantsReply: true)
        var told = ContinuousClock.now
        while !stops.load(ordering: .relaxed) {
            var look = Look()
            if state.withLock({ $0.buffer.isFull }) {
                _ = bell.wait(timeout: .now() + .milliseconds(Int(Self.pause)))
            } else {
                look = try read(stream, &teller)
                // To be woken for each message would cost this thread and the server more than the message itself.
                if look.isDrained, look.hasData { _ = bell.wait(timeout: .now() + Self.gathering) }
            }
            guard look.isAsked || ContinuousClock.now - told > Self.statusInterval else { continue }
            told = .now
            try status(stream)
        }
        try status(stream)
    }

    private func status(_ stream: ReplicationStream, wantsReply: Bool = false) throws(SlotFailure) {
        let (confirmed, seen) = state.withLock { ($0.confirmed, $0.buffer.seen) }
        try Self.asked { () throws(PostgresError) in try stream.confirm(confirmed, received: seen, wantsReply: wantsReply) }
    }

    /// Frames read at once before the thread looks around.
    private static let framesAtOnce = 256
    /// How long messages may gather behind those that have just been read.
    private static let gathering: DispatchTimeInterval = .milliseconds(1)

    /// What came of reading.
    private struct Look {
        /// The server wants to hear from us.
        var isAsked = false
        var hasData = false
        /// Nothing more is there.
        var isDrained = false
    }

    private func read(_ stream: ReplicationStream, _ teller: inout SlotTeller) throws(SlotFailure) -> Look {
        var look = Look()
        for count in 0..<Self.framesAtOnce {
            let frame = try Self.asked { () throws(PostgresError) in try stream.next(milliseconds: count == 0 ? Self.pause : 0) }
            switch frame {
            case .nothing:
                look.isDrained = true
                return look
            case .keepalive(let end, let wantsReply):
                state.withLock { $0.buffer.keepalive(end) }
                look.isAsked = look.isAsked || wantsReply
            case .data(_, let bytes):
                look.hasData = true
                try teller.take(bytes) { change in state.withLock { change(&$0.buffer) } }
            }
        }
        return look
    }

    private static func asked<T>(_ question: () throws(PostgresError) -> T) throws(SlotFailure) -> T {
        do throws(PostgresError) { return try question() } catch { throw SlotFailure(error) }
    }
}
