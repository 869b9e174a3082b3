import HubDriver
import HubModel
import PostgresClient
import Synchronization

/// Tables marked `feed=slot`, heard of by logical decoding: first each table is read whole, from a snapshot and in the order of keys, then
/// the slot's stream is told, transaction by transaction.
///
/// The hub's position decides everything: the same position gives the same changes again, and the slot gives up only what the hub has had
/// for a while. What the slot cannot tell (it was lost, a table was emptied or is new) is found by reading and by comparing keys.
final class SlotFeed: TableFeed {
    struct State {
        var isBusy = false
        var stream: SlotStream?
        /// The slot has to be made good: by reading and comparing everything.
        var isRepairing = false
        var checked: ContinuousClock.Instant?
        var setup: Setup?
        /// Where a call ended that had nothing to tell: the hub may not have stored that.
        var moved: (from: String?, to: SlotPosition)?
        var idleSince = ContinuousClock.now
        /// Places that the hub has, and since when.
        var stored = StoredPlaces()
        /// The snapshot that is being read, and the connection that holds it.
        var snapshot: (place: LogSequenceNumber, process: Int32)?
        /// Keys told deleted; they leave the list of keys told when the hub comes back with that position.
        var gone: (after: String, keys: [String: [NativeKey]])?
        /// Transactions that were larger than a batch.
        var cuts = 0
    }

    let base: PostgreSQLDriver
    let options: PostgresOptions
    let slot: String
    let publication: String
    private let keep: Duration
    /// Of the connection that reads snapshots.
    let desk: PostgresPool
    let state = Mutex(State())

    /// How long the server may take to answer here: a slot waits for transactions that are open when it is made.
    static let patience: Duration = .seconds(30)
    /// Between two looks at slot and publication.
    private static let checkInterval: Duration = .seconds(30)
    /// How long a stream that has just begun is waited for.
    private static let beginTime: Duration = .seconds(5)
    /// How long a look waits for something to come.
    private static let lookTime: Duration = .milliseconds(20)
    /// Where nothing is told, the position moves on all the same, so that the slot does not hold the log: after this time or this many bytes.
    private static let idleTime: Duration = .seconds(10)
    private static let idleBytes: UInt64 = 1 << 20

    static func slotName(_ application: ApplicationID) -> String {
        let letters = application.rawValue.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
        return String(("multipoint_" + String(letters)).prefix(maxName))
    }

    /// PostgreSQL's names have 63 bytes; a snapshot's slot has some more than the slot itself.
    private static let maxName = 48

    init(
        base: PostgreSQLDriver, options: PostgresOptions, slot: String, publication: String, keep: Duration
    ) throws(DriverError) {
        guard !slot.isEmpty, slot.utf8.count <= Self.maxName,
            slot.allSatisfy({ $0 == "_" || $0.isASCII && ($0.isLowercase || $0.isNumber) })
        else {
            throw DriverError(
                .configuration, "\(base.application): slot may have small letters, digits and _, \(Self.maxName) at most.")
        }
        self.base = base
        self.options = options
        self.slot = slot
        self.publication = publication
        self.keep = keep
        var reading = options
        reading.name += " snapshot"
        desk = PostgresPool(reading, connections: 1)
    }

    func close() async {
        await restart()
        await desk.close()
    }

    // MARK: Capture

    func capture(after text: String?, limit: Int) async throws(DriverError) -> CapturedBatch {
        let isFree = state.withLock { state in
            defer { state.isBusy = true }
            return !state.isBusy
        }
        guard isFree else { throw DriverError(.unreachable, "An earlier look at the feed is still under way.") }
        defer { state.withLock { $0.isBusy = false } }
        return try await look(after: text, limit: max(1, limit))
    }

    private func look(after text: String?, limit: Int) async throws(DriverError) -> CapturedBatch {
        let given = try text.map { text throws(DriverError) in try SlotPosition(text) }
        let position = state.withLock { state in state.moved.flatMap { $0.from == text ? $0.to : nil } } ?? given
        if let given { confirm(given.place.lsn) }
        var reached = try await settled(position)
        let setup = reached.setup
        while let work = reached.position.work.first {
            let changes =
                switch work.kind {
                case .read: try await read(work, &reached.position, limit)
                case .compare: try await compare(work, &reached.position, limit)
                }
            if !changes.isEmpty { return try await batch(changes, reached.position, after: text) }
        }
        var taken = try await take(reached.position.place, setup, limit)
        guard try await areSeen(taken.transactions) else { return try await batch([], reached.position, after: text) }
        if taken.isCut { state.withLock { $0.cuts += 1 } }
        let isIdle = taken.changes.isEmpty && taken.truncated.isEmpty
        if !isIdle || movesIdly(from: reached.position.place, to: taken.reached) { reached.position.place = taken.reached }
        reached.position.work += work(taken)
        taken.changes = try await followed(taken.changes, setup)
        return try await batch(taken.changes, reached.position, after: text)
    }

    private func batch(_ changes: [SlotChange], _ position: SlotPosition, after text: String?) async throws(DriverError) -> CapturedBatch {
        let removing = state.withLock { state in state.gone.flatMap { $0.after == text ? $0.keys : nil } } ?? [:]
        let told = try await complete(changes, removing: removing)
        state.withLock { state in
            let gone = Self.gone(changes)
            if !gone.isEmpty { state.gone = (after: position.text, keys: gone) } else if !removing.isEmpty { state.gone = nil }
            state.moved = nil
            if changes.isEmpty { state.moved = (from: text, to: position) }
        }
        return CapturedBatch(changes: told, position: position.text)
    }

    private func movesIdly(from place: LogPlace, to reached: LogPlace) -> Bool {
        guard reached > place else { return false }
        return state.withLock { state in
            let now = ContinuousClock.now
            guard now - state.idleSince > Self.idleTime || reached.lsn.rawValue - place.lsn.rawValue > Self.idleBytes else { return false }
            state.idleSince = now
            return true
        }
    }

    /// The hub has everything before this place.
    private func confirm(_ place: LogSequenceNumber) {
        let (stream, confirmed) = state.withLock { state in
            (state.stream, state.stored.note(place, at: .now, keep: keep))
        }
        if let confirmed { stream?.confirm(confirmed) }
    }

    // MARK: What stands before the stream

    /// The position with what has to be done first: where there is none yet, where the slot was lost, where tables are new.
    private func settled(_ position: SlotPosition?) async throws(DriverError) -> (position: SlotPosition, setup: Setup) {
        let (known, isRepairing) = state.withLock { state in
            let isKnown = state.checked.map { ContinuousClock.now - $0 < Self.checkInterval } ?? false
            return (isKnown ? state.setup : nil, state.isRepairing)
        }
        let old = isRepairing ? nil : position
        if let known, let old { return (old, known) }
        let setup = try await setUp(old?.place.lsn)
        if let lost = setup.lost {
            await restart()
            state.withLock { $0.isRepairing = true }
            throw DriverError(.unreachable, lost)
        }
        // A stream tells the tables that there were when it began; some may have come by somebody else's hand.
        let streamed = state.withLock { $0.setup.map { Set($0.declared.keys) } }
        if !setup.added.isEmpty || streamed ?? Set(setup.declared.keys) != Set(setup.declared.keys) { await restart() }
        state.withLock { state in
            state.setup = setup
            state.checked = .now
            state.isRepairing = false
        }
        var settled = old ?? SlotPosition(place: LogPlace(.zero), known: [])
        let natives = setup.natives
        let open = natives.filter { !settled.known.contains($0) || old != nil && setup.added.contains($0) }
        settled.work = settled.work.filter { natives.contains($0.native) && !open.contains($0.native) }
        settled.work += open.map { SlotPosition.Work(kind: .read, native: $0) } + open.map { SlotPosition.Work(kind: .compare, native: $0) }
        settled.known = natives
        return (settled, setup)
    }

    // MARK: The stream

    /// Ends the stream; the next look begins with the slot's state.
    private func restart() async {
        let stream = state.withLock { state in
            defer {
                state.stream = nil
                state.checked = nil
            }
            return state.stream
        }
        await stream?.stop()
    }

    private func take(_ place: LogPlace, _ setup: Setup, _ limit: Int) async throws(DriverError) -> SlotBuffer.Taken {
        let begun = ContinuousClock.now
        var setup = setup
        while true {
            let stream = stream(place, setup)
            do throws(SlotFailure) {
                if let taken = try stream.take(after: place, limit: limit) {
                    if isEnough(taken, limit, stream.isCaughtUp, after: ContinuousClock.now - begun) { return taken }
                } else {
                    // The hub asks for what it has been told before: the slot has it still.
                    await restart()
                    setup = try await again(place)
                    continue
                }
            } catch {
                await restart()
                state.withLock { $0.isRepairing = $0.isRepairing || error.isLost }
                throw error.error
            }
            do { try await Task.sleep(for: .milliseconds(5)) } catch {
                throw DriverError(.unreachable, "The look for changes was called off.", cause: error)
            }
        }
    }

    /// What has come is told at once; while the stream is behind, it is gathered for a moment: a batch costs more than its changes.
    private func isEnough(_ taken: SlotBuffer.Taken, _ limit: Int, _ isCaughtUp: Bool, after waited: Duration) -> Bool {
        if taken.isCut || !taken.truncated.isEmpty || taken.changes.count * 2 >= limit { return true }
        return taken.changes.isEmpty && !isCaughtUp
            ? waited > Self.beginTime : waited > Self.lookTime || !taken.changes.isEmpty && isCaughtUp
    }

    /// Whether the slot still has what follows a place that the hub has gone back to.
    private func again(_ place: LogPlace) async throws(SlotFailure) -> Setup {
        let setup: Setup
        do throws(DriverError) { setup = try await setUp(place.lsn) } catch { throw SlotFailure(error.code, error.message) }
        guard let lost = setup.lost else { return setup }
        var failure = SlotFailure(.unreachable, lost)
        failure.isLost = true
        throw failure
    }

    private func stream(_ place: LogPlace, _ setup: Setup) -> SlotStream {
        state.withLock { state in
            if let stream = state.stream { return stream }
            let source = SlotStream.Source(
                slot: slot, publication: publication, declared: setup.declared, serverEnd: setup.serverEnd)
            let stream = SlotStream(base, options, source, from: place)
            state.stream = stream
            return stream
        }
    }
}
