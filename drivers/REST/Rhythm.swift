import HubModel
import Synchronization

/// When capture last compared keys in vain, and what this driver made and removed itself: the hub keeps no position of looks that found nothing.
final class Rhythm: Sendable {
    private struct State {
        var swept: [String: ContinuousClock.Instant] = [:]
        var made: [String: [NativeKey]] = [:]
    }

    private let state = Mutex(State())
    /// Documents of a feed that are remembered.
    private static let memory = 1000

    static func feed(_ native: String, _ company: String?) -> String { company.map { "\(native)@\($0)" } ?? native }

    /// Whether a comparison of keys is due that found nothing the last time.
    func maySweep(_ feed: String, every pause: Duration) -> Bool {
        state.withLock { $0.swept[feed] }.map { $0.duration(to: .now) >= pause } ?? true
    }

    func swept(_ feed: String, found: Bool) { state.withLock { $0.swept[feed] = found ? nil : .now } }

    /// Remembers a document that the hub made: it waits to hear of it, even where it goes before capture has seen it.
    func made(_ key: NativeKey, _ feed: String) {
        state.withLock { state in state.made[feed] = ((state.made[feed] ?? []) + [key]).suffix(Self.memory) }
    }

    func made(_ feed: String) -> [NativeKey] { state.withLock { $0.made[feed] ?? [] } }

    /// Their deletions have been told.
    func forget(_ keys: Set<NativeKey>, _ feed: String) {
        state.withLock { state in state.made[feed]?.removeAll { keys.contains($0) } }
    }
}
