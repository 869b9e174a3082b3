import HubDriver
import HubModel
import Synchronization

/// An application whose feed a test lays out: what each look at it gives, by position.
final class FeedApplication: Driver, LookingUp, Reading, Capturing, Sendable {
    struct State {
        /// Looks that have been laid out, in their order; behind them the feed is quiet.
        var looks: [CapturedBatch] = []
        /// So many of the next looks fail.
        var failures = 0
        /// The next look does not come back until it is let go.
        var hangs = false
        var positionsAsked: [String?] = []
        var pollTime = Duration.zero
    }

    let feed = Mutex(State())
    private let application = MemoryApplication()
    var manifest: Manifest {
        var manifest = application.manifest
        manifest.pollTime = feed.withLock { $0.pollTime }
        return manifest
    }

    func capture(after position: String?, limit: Int) async throws(DriverError) -> CapturedBatch {
        let (look, fails, hangs) = feed.withLock { state in
            state.positionsAsked.append(position)
            defer { state.failures = max(0, state.failures - 1) }
            let place = position.flatMap { known in state.looks.firstIndex { $0.position == known }.map { $0 + 1 } } ?? 0
            let look = place < state.looks.count ? state.looks[place] : CapturedBatch(changes: [], position: position)
            return (look, state.failures > 0, state.hangs)
        }
        if hangs { try? await Task.sleep(for: .seconds(30)) }
        if fails { throw DriverError(.unreachable, "the feed is down") }
        return look
    }

    /// One change of a thing.
    static func change(_ key: String, name: String, sequence: Int64, id: String? = nil) -> CapturedChange {
        CapturedChange(
            event: ChangeEvent(
                id: id ?? "\(key)-\(sequence)", type: "thing", operation: .upsert, key: NativeKey(key),
                position: SourcePosition(minor: sequence), token: VersionToken("\(sequence)")),
            fields: ["name": .string(name)])
    }

    func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] { try await application.apply(batch) }
    func probe() async throws(DriverError) -> ApplicationIdentity { try await application.probe() }
    func close() async { await application.close() }
    func lookUp(_ references: [LookUp]) async throws(DriverError) -> [[NativeDocument]] { try await application.lookUp(references) }
    func read(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?] { try await application.read(references) }
}
