import HubCodec
import HubDriver
import HubMediation
import HubModel
import HubRules
import HubStore
import Testing

/// Mediation alone: events in, golden records, ends, conflicts and outbox rows out.
final class Desk {
    let store = MemoryStore(storeID: "test")
    var plan: HubPlan
    var now = Instant(milliseconds: 1_700_000_000_000)
    private var offsets: [ApplicationID: Int64] = [:]
    private var positions: [ApplicationID: Int64] = [:]

    /// - Parameter token: applications whose events carry token and reference.
    init(_ policies: EntityPolicy..., token: Set<ApplicationID> = ["erp"]) throws {
        let customer = """
            entity: customer
            native: customer
            fields: { name: name, phone: phone, credit: credit, status: status, agent: { path: agent, ref: customer, soft: true } }
            """
        let order = "entity: order\nnative: order\nfields: { customer: { path: customer, ref: customer }, qty: qty, state: state }"
        let applications = try (["crm", "erp", "web"] as [ApplicationID]).map { id in
            let entities = (["customer", "order"] as [EntityName]).map {
                EntityManifest(
                    native: $0.rawValue, entity: $0, createIsRepeatable: true, hasToken: token.contains(id),
                    tellsReference: token.contains(id))
            }
            return ApplicationPlan(
                id: id,
                manifest: Manifest(
                    driver: "fake", version: "1", summary: "", entities: entities, settleTime: .seconds(1), answerTime: .seconds(1),
                    window: ""),
                mappings: try [customer, order].map { try Mapping.compile(MappingSource(name: "\(id).yaml", text: $0), application: id) })
        }
        plan = HubPlan(hub: "t", entities: [EntityPolicy("customer"), EntityPolicy("order")] + policies, applications: applications)
        for id in plan.applications.keys {
            try store.withTransaction { _ = try $0.raiseEpoch(plan.mediationGroup, TopicPartition("\(id).all", 0)) }
        }
    }

    var pipeline: InboundPipeline {
        let decoder = EnvelopeDecoder(otherwise: EnvelopeDeclaration(.cloudEvents))
        let sources = plan.applications.keys.map { ("\($0).all", InboundPipeline.Source(application: $0, decoder: decoder)) }
        return InboundPipeline(plan: plan, sources: Dictionary(uniqueKeysWithValues: sources))
    }

    var mediator: Mediator { Mediator(plan: plan, pipeline: pipeline) }

    /// An event's record. Each event has the next position of its application unless one is given; time counts from the desk's own.
    func event(
        _ id: ApplicationID, _ key: String, _ fields: Fields?, entity: String = "customer", verb: String = "updated",
        position: Int64? = nil,
        time: Duration = .zero, token: Int? = nil, reference: CanonicalID? = nil
    ) -> Record {
        let position = position ?? (positions[id, default: 0] + 1)
        positions[id] = max(position, positions[id, default: 0])
        var writer = JSONWriter()
        if let fields { writer.write(.object(fields)) }
        var headers: [Record.Header] = [
            .init("content-type", "application/json"), .init("ce_specversion", "1.0"), .init("ce_id", "\(id)@\(position)"),
            .init("ce_source", "/\(id)"), .init("ce_subject", key), .init("ce_type", "\(entity).\(verb)"),
            .init("ce_sequence", "\(position)"),
            .init("ce_time", (now + time).rfc3339Text),
        ]
        if let token { headers.append(.init("ce_mptoken", "\(token)")) }
        if let reference { headers.append(.init("ce_mpref", reference.rawValue)) }
        return Record(
            topic: "\(id).all", timestamp: now.milliseconds, key: Array(key.utf8), value: fields == nil ? nil : writer.bytes,
            headers: headers)
    }

    /// Works records in, one transaction for all of one application; returns the ends so far that are new, `.none` while one waits.
    @discardableResult
    func work(_ records: Record..., epoch: Int64 = 1) throws -> [EventEnd] {
        let before = try ends()
        for record in records {
            guard let id = plan.applications.keys.first(where: { record.topic == "\($0).all" }) else { continue }
            var record = record
            record.offset = offsets[id, default: 0]
            let batch = Mediator.Batch(
                partition: TopicPartition(record.topic, 0), epoch: epoch, records: [(record, pipeline.prepare(record, now: now))],
                from: nil,
                nextOffset: record.offset + 1)
            try store.withTransaction { _ = try mediator.commit(batch, now: now, in: $0) }
            offsets[id] = record.offset + 1
        }
        let after = try ends()
        return EventEnd.allCases.flatMap { Array(repeating: $0, count: after[$0, default: 0] - before[$0, default: 0]) }
    }

    func release() throws { while try store.withTransaction({ try mediator.release(limit: 10, now: now, in: $0) }) {} }

    func ends() throws -> [EventEnd: Int] {
        Dictionary(try store.withTransaction { try $0.eventEnds() }.map { ($0.end, $0.count) }) { $0 + $1 }
    }

    func id(_ application: ApplicationID, _ key: NativeKey, _ entity: EntityName = "customer") throws -> CanonicalID {
        try #require(try store.withTransaction { try $0.link(NativeReference(application, .shared, entity, key)) })
    }

    func golden(_ id: CanonicalID) throws -> GoldenRecord { try #require(try store.withTransaction { try $0.golden(id) }) }
    func target(_ application: ApplicationID, _ id: CanonicalID) throws -> TargetState {
        try store.withTransaction { try $0.target(Target(application, .shared, id)) }
    }

    func conflicts() throws -> [Conflict] { try store.withTransaction { try $0.conflicts(after: 0, limit: 100) } }
    func alarms() throws -> [Alarm] { try store.withTransaction { try $0.alarms(after: 0, limit: 100) } }
    func waiting() throws -> [WaitingEvent] { try store.withTransaction { try $0.waitingEvents(after: 0, limit: 100) } }
    func outbox() throws -> [Record] { try store.withTransaction { try $0.outbox(after: 0, limit: 1000) }.map(\.record) }

    func link(_ application: ApplicationID, _ key: NativeKey, to id: CanonicalID, entity: EntityName = "customer") throws {
        try store.withTransaction { (store) throws in
            let target = Target(application, .shared, id)
            var state = try store.target(target)
            try store.store(link: NativeReference(application, .shared, entity, key), to: id, target: target, state: &state)
            try store.put(state, target, entity)
        }
    }
}
