import HubCodec
import HubDriver
import HubModel

/// Who made a change: known to the checker, never to the hub.
enum Author: Hashable {
    case person
    case hub(Int)
}

/// One event of a simulated feed, with the truth beside it.
struct SimulatedEvent {
    var application: ApplicationID
    var key: NativeKey
    var position: Int64
    var record: Record
    var state: Fields
    var truth: [String: Author]
}

/// An application in memory: documents, a feed that is in order per document, delayed and repeated, and calls that it carries out.
final class SimulatedApplication {
    struct Document {
        var entity: String
        var reference: CanonicalID?
        var state = Fields()
        var token: Int64 = 0
        var isDeleted = false
        var position: Int64 = 0
    }

    let id: ApplicationID
    let inboundTopic: String
    let partition: TopicPartition
    let hasToken: Bool
    let tellsReference: Bool
    let createIsRepeatable: Bool
    let normalise: [String: (String) -> String]
    var documents: [NativeKey: Document] = [:]
    /// In order of creation: dictionaries have none that a seed could repeat.
    var keys: [NativeKey] = []
    var unpublished: [(key: NativeKey, events: [SimulatedEvent])] = []
    var topic: [SimulatedEvent] = []
    /// What has been told, by position.
    var events: [Int64: SimulatedEvent] = [:]
    var position: Int64 = 0

    init(
        _ id: ApplicationID, hasToken: Bool, tellsReference: Bool, createIsRepeatable: Bool, normalise: [String: (String) -> String]
    ) {
        self.id = id
        inboundTopic = "\(id).all"
        partition = TopicPartition(inboundTopic, 0)
        self.hasToken = hasToken
        self.tellsReference = tellsReference
        self.createIsRepeatable = createIsRepeatable
        self.normalise = normalise
    }

    func normal(_ field: String, _ value: Value) -> Value {
        guard let text = value.text, let rule = normalise[field] else { return value }
        return .string(rule(text))
    }

    /// Adds a document; it is told when it is first committed.
    func add(_ entity: String, reference: CanonicalID?) -> NativeKey {
        let key = NativeKey("\(id)-\(keys.count + 1)")
        keys.append(key)
        documents[key] = Document(entity: entity, reference: reference)
        return key
    }

    /// Changes a document and puts the change in the feed.
    /// - Returns: the fields that really changed; nil where nothing did.
    func commit(_ key: NativeKey, _ changes: Fields, _ author: Author, deletes: Bool = false, in world: World) -> [String: Author]? {
        guard var document = documents[key] else { return nil }
        var truth: [String: Author] = [:]
        for change in changes {
            let value = normal(change.name, change.value)
            if document.state[change.name] != value {
                document.state[change.name] = value
                truth[change.name] = author
            }
        }
        if deletes && !document.isDeleted {
            document.isDeleted = true
            truth["deleted"] = author
        }
        guard !truth.isEmpty else { return nil }
        position += 1
        document.token += 1
        document.position = position
        let isNew = document.token == 1
        let told = document.state.filter { truth[$0.name] != nil || isNew || world.random.unit() < 0.7 }
        documents[key] = document
        let time = world.now + (world.options.isSkewed ? Int64(world.random.below(9)) - 4 : 0)
        let event = SimulatedEvent(
            application: id, key: key, position: position, record: record(key, document, told, time: time), state: told, truth: truth)
        if let place = unpublished.firstIndex(where: { $0.key == key }) {
            unpublished[place].events.append(event)
        } else {
            unpublished.append((key, [event]))
        }
        return truth
    }

    private func record(_ key: NativeKey, _ document: Document, _ told: Fields, time: Int64) -> Record {
        var writer = JSONWriter()
        writer.write(.object(told))
        var headers: [Record.Header] = [
            .init("content-type", "application/json"), .init("ce_specversion", "1.0"), .init("ce_id", "\(id)-\(position)"),
            .init("ce_source", "/\(id)"), .init("ce_subject", key.rawValue),
            .init("ce_type", "\(document.entity).\(document.isDeleted ? "deleted" : "updated")"),
            .init("ce_sequence", "\(position)"),
            .init("ce_time", Instant(milliseconds: World.epoch + time).rfc3339Text),
        ]
        if hasToken { headers.append(.init("ce_mptoken", "\(document.token)")) }
        if tellsReference, let reference = document.reference { headers.append(.init("ce_mpref", reference.rawValue)) }
        // The broker's time is late enough to clamp nothing: skewed clocks are to be seen as they are.
        return Record(
            topic: inboundTopic, partition: 0, timestamp: World.epoch + time + 1_000_000, key: Array(key.rawValue.utf8),
            value: writer.bytes,
            headers: headers)
    }

    // MARK: The feed

    func publish(in world: World) {
        let place = world.random.below(unpublished.count)
        append(unpublished[place].events.removeFirst())
        if unpublished[place].events.isEmpty { unpublished.remove(at: place) }
    }

    /// A publisher that restarts at an older position tells a document's events again.
    func `repeat`(in world: World) {
        let key = topic[world.random.below(topic.count)].key
        let mine = topic.filter { $0.key == key }
        mine[world.random.below(mine.count)...].forEach(append)
    }

    private func append(_ event: SimulatedEvent) {
        var event = event
        event.record.offset = Int64(topic.count)
        topic.append(event)
        events[event.position] = event
    }

    // MARK: People

    func person(in world: World) {
        let live = keys.filter { documents[$0]?.isDeleted == false }
        let customers = live.filter { documents[$0]?.entity == "customer" }
        let what = world.random.unit()
        if live.isEmpty || what < 0.2 {
            let isOrder = !customers.isEmpty && world.random.unit() < 0.4
            let key = add(isOrder ? "order" : "customer", reference: nil)
            var values = Fields((isOrder ? ["qty"] : ["credit", "email", "phone", "segment"]).map { ($0, self.value(in: world)) })
            if isOrder { values["customer"] = .string(world.random.pick(customers).rawValue) }
            edit(key, values, in: world)
        } else {
            let key = world.random.pick(live)
            guard let entity = documents[key]?.entity else { return }
            if what > 0.95 {
                world.log { "person deletes \(key)" }
                edit(key, Fields(), deletes: true, in: world)
            } else {
                let fields = entity == "order" ? ["qty"] : ["phone", "email", "credit", "segment"]
                edit(key, [world.random.pick(fields): value(in: world)], in: world)
            }
        }
    }

    private func edit(_ key: NativeKey, _ values: Fields, deletes: Bool = false, in world: World) {
        world.log { "person at \(self.id): \(key) \(values.map { "\($0.name)=\($0.value.text ?? "?")" })" }
        guard let truth = commit(key, values, .person, deletes: deletes, in: world) else { return }
        for field in truth.keys { world.edits[Edit(application: id, position: position, field: field)] = .some(nil) }
    }

    /// Few values, so that A-B-A happens.
    private func value(in world: World) -> Value {
        .string(String(world.random.pick(Array("abcAB"))) + (world.random.below(2) == 0 ? "" : " "))
    }
}
