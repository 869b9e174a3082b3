import HubDriver
import HubModel
import Synchronization

/// An application that does nothing: it answers every delivery as written, with the fields that it was given.
///
/// What it is given it tells in its feed, as an application does, unless that is held back.
final class BenchDriver: LookingUp, Reading, Capturing {
    private struct State {
        var tokens: [NativeKey: Int64] = [:]
        /// Kept only where reads need them.
        var documents: [NativeKey: Fields] = [:]
        var feed: [CapturedChange] = []
        /// The feed position behind what has been taken from `feed`.
        var taken: Int64 = 0
        var holdsFeed = false
        var applied = 0
        var firstCall: ContinuousClock.Instant?
    }

    let manifest: Manifest
    private let state = Mutex(State())
    private let hasToken: Bool
    private let observer = Mutex<(@Sendable (Delivery) -> Void)?>(nil)

    init(hasToken: Bool) {
        self.hasToken = hasToken
        manifest = Manifest(
            driver: BenchDriverFactory.name, version: "1.0", summary: "Does nothing, at once",
            entities: [
                EntityManifest(
                    native: BenchCustomer.native, entity: "customer", createIsRepeatable: true, hasToken: hasToken, tellsReference: true)
            ], settleTime: .seconds(1), answerTime: .seconds(5), limits: Manifest.Limits(batch: 100, concurrentCalls: 4), window: "none")
    }

    func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] {
        let observer = observer.withLock { $0 }
        return state.withLock { state in
            if state.firstCall == nil { state.firstCall = .now }
            state.applied += batch.count
            return batch.map { delivery in
                observer?(delivery)
                let key = delivery.key ?? Self.key(delivery.reference)
                let number = (state.tokens[key] ?? 0) + 1
                state.tokens[key] = number
                let token = hasToken ? VersionToken("\(number)") : nil
                if !hasToken {
                    var document = state.documents[key] ?? Fields()
                    for field in delivery.fields { document[field.name] = field.value }
                    state.documents[key] = document
                }
                state.feed.append(
                    CapturedChange(
                        event: ChangeEvent(
                            id: "\(key)-\(number)", type: delivery.native, operation: .upsert, key: key,
                            position: SourcePosition(minor: number), token: token, reference: delivery.reference),
                        fields: delivery.fields))
                return .written(NativeDocument(key: key, token: token, fields: delivery.fields))
            }
        }
    }

    private static func key(_ reference: CanonicalID) -> NativeKey { NativeKey("B-\(reference)") }

    func lookUp(_ references: [LookUp]) async throws(DriverError) -> [[NativeDocument]] {
        state.withLock { state in
            references.map { asked in
                let key = Self.key(asked.reference)
                guard let number = state.tokens[key] else { return [] }
                let token = hasToken ? VersionToken("\(number)") : nil
                return [NativeDocument(key: key, token: token, reference: asked.reference, fields: state.documents[key] ?? Fields())]
            }
        }
    }

    func read(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?] {
        state.withLock { state in
            references.map { request in state.documents[request.key].map { NativeDocument(key: request.key, fields: $0) } }
        }
    }

    func capture(after position: String?, limit: Int) async throws(DriverError) -> CapturedBatch {
        state.withLock { state in
            if state.holdsFeed { return CapturedBatch(changes: [], position: nil) }
            if let position, let reached = Int64(position), reached > state.taken {
                state.feed.removeFirst(min(state.feed.count, Int(reached - state.taken)))
                state.taken = reached
            }
            let changes = Array(state.feed.prefix(limit))
            return CapturedBatch(changes: changes, position: changes.isEmpty ? nil : "\(state.taken + Int64(changes.count))")
        }
    }

    func probe() async throws(DriverError) -> ApplicationIdentity { ApplicationIdentity(instance: "bench", version: "1") }
    func close() async {}

    // MARK: What the measurement asks

    /// Deliveries applied so far.
    var applied: Int { state.withLock { $0.applied } }

    /// When the first call since the last ``restart()`` came.
    var firstCall: ContinuousClock.Instant? { state.withLock { $0.firstCall } }

    func restart() { state.withLock { $0.firstCall = nil } }

    func holdFeed(_ holds: Bool) { state.withLock { $0.holdsFeed = holds } }

    /// Called with every delivery.
    func observe(_ body: (@Sendable (Delivery) -> Void)?) { observer.withLock { $0 = body } }
}

/// Makes the benchmark's application; in no catalogue but the benchmark's own.
enum BenchDriverFactory: DriverFactory {
    static let name = "bench"
    static let settings = [SettingDescription("token", "whether writes can be conditional on a version token: yes or no")]
    static let mappings = [BuiltinMapping(fileName: "bench-customer.yaml", text: BenchCustomer.mapping)]

    static func make(_ settings: DriverSettings) throws(DriverError) -> any Driver {
        BenchDriver(hasToken: settings.values["token"] != "no")
    }
}
