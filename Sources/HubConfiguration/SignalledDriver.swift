package import HubDriver
package import HubModel

/// A driver whose feed only says *which* documents have changed; what is told is the whole document, read through the application's own
/// interface.
///
/// The signal is a feed of tables whose rows are documents or parts of them, transaction by transaction. By the time a document is read it
/// may be newer than its signal: then the next signal finds nothing new. Nobody sees half of one, as the interface never shows that.
package struct SignalledDriver: Capturing {
    private let base: any Driver & Reading
    private let signal: any Capturing

    /// Documents of one batch, and of one read.
    private static let maxDocuments = 200
    private static let readAtOnce = 50

    package init(_ base: any Driver & Reading, signal: any Capturing) {
        self.base = base
        self.signal = signal
    }

    /// The application's own, but for how often its feed is looked at: that is the signal's.
    package var manifest: Manifest {
        var manifest = base.manifest
        manifest.pollTime = signal.manifest.pollTime
        return manifest
    }
    package func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] { try await base.apply(batch) }

    package func probe() async throws(DriverError) -> ApplicationIdentity {
        var identity = try await base.probe()
        identity.details += try await signal.probe().details.map { "signal: " + $0 }
        return identity
    }

    package func close() async {
        await signal.close()
        await base.close()
    }

    package func capture(after position: String?, limit: Int) async throws(DriverError) -> CapturedBatch {
        let told = try await signal.capture(after: position, limit: min(limit, Self.maxDocuments))
        let signals = Self.collected(told.changes)
        var changes: [CapturedChange] = []
        var rest = signals[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(Self.readAtOnce))
            rest = rest.dropFirst(some.count)
            let documents = try await base.read(some.map(\.request))
            guard documents.count == some.count else {
                throw DriverError(.protocolViolation, "The driver read \(documents.count) documents where \(some.count) were asked for.")
            }
            for (signal, document) in zip(some, documents) {
                if let change = Self.change(signal, document) { changes.append(change) }
            }
        }
        return CapturedBatch(changes: changes, position: told.position, notices: told.notices)
    }

    /// All that a batch says of one document.
    private struct Signal {
        /// The newest.
        var event: ChangeEvent
        var request: ReadRequest
        /// A row that is a document itself has gone.
        var isGone = false
        var isSnapshot = true
    }

    /// Each document once, where its newest signal stands.
    private static func collected(_ changes: [CapturedChange]) -> [Signal] {
        struct Name: Hashable {
            var type: String
            var key: NativeKey
        }
        var found: [Name: (place: Int, signal: Signal)] = [:]
        for (place, change) in changes.enumerated() {
            guard let key = change.event.key else { continue }
            let name = Name(type: change.event.type, key: key)
            let request = ReadRequest(native: name.type, company: change.event.company, key: key)
            var signal = found[name]?.signal ?? Signal(event: change.event, request: request)
            signal.event = change.event
            signal.request.company = change.event.company ?? signal.request.company
            signal.isGone = signal.isGone || change.event.operation == .delete
            signal.isSnapshot = signal.isSnapshot && change.event.operation == .snapshot
            found[name] = (place, signal)
        }
        return found.values.sorted { $0.place < $1.place }.map(\.signal)
    }

    /// nil where nobody knows of the document and nothing says that it went: another signal will.
    private static func change(_ signal: Signal, _ document: NativeDocument?) -> CapturedChange? {
        var event = signal.event
        event.company = signal.request.company
        event.operation = signal.isSnapshot ? .snapshot : .upsert
        guard let document else {
            guard signal.isGone else { return nil }
            event.operation = .delete
            return CapturedChange(event: event, fields: nil)
        }
        if document.isDeleted { event.operation = .delete }
        // Where reads tell the place in a feed of the application's own, answers do too: that is the one to compare with. A deletion stands
        // behind all of them, since the log's places are greater.
        event.position = document.stamp ?? event.position
        event.token = document.token
        event.reference = document.reference ?? event.reference
        return CapturedChange(event: event, fields: document.fields)
    }
}
