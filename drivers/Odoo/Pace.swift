import Synchronization

/// When capture last found nothing: so that an idle Odoo is asked now and then only. The hub keeps no position of looks that found nothing.
final class Pace: Sendable {
    private struct State {
        var idle: ContinuousClock.Instant?
        var swept: [String: ContinuousClock.Instant] = [:]
    }

    private let state = Mutex(State())

    /// Waits until `pause` has passed since the last look that found nothing.
    func wait(_ pause: Duration) async throws {
        guard let since = state.withLock({ $0.idle }) else { return }
        let until = since + pause
        if until > .now { try await ContinuousClock().sleep(until: until) }
    }

    func looked(found: Bool) { state.withLock { $0.idle = found ? nil : .now } }

    /// Whether a comparison of keys is due that found nothing the last time.
    func maySweep(_ feed: String, every pause: Duration) -> Bool {
        guard let last = state.withLock({ $0.swept[feed] }) else { return true }
        return last.duration(to: .now) >= pause
    }

    func swept(_ feed: String, found: Bool) { state.withLock { $0.swept[feed] = found ? nil : .now } }
}
