import HubCodec
import HubDelivery
import HubDriver
import HubMediation
import HubModel
import HubRules
import HubStore
import Testing

/// A hub over a memory store with a clock that only the test moves: CRM (no token), ERP (token, creates that cannot be repeated).
///
/// Calls are carried out only when the test says so, so that anything can happen between two steps.
final class Hub {
    let store: MemoryStore
    var plan: HubPlan
    var now = Instant(milliseconds: 1_700_000_000_000)
    let crm: FakeApplication
    let erp: FakeApplication
    let web: FakeApplication
    /// The canonical topics as one.
    private(set) var topic: [Record] = []
    private(set) var outcomes: [Record] = []
    private var produced: Set<Int64> = []
    /// Calls decided and not answered yet.
    private(set) var calls: [DeliveryCall] = []

    /// Transactions until the process is killed, at once behind the last or where the next would begin; nil: it lives.
    var fuse: (transactions: Int, atOnce: Bool)?
    private(set) var transactions = 0
    struct Killed: Error {}
    /// Of the assignments; 1 where nothing has taken over.
    var epochs: [ApplicationID: Int64] = [:]

    static let settleTime = Duration.seconds(5)
    static let answerTime = Duration.seconds(2)
    static let canonical = TopicPartition("t.canonical", 0)

    init(_ policies: [EntityPolicy] = [], web: Bool = false, stamp: Bool = true) throws {
        store = MemoryStore(storeID: "test")
        crm = FakeApplication("crm", hasToken: false)
        erp = FakeApplication("erp", hasToken: true)
        self.web = FakeApplication("web", hasToken: false)
        plan = HubPlan(
            hub: "t", entities: policies,
            applications: try ([crm, erp] + (web ? [self.web] : [])).map { try Hub.application($0, stamp: stamp) })
        for entity in ["customer", "order"] as [EntityName] where plan.entities[entity] == nil {
            plan.entities[entity] = EntityPolicy(entity)
        }
        plan.correctionLimit = 3
        plan.attemptLimit = 3
        for id in plan.applications.keys {
            try store.withTransaction { _ = try $0.raiseEpoch(plan.mediationGroup, TopicPartition("\(id).all", 0)) }
        }
        try store.withTransaction { _ = try $0.raiseEpoch("outbox", TopicPartition("outbox", 0)) }
    }

    private static func application(_ fake: FakeApplication, stamp: Bool) throws -> ApplicationPlan {
        // The ERP has no place for these: that is the others' business.
        let status = fake.id == "erp" ? "" : "status: status, since: { path: since, as: date, form: plain }, "
        let customer = """
            entity: customer
            native: customer
            fields: { name: name, phone: phone, credit: credit, \(status)agent: { path: agent, ref: customer, soft: true } }
            """
        let order = """
            entity: order
            native: order
            fields: { customer: { path: customer, ref: customer }, qty: qty }
            lines: { path: lines, key: id, fields: { amount: amount, agent: { path: agent, ref: customer, soft: true } } }
            """
        let entities = (["customer", "order"] as [EntityName]).map {
            EntityManifest(
                native: $0.rawValue, entity: $0, createIsRepeatable: !fake.hasToken, hasToken: fake.hasToken,
                hasStamp: stamp && !fake.hasToken,
                tellsReference: fake.hasToken)
        }
        return ApplicationPlan(
            id: fake.id,
            manifest: Manifest(
                driver: "fake", version: "1", summary: "", entities: entities, settleTime: settleTime, answerTime: answerTime, window: ""),
            mappings: try [customer, order].map {
                try Mapping.compile(MappingSource(name: "\(fake.id).yaml", text: $0), application: fake.id)
            })
    }

    func fake(_ id: ApplicationID) -> FakeApplication { id == "crm" ? crm : id == "erp" ? erp : web }

    @discardableResult
    func transaction<T>(_ body: (any StoreTransaction) throws -> T) throws -> T {
        if let fuse, transactions >= fuse.transactions { throw Killed() }
        let result = try store.withTransaction(body)
        transactions += 1
        if let fuse, fuse.atOnce, transactions >= fuse.transactions { throw Killed() }
        return result
    }

    /// What a kill loses: everything that is not in the store, the applications or Kafka.
    func restart() {
        fuse = nil
        calls = []
    }

    func wait(_ duration: Duration) { now = now + duration }

    // MARK: Mediation

    private func makeMediator() -> Mediator {
        let sources = plan.applications.keys.map {
            ("\($0).all", InboundPipeline.Source(application: $0, decoder: EnvelopeDecoder(otherwise: EnvelopeDeclaration(.cloudEvents))))
        }
        return Mediator(plan: plan, pipeline: InboundPipeline(plan: plan, sources: Dictionary(uniqueKeysWithValues: sources)))
    }

    /// Works in the next events that an application told: all of them, or so many.
    @discardableResult
    func hear(_ id: ApplicationID, _ count: Int = .max) throws -> Bool {
        let partition = TopicPartition("\(id).all", 0)
        let mediator = makeMediator()
        var heard = false
        for _ in 0..<min(count, fake(id).feed.count) {
            let more = try transaction { store -> Bool in
                let offset = Int(try store.offset(plan.mediationGroup, partition) ?? 0)
                guard offset < fake(id).feed.count else { return false }
                var record = fake(id).feed[offset]
                record.offset = Int64(offset)
                let batch = Mediator.Batch(
                    partition: partition, epoch: epochs[id] ?? 1, records: [(record, mediator.pipeline.prepare(record, now: now))],
                    from: nil,
                    nextOffset: record.offset + 1)
                _ = try mediator.commit(batch, now: now, in: store)
                return true
            }
            if !more { break }
            heard = true
        }
        return heard
    }

    @discardableResult
    func release() throws -> Bool {
        guard try !transaction({ try $0.releasable(limit: 1) }).isEmpty else { return false }
        return try transaction { store in
            _ = try makeMediator().release(limit: 10, now: now, in: store)
            return true
        }
    }

    // MARK: Outbox

    /// Takes all of the outbox to Kafka; a row that is produced twice is one record to whoever counts.
    @discardableResult
    func publish() throws -> Bool {
        let rows = try transaction { try $0.outbox(after: 0, limit: 100) }
        for row in rows {
            guard produced.insert(row.sequence).inserted else { continue }
            var record = row.record
            if record.topic == plan.outcomesTopic {
                outcomes.append(record)
            } else {
                record.offset = Int64(topic.count)
                topic.append(record)
            }
        }
        guard let last = rows.last else { return false }
        try transaction { store in
            try store.check(epoch: 1, "outbox", TopicPartition("outbox", 0))
            try store.clearOutbox(through: last.sequence)
        }
        return true
    }

    // MARK: Delivery

    func delivery(_ id: ApplicationID) -> TargetDelivery { TargetDelivery(plan: plan, application: id) }

    /// Reads what the canonical topics have for an application, then what the store holds ready.
    @discardableResult
    func poll(_ id: ApplicationID) throws -> [DeliveryCall] {
        try publish()
        let busy = { (document: CanonicalID) in self.calls.contains { $0.target.application == id && $0.target.id == document } }
        let fromTopic = try transaction { store in
            let offset = Int(try store.offset(plan.deliveryGroup(id), Hub.canonical) ?? 0)
            return try Intake(delivery: delivery(id)).accept(
                Array(topic.dropFirst(offset)), partition: Hub.canonical, nextOffset: Int64(topic.count), busy: busy, now: now, in: store)
        }
        calls += fromTopic
        let due = try transaction {
            try Intake(delivery: delivery(id)).beginDue(limit: 100, afterStart: true, busy: busy, now: now, in: $0).calls
        }
        calls += due
        return fromTopic + due
    }

    /// What the application makes of a call, without telling the hub yet.
    func carryOut(_ call: DeliveryCall) -> DeliveryReply {
        let application = fake(call.target.application)
        switch call.kind {
        case .lookUp(let question):
            let keys = application.documents.filter { $0.value.reference == question.reference }.keys.sorted()
            return .documents(keys.compactMap(application.told))
        case .read(let question): return .document(application.told(question.key))
        case .apply(let delivery): return .answer(application.carryOut(delivery, at: now))
        }
    }

    /// Gives the hub a reply; a call that follows is left open.
    @discardableResult
    func reply(_ call: DeliveryCall, _ reply: DeliveryReply) throws -> DeliveryCall? {
        let step = try transaction { try delivery(call.target.application).answered(call, reply, now: now, in: $0) }
        calls.removeAll { $0.target == call.target }
        guard case .call(let next) = step else { return nil }
        calls.append(next)
        return next
    }

    /// Carries a call out and all that follow from its answers.
    func finish(_ call: DeliveryCall) throws {
        var next: DeliveryCall? = call
        while let current = next {
            guard delivery(current.target.application).mayBeSent(current, now: now) else {
                next = try reply(current, .unreachable)
                continue
            }
            next = try reply(current, carryOut(current))
        }
    }

    /// Delivers what is to be delivered to an application just now.
    func deliver(_ id: ApplicationID) throws { try poll(id).forEach(finish) }

    /// The one call that a poll leads to.
    func nextCall(_ id: ApplicationID) throws -> DeliveryCall {
        let calls = try poll(id)
        try #require(calls.count == 1, "calls: \(calls.map(\.kind))")
        return calls[0]
    }

    /// The write that a poll leads to, a read before it carried out.
    func nextWrite(_ id: ApplicationID) throws -> DeliveryCall {
        let call = try nextCall(id)
        guard case .read = call.kind else { return call }
        return try #require(try reply(call, carryOut(call)))
    }

    /// Runs until nothing happens any more, the clock moving to the next wait's end where that is all that is left.
    func settle(until last: Duration = .seconds(3600)) throws {
        let end = now + last
        // A delivery can end without a call: only a second idle round says that nothing is left.
        var idle = 0
        for _ in 0..<1_000 {
            var moved = false
            for id in plan.applications.keys.sorted() where try hear(id) { moved = true }
            if try release() { moved = true }
            if try publish() { moved = true }
            for id in plan.applications.keys.sorted() {
                let calls = try poll(id)
                if !calls.isEmpty { moved = true }
                try calls.forEach(finish)
            }
            idle = moved ? 0 : idle + 1
            if idle < 2 { continue }
            guard let wake = try transaction({ store in try plan.applications.keys.compactMap { try store.nextWake($0) }.min() }),
                wake < end
            else { return }
            now = max(now, wake)
            idle = 0
        }
        Issue.record("the hub does not come to rest")
    }

    // MARK: What the store knows

    func golden(_ id: CanonicalID) throws -> GoldenRecord { try #require(try store.withTransaction { try $0.golden(id) }) }

    func state(_ id: ApplicationID, _ document: CanonicalID) throws -> TargetState {
        try store.withTransaction { try $0.target(Target(id, .shared, document)) }
    }

    func id(_ application: ApplicationID, _ key: NativeKey, _ entity: EntityName = "customer") throws -> CanonicalID {
        try #require(try store.withTransaction { try $0.link(NativeReference(application, .shared, entity, key)) })
    }

    func alarms() throws -> [String] { try store.withTransaction { try $0.alarms(after: 0, limit: 100) }.map(\.code) }

    func conflicts() throws -> [String] {
        try store.withTransaction { try $0.conflicts(after: 0, limit: 100) }.map {
            "\($0.application).\($0.field) \($0.rule) won by \($0.winner?.rawValue ?? "-")"
        }
    }

    /// Outcomes told for one application, as `written 1.2`.
    func told(_ id: ApplicationID) -> [String] {
        outcomes.filter { $0.header("ce_subject")?.hasPrefix("\(id)/") == true }.compactMap { record in
            guard let parts = record.header("ce_id")?.split(separator: "/"), parts.count >= 2 else { return nil }
            return "\(parts[parts.count - 1]) \(parts[parts.count - 2])"
        }
    }

    /// How many ends each version of each target has.
    func ends() -> [String: Int] {
        var ends: [String: Int] = [:]
        for record in outcomes {
            guard let target = record.header("ce_subject"), let parts = record.header("ce_id")?.split(separator: "/"),
                let kind = parts.last,
                kind != "waiting", let version = Version(String(parts[parts.count - 2]))
            else { continue }
            let first = record.value.flatMap { try? JSONDocument.parse($0).root["firstVersion"]?.number?.integer }.map { Int($0) }
            for number in (first ?? version.number)...version.number { ends["\(target) \(number)", default: 0] += 1 }
        }
        return ends
    }

    // MARK: Beginnings

    /// A customer made in the CRM and known everywhere, all feeds heard.
    func customer(_ fields: Fields = ["name": "Ann", "phone": "1"]) throws -> (id: CanonicalID, crm: NativeKey, erp: NativeKey) {
        let key = crm.create("customer", fields, at: now)
        try settle()
        wait(.seconds(1))
        let id = try id("crm", key)
        return (id, key, try #require(try state("erp", id).key))
    }

    /// The same, its phone changed in the CRM since; heard, and not delivered to the ERP yet.
    func changedCustomer() throws -> (id: CanonicalID, crm: NativeKey, erp: NativeKey) {
        let customer = try customer()
        crm.change(customer.crm, ["phone": "2"], at: now)
        try hear("crm")
        return customer
    }

    /// A customer made in the CRM whose creation in the ERP is decided and not yet sent.
    func openCreate() throws -> (id: CanonicalID, call: DeliveryCall) {
        let key = crm.create("customer", ["name": "Ann"], at: now)
        try hear("crm")
        return (try id("crm", key), try nextCall("erp"))
    }
}
