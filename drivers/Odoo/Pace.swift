import Synchronization

/// When capture last compared keys in vain, and what the hub made itself: the hub keeps no position of looks that found nothing.
final class Pace: Sendable {
    private struct State {
        var swept: [String: ContinuousClock.Instant] = [:]
        var missed: [String: [Int64: ContinuousClock.Instant]] = [:]
        var made: [String: [Int64]] = [:]
    }

    private let state = Mutex(State())

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
