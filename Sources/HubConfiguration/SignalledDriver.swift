import FoundationEssentials
package import HubDriver
package import HubModel

/// A driver whose feed only says *which* documents have changed; what is told is the whole document, read through the application's own
/// interface.
///
/// The signal is a feed of tables whose rows are documents or parts of them, transaction by transaction. Nobody sees half of a document, as
/// the interface never shows that.
///
/// A document is read when its signal has come: it holds all that was done up to the signal's place, and perhaps more, which signals of its
/// own follow for and find nothing new. Places rise with the signals, so that the newest one has the newest state, whoever told it, and
/// however often.
package struct SignalledDriver: Capturing {
    private let base: any Driver & Reading
    private let signal: any Capturing
    private let companions: [String: [SignalMap.Companion]]
    /// Types that anybody wants to hear of; nil: all.
    private let natives: Set<String>?
    /// The application's names of the companies that are exchanged; empty: there is one.
    private let companies: Set<String>

    /// Rows that signal in one batch, documents that they may lead to, and documents of one read.
    private static let maxSignals = 200
    private static let maxDocuments = 1000
    private static let readAtOnce = 50

    package init(
        _ base: any Driver & Reading, signal: any Capturing, companions: [SignalMap.Companion] = [], natives: Set<String>? = nil,
        companies: Set<String> = []
    ) {
        self.base = base
        self.signal = signal
        self.companions = Dictionary(grouping: companions, by: \.of)
        self.natives = natives
        self.companies = companies
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

    package func capture(after text: String?, limit: Int) async throws(DriverError) -> CapturedBatch {
        let start = SignalPosition(text)
        var limit = min(limit, Self.maxSignals)
        while true {
            var position = start
            let told = try await signal.capture(after: start.signal, limit: limit)
            let signals = collected(told.changes, &position.time)
            // One row may lead to many documents: fewer rows then, so that a batch ends in time.
            if signals.count > Self.maxDocuments, limit > 1 {
                limit = max(1, limit / 4)
                continue
            }
            let documents = try await documents(signals)
            let changes = zip(signals, documents).compactMap { change($0, $1) }
            position.signal = told.position
            return CapturedBatch(
                changes: changes, malformed: told.malformed, position: told.position == nil ? nil : position.text, notices: told.notices)
        }
    }

    /// The documents as they are now, in the signals' order; those of one type and company are asked for together.
    private func documents(_ signals: [Signal]) async throws(DriverError) -> [NativeDocument?] {
        var found = [NativeDocument?](repeating: nil, count: signals.count)
        let groups = Dictionary(grouping: signals.indices) { [signals[$0].request.native, signals[$0].request.company ?? ""] }
        for (_, places) in groups.sorted(by: { $0.value[0] < $1.value[0] }) {
            for start in stride(from: 0, to: places.count, by: Self.readAtOnce) {
                let some = places[start..<min(start + Self.readAtOnce, places.count)]
                let documents = try await base.tell(some.map { signals[$0].request })
                guard documents.count == some.count else {
                    throw DriverError(
                        .protocolViolation, "The driver read \(documents.count) documents where \(some.count) were asked for.")
                }
                for (place, document) in zip(some, documents) { found[place] = document }
            }
        }
        return found
    }

    // MARK: Signals

    /// All that a batch says of one document.
    private struct Signal {
        /// The newest.
        var event: ChangeEvent
        var request: ReadRequest
        /// A row that is a document itself has gone.
        var isGone = false
        var isSnapshot = true
    }

    private struct Name: Hashable {
        var native: String
        var key: NativeKey
        /// Of a companion's document.
        var company: String?
    }

    /// Each document once, where its newest signal stands.
    ///
    /// - Parameter time: of the last signal; moves on.
    private func collected(_ changes: [CapturedChange], _ time: inout Instant) -> [Signal] {
        var found: [Name: (place: Int, signal: Signal)] = [:]
        var place = 0
        func note(_ event: ChangeEvent, _ name: Name) {
            guard natives?.contains(name.native) ?? true else { return }
            var signal =
                found[name]?.signal ?? Signal(event: event, request: ReadRequest(native: name.native, company: name.company, key: name.key))
            signal.event = event
            signal.event.type = name.native
            signal.request.company = name.company ?? event.company ?? signal.request.company
            signal.isGone = signal.isGone || event.operation == .delete
            signal.isSnapshot = signal.isSnapshot && event.operation == .snapshot
            found[name] = (place, signal)
            place += 1
        }
        for change in changes {
            time = max(time, change.event.time ?? Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)))
            guard let key = change.event.key else { continue }
            var event = change.event
            event.position = Self.place(of: event, at: time)
            note(event, Name(native: event.type, key: key))
            for companion in companions[event.type] ?? [] {
                var other = event
                other.id += "-\(companion.native)-\(companion.company ?? "")"
                note(other, Name(native: companion.native, key: key, company: companion.company))
            }
        }
        return found.values.sorted { $0.place < $1.place }.map(\.signal)
    }

    /// A place behind all that the driver's own feed may have told of a document before, and before all that it may tell afterwards, as far
    /// as that counts in microseconds since 1970 by the same clock. Signals of one time are ordered by the log that they stand in, and those
    /// of one transaction are one.
    private static func place(of event: ChangeEvent, at time: Instant) -> SourcePosition {
        let own = event.position ?? SourcePosition(minor: 0)
        return SourcePosition(major: (time.milliseconds + 1) * 1000, minor: own.major == 0 ? own.minor : own.major)
    }

    // MARK: Documents

    /// nil where nobody knows of the document and nothing says that it went: another signal will.
    private func change(_ signal: Signal, _ document: NativeDocument?) -> CapturedChange? {
        var event = signal.event
        let entity = base.manifest.entity(native: event.type)
        event.company = entity?.isPerCompany ?? true ? signal.request.company : nil
        // As the driver's own feed: without stamps the order of telling serves, and a place would stand behind all that is told without one.
        if entity?.hasStamp != true { event.position = nil }
        // Others' companies are nobody's business.
        if let company = event.company, !companies.isEmpty, !companies.contains(company) { return nil }
        event.operation = signal.isSnapshot ? .snapshot : .upsert
        guard let document else {
            guard signal.isGone else { return nil }
            event.operation = .delete
            return CapturedChange(event: event, fields: nil)
        }
        if document.isDeleted { event.operation = .delete }
        // Another one where people have merged it into that: what is left is told, and no deletion.
        event.key = document.key
        event.token = document.token
        event.reference = document.reference ?? event.reference
        return CapturedChange(event: event, fields: document.fields)
    }
}

/// How far a signal has been heard: its own position, and the time of the last signal, which never goes back.
private struct SignalPosition {
    var signal: String?
    var time = Instant(milliseconds: 0)

    private static let signal = "signal"
    private static let time = "time"

    /// A text that is no such position is the signal's own, as earlier versions stored it.
    init(_ text: String?) {
        signal = text
        guard let text, let fields = try? JSONText.fields(text), let inner = fields[Self.signal]?.text,
            let time = fields[Self.time]?.integer
        else { return }
        signal = inner
        self.time = Instant(milliseconds: time)
    }

    var text: String {
        JSONText.text(.object([Self.signal: .string(signal ?? ""), Self.time: .number(Number(time.milliseconds))]))
    }
}
