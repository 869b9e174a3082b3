import HubModel

/// The calls of one process: which wait to be written, which have been, and which were given up while the process has them.
///
/// A plain state machine: no pipe, no clock. What becomes of a call whose process ends follows from one thing that it knows exactly:
/// whether a byte of the call has been written to the pipe.
struct CallTable: Sendable {
    /// Why a call ends without its answer.
    enum Fate: Sendable, Equatable {
        /// Nothing of it was written: it had no effect.
        case neverWritten
        /// It may have taken effect, or may still.
        case maybeDone
    }

    /// What an answer means.
    enum Verdict: Sendable, Equatable {
        /// It is the answer that a caller waits for.
        case awaited
        /// Its caller has given up.
        case late
        /// The call has been answered before.
        case again
        /// No such call has been written to this process.
        case foreign
    }

    struct Bounds: Sendable {
        /// Calls in the process at once, given-up ones included.
        var calls = 4
        /// Calls that wait to be written.
        var waitingCalls = 256
        var waitingBytes = 64 << 20
    }

    private struct Waiting {
        var id: Int64
        var line: [UInt8]
        var limit: ContinuousClock.Instant
    }

    private struct Written {
        var since: ContinuousClock.Instant
        var limit: ContinuousClock.Instant
        /// When its caller gave up; nil while it waits.
        var givenUp: ContinuousClock.Instant?
    }

    var bounds: Bounds
    private var waiting: [Waiting] = []
    private var waitingBytes = 0
    private var written: [Int64: Written] = [:]
    /// Of the first waiting line, bytes that are in the pipe already.
    private var offset = 0
    /// No call with a greater number has been written to this process.
    private var greatest: Int64 = 0
    /// No call with a number up to this was written to this process: it was another one's.
    private var floor: Int64 = 0
    private var lastAnswer: ContinuousClock.Instant?

    init(bounds: Bounds = Bounds()) { self.bounds = bounds }

    /// Takes a call on; false where too many wait already.
    mutating func add(_ id: Int64, line: [UInt8], limit: ContinuousClock.Instant) -> Bool {
        guard waiting.count < bounds.waitingCalls, waitingBytes + line.count <= bounds.waitingBytes else { return false }
        waiting.append(Waiting(id: id, line: line, limit: limit))
        waitingBytes += line.count
        return true
    }

    /// Puts a call before all that wait: the handshake.
    mutating func addFirst(_ id: Int64, line: [UInt8], limit: ContinuousClock.Instant) {
        waiting.insert(Waiting(id: id, line: line, limit: limit), at: 0)
        waitingBytes += line.count
    }

    /// What to write next; nil where nothing waits or the process has enough to do.
    var next: ArraySlice<UInt8>? {
        guard let first = waiting.first, offset > 0 || written.count < bounds.calls else { return nil }
        return first.line[offset...]
    }

    /// That many bytes of ``next`` are in the pipe.
    mutating func wrote(_ count: Int, now: ContinuousClock.Instant) {
        guard count > 0, let first = waiting.first else { return }
        if offset == 0 {
            // From the first byte on the process may have it.
            written[first.id] = Written(since: now, limit: first.limit)
            greatest = max(greatest, first.id)
        }
        offset += count
        guard offset >= first.line.count else { return }
        waiting.removeFirst()
        waitingBytes -= first.line.count
        offset = 0
    }

    /// An answer with that number has come.
    mutating func answered(_ id: Int64, now: ContinuousClock.Instant) -> Verdict {
        // A call that is still being written cannot have been understood.
        if offset > 0, waiting.first?.id == id { return .foreign }
        guard let call = written.removeValue(forKey: id) else { return id > floor && id <= greatest ? .again : .foreign }
        lastAnswer = now
        return call.givenUp == nil ? .awaited : .late
    }

    /// The caller gives up; nil where the call has ended already.
    mutating func giveUp(_ id: Int64, now: ContinuousClock.Instant) -> Fate? {
        if let call = written[id] {
            guard call.givenUp == nil else { return nil }
            written[id]?.givenUp = now
            return .maybeDone
        }
        guard let place = waiting.firstIndex(where: { $0.id == id }) else { return nil }
        waitingBytes -= waiting[place].line.count
        waiting.remove(at: place)
        return .neverWritten
    }

    /// Calls whose time is over.
    mutating func expire(now: ContinuousClock.Instant) -> [(id: Int64, fate: Fate)] {
        let late = written.filter { $0.value.givenUp == nil && $0.value.limit <= now }.map(\.key)
        let unsent = waiting.filter { $0.limit <= now && written[$0.id] == nil }.map(\.id)
        return (late + unsent).sorted().compactMap { id in giveUp(id, now: now).map { (id, $0) } }
    }

    /// The process is gone: every call ends, and the next process begins with nothing.
    mutating func drain() -> [(id: Int64, fate: Fate)] {
        let ended = written.filter { $0.value.givenUp == nil }.map { ($0.key, Fate.maybeDone) }
        let unsent = waiting.filter { written[$0.id] == nil }.map { ($0.id, Fate.neverWritten) }
        waiting = []
        waitingBytes = 0
        written = [:]
        offset = 0
        floor = greatest
        lastAnswer = nil
        return (ended + unsent).sorted { $0.0 < $1.0 }.map { (id: $0.0, fate: $0.1) }
    }

    /// When the oldest given-up call says that the process hangs: `settle` after it was given up, where since its writing nothing has been
    /// answered, or given-up calls fill the process. Nil where it does not hang.
    func hangs(after settle: Duration) -> ContinuousClock.Instant? {
        let lost = written.values.filter { $0.givenUp != nil }
        guard let oldest = lost.min(by: { $0.since < $1.since }), let givenUp = oldest.givenUp else { return nil }
        guard lost.count >= bounds.calls || lastAnswer.map({ $0 < oldest.since }) ?? true else { return nil }
        return givenUp + settle
    }

    /// When the next call's time is over.
    var nextLimit: ContinuousClock.Instant? {
        let sent = written.values.filter { $0.givenUp == nil }.map(\.limit).min()
        let unsent = waiting.map(\.limit).min()
        return [sent, unsent].compactMap { $0 }.min()
    }

    /// Calls somebody waits for, or that the process still has.
    var isEmpty: Bool { waiting.isEmpty && written.isEmpty }
}
