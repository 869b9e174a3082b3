import HubCodec
import HubDriver
import HubModel

/// An application in memory: documents, the feed that it has told, and what it answers to calls.
///
/// Nothing happens by itself: the test says when the feed is heard and when a call takes effect.
final class FakeApplication {
    struct Document: Equatable {
        var entity: String
        var reference: CanonicalID?
        var state = Fields()
        var token = 0
        var position: Int64 = 0
        var isDeleted = false
    }

    let id: ApplicationID
    let hasToken: Bool
    var documents: [NativeKey: Document] = [:]
    /// Everything that it told, in order.
    var feed: [Record] = []
    var position: Int64 = 0
    /// Answers in the place of the application's own; nil lets the call through.
    var refuses: (Delivery) -> Answer? = { _ in nil }
    /// Fields that every event and read tells, empty where the document lacks them.
    var tellsEmpty: [String] = []
    private var count = 0

    init(_ id: ApplicationID, hasToken: Bool) {
        self.id = id
        self.hasToken = hasToken
    }

    /// A person's new document.
    func create(_ entity: String, _ fields: Fields, reference: CanonicalID? = nil, at time: Instant) -> NativeKey {
        count += 1
        let key = NativeKey("\(id)-\(count)")
        documents[key] = Document(entity: entity, reference: reference)
        change(key, fields, at: time)
        return key
    }

    /// Changes a document and tells the change; nothing happens where nothing differs.
    func change(_ key: NativeKey, _ fields: Fields, deletes: Bool = false, at time: Instant) {
        guard var document = documents[key] else { return }
        let changed = fields.filter { (document.state[$0.name] ?? .null) != $0.value }
        guard !changed.isEmpty || deletes || document.token == 0 else { return }
        let isNew = document.token == 0
        position += 1
        document.state = document.state.overlaid(with: fields)
        document.token += 1
        document.position = position
        document.isDeleted = document.isDeleted || deletes
        documents[key] = document
        tell(key, document, isNew ? document.state : changed, at: time)
    }

    /// Tells the whole document as a snapshot, as an import does.
    func snapshot(_ key: NativeKey, at time: Instant) {
        guard let document = documents[key] else { return }
        position += 1
        tell(key, document, document.state, verb: "snapshot", at: time)
    }

    private func tell(_ key: NativeKey, _ document: Document, _ told: Fields, verb: String? = nil, at time: Instant) {
        let empty = Fields(tellsEmpty.map { ($0, document.state[$0] ?? .null) })
        var writer = JSONWriter()
        writer.write(.object(empty.overlaid(with: told)))
        var headers: [Record.Header] = [
            .init("content-type", "application/json"), .init("ce_specversion", "1.0"), .init("ce_id", "\(id)@\(position)"),
            .init("ce_source", "/\(id)"), .init("ce_subject", key.rawValue),
            .init("ce_type", "\(document.entity).\(verb ?? (document.isDeleted ? "deleted" : "updated"))"),
            .init("ce_sequence", "\(position)"), .init("ce_time", time.rfc3339Text),
        ]
        if hasToken {
            headers.append(.init("ce_mptoken", "\(document.token)"))
            if let reference = document.reference { headers.append(.init("ce_mpref", reference.rawValue)) }
        }
        feed.append(
            Record(
                topic: "\(id).all", offset: Int64(feed.count), timestamp: time.milliseconds, key: Array(key.rawValue.utf8),
                value: writer.bytes,
                headers: headers))
    }

    func told(_ key: NativeKey) -> NativeDocument? {
        guard let document = documents[key] else { return nil }
        return NativeDocument(
            key: key, token: hasToken ? VersionToken("\(document.token)") : nil, stamp: SourcePosition(minor: document.position),
            reference: hasToken ? document.reference : nil, isDeleted: document.isDeleted, fields: document.state)
    }

    /// What a read without a stamp shows.
    func toldWithoutStamp(_ key: NativeKey) -> NativeDocument? {
        var document = told(key)
        document?.stamp = nil
        return document
    }

    func carryOut(_ delivery: Delivery, at time: Instant) -> Answer {
        if let answer = refuses(delivery) { return answer }
        guard let key = delivery.key else {
            if !hasToken, let known = documents.first(where: { $0.value.reference == delivery.reference })?.key, let document = told(known)
            {
                return .unchanged(document)
            }
            let key = create(delivery.native, delivery.fields, reference: delivery.reference, at: time)
            return told(key).map { .written($0) } ?? .gone
        }
        guard let document = documents[key] else { return .gone }
        if hasToken, delivery.expected?.token?.rawValue != "\(document.token)" { return .changed }
        if document.isDeleted { return .gone }
        change(key, delivery.fields, deletes: delivery.operation == .delete, at: time)
        return told(key).map { .written($0) } ?? .gone
    }
}
