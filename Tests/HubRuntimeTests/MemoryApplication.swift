import HubDriver
import HubModel
import Synchronization

/// An application in memory with a version token; can be lost, replaced by another instance, and silent.
final class MemoryApplication: Driver, LookingUp, Reading, Discovering, Sendable {
    struct State {
        var documents: [NativeKey: NativeDocument] = [:]
        var isLost = false
        var instance = "one"
        var deliveries = 0
        /// What the newest delivery wrote.
        var last = Fields()
        var types = MemoryApplication.types
        var discoveries = 0
        var refusals: [String: Rejection] = [:]
        /// So many of the next deliveries never answer, having done their work or not.
        var silences = 0
        var silencesTakeEffect = true
    }

    let state = Mutex(State())
    let manifest: Manifest = MemoryApplication.description

    static let description = Manifest(
        driver: "memory", version: "1", summary: "in memory",
        entities: ["thing", "part"].map { name in
            EntityManifest(
                native: name, entity: EntityName(name), createIsRepeatable: false, hasToken: true, tellsReference: true)
        },
        settleTime: .milliseconds(300), answerTime: .milliseconds(500), limits: .init(batch: 10, concurrentCalls: 2), window: "none")

    static let types = ["thing", "part"].map { name in
        DiscoveredType(
            native: name, fields: ["name", "note", "extra", "remark"].map { DiscoveredField(path: $0, kind: .text, nativeKind: "text") })
    }

    func discover() async throws(DriverError) -> Discovery {
        let identity = try await probe()
        return state.withLock { state in
            state.discoveries += 1
            return Discovery(identity: identity, types: state.types)
        }
    }

    func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] {
        try reach()
        let (isSilent, takesEffect) = state.withLock { state in
            defer { state.silences = max(0, state.silences - 1) }
            return (state.silences > 0, state.silencesTakeEffect)
        }
        let answers = isSilent && !takesEffect ? [] : work(batch)
        if isSilent {
            // Until the caller's patience is over, which cancels the call.
            try? await Task.sleep(for: .seconds(60))
            throw DriverError(.noAnswer, "nobody waits for this answer any more")
        }
        return answers
    }

    private func work(_ batch: [Delivery]) -> [Answer] {
        state.withLock { state in
            batch.map { delivery in
                state.deliveries += 1
                state.last = delivery.fields
                if let name = delivery.fields["name"]?.text, let rejection = state.refusals[name] { return .rejected(rejection) }
                let key = delivery.key ?? NativeKey("n\(state.documents.count + 1)")
                var document = state.documents[key] ?? NativeDocument(key: key, token: "0", reference: delivery.reference, fields: Fields())
                if delivery.operation == .update, delivery.expected?.token != document.token { return .changed }
                document.fields = document.fields.overlaid(with: delivery.fields)
                document.token = VersionToken("\((Int(document.token?.rawValue ?? "") ?? 0) + 1)")
                document.isDeleted = delivery.operation == .delete
                state.documents[key] = document
                return .written(document)
            }
        }
    }

    func lookUp(_ references: [LookUp]) async throws(DriverError) -> [[NativeDocument]] {
        try reach()
        return state.withLock { state in references.map { asked in state.documents.values.filter { $0.reference == asked.reference } } }
    }

    func read(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?] {
        try reach()
        return state.withLock { state in references.map { state.documents[$0.key] } }
    }

    func probe() async throws(DriverError) -> ApplicationIdentity {
        try reach()
        return ApplicationIdentity(instance: state.withLock { $0.instance }, version: "1")
    }

    func close() async {}

    private func reach() throws(DriverError) {
        if state.withLock({ $0.isLost }) { throw DriverError(.unreachable, "the application is down") }
    }

    var names: [String] { state.withLock { $0.documents.values.filter { !$0.isDeleted }.compactMap { $0.fields["name"]?.text }.sorted() } }
}

/// Makes the configured drivers, which tests replace by their own.
enum MemoryFactory: DriverFactory {
    static let name = "memory"
    static let settings: [SettingDescription] = []
    static let mappings = ["thing", "part"].map { name in
        BuiltinMapping(fileName: "\(name).yaml", text: "entity: \(name)\nnative: \(name)\nfields:\n  name: name\n  note: note\n")
    }
    static func make(_ settings: DriverSettings) throws(DriverError) -> any Driver { MemoryApplication() }
}
