import Synchronization

/// When capture last found nothing: so that an idle Odoo is asked now and then only. The hub keeps no position of looks that found nothing.
final class Pace: Sendable {
    private struct State {
        /// Somebody has said that there is something new, and no look has begun since.
        var isNudged = false
        var sleeper: Task<Void, any Error>?
        var idle: ContinuousClock.Instant?
        var swept: [String: ContinuousClock.Instant] = [:]
        var missed: [String: [Int64: ContinuousClock.Instant]] = [:]
        var made: [String: [Int64]] = [:]
    }

    private let state = Mutex(State())

    /// Waits until `pause` has passed since the last look that found nothing, or somebody says that there is something new.
    func wait(_ pause: Duration) async throws {
        let sleeper = state.withLock { state -> Task<Void, any Error>? in
            defer { state.isNudged = false }
            guard !state.isNudged, let since = state.idle, since + pause > .now else { return nil }
            // Waited for right below.
            let sleeper = Task { try await ContinuousClock().sleep(until: since + pause) }
            state.sleeper = sleeper
            return sleeper
        }
        guard let sleeper else { return }
        await withTaskCancellationHandler {
            _ = await sleeper.result
        } onCancel: {
            sleeper.cancel()
        }
        state.withLock { state in
            state.sleeper = nil
            state.isNudged = false
        }
        try Task.checkCancellation()
    }

    /// Ends the wait before the next look.
    func nudge() {
        let sleeper = state.withLock { state in
            state.isNudged = true
            return state.sleeper
        }
        sleeper?.cancel()
    }

    func looked(found: Bool) { state.withLock { $0.idle = found ? nil : .now } }

    /// Whether a comparison of keys is due that found nothing the last time.
    func maySweep(_ feed: String, every pause: Duration) -> Bool {
        guard let last = state.withLock({ $0.swept[feed] }) else { return true }
        return last.duration(to: .now) >= pause
    }

    func swept(_ feed: String, found: Bool) { state.withLock { $0.swept[feed] = found ? nil : .now } }

    /// Of the numbers that no document has those that none has had for so long. The others are remembered, and numbers that are not named
    /// any more forgotten.
    func missing(_ ids: [Int64], in feed: String, since pause: Duration) -> Set<Int64> {
        state.withLock { state in
            let known = state.missed[feed] ?? [:]
            let now = ContinuousClock.now
            let present = Dictionary(ids.map { ($0, known[$0] ?? now) }) { first, _ in first }
            state.missed[feed] = present
            return Set(present.filter { $0.value.duration(to: now) >= pause }.keys)
        }
    }

    /// Remembers a document that the hub made, among the last thousand of its model.
    func made(_ id: Int64, _ model: String) {
        state.withLock { state in
            var ids = state.made[model] ?? []
            ids.append(id)
            state.made[model] = Array(ids.suffix(1000))
        }
    }

    /// Documents that the hub made, with numbers above `last`.
    func made(_ model: String, above last: Int64) -> [Int64] {
        state.withLock { ($0.made[model] ?? []).filter { $0 > last }.sorted() }
    }
}
