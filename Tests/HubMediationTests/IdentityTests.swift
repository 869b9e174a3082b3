import HubMediation
import HubModel
import HubRules
import HubStore
import Testing

@Suite("Which document an event is about, and when it waits")
struct IdentityTests {
    @Test("match fields link what is the same, once per application")
    func match() throws {
        var policy = EntityPolicy("customer")
        policy.match = ["phone", "name"]
        let desk = try Desk(policy)
        try desk.work(desk.event("crm", "c1", ["name": "Ann Lee", "phone": "1"]), desk.event("web", "w1", ["name": " ann  LEE "]))
        #expect(try desk.id("web", "w1") == desk.id("crm", "c1"))
        // A second document of the same application is another customer.
        try desk.work(desk.event("crm", "c2", ["name": "Ann Lee"]))
        #expect(try desk.id("crm", "c2") != desk.id("crm", "c1"))
        // Now two match: kept apart, and told to people.
        try desk.work(desk.event("erp", "e1", ["name": "Ann Lee"]))
        #expect(try desk.alarms().map(\.code) == ["ambiguous"])
        // The first field that finds somebody decides.
        try desk.work(desk.event("erp", "e2", ["name": "Ann Lee", "phone": "1"]))
        #expect(try desk.id("erp", "e2") == desk.id("crm", "c1"))
        // The text is the present one.
        try desk.work(desk.event("crm", "c1", ["phone": "2"]), desk.event("crm", "c3", ["name": "Other", "phone": "1"]))
        #expect(try desk.id("crm", "c3") != desk.id("crm", "c1"))
    }

    @Test("the hub's reference links; a second document that carries it is alarmed and changes nothing")
    func reference() throws {
        let desk = try Desk()
        try desk.work(desk.event("crm", "c1", ["name": "Ann"]))
        let id = try desk.id("crm", "c1")
        try desk.work(desk.event("erp", "e1", ["name": "Ann"], token: 1, reference: id))
        #expect(try desk.id("erp", "e1") == id)
        #expect(try desk.work(desk.event("erp", "e2", ["name": "Copy"], time: .seconds(9), token: 1, reference: id)) == [.duplicate])
        #expect(try desk.alarms().map(\.code) == ["second-document"])
        #expect(try desk.golden(id).fields["name"] == "Ann")
        #expect(try desk.target("erp", id).key == "e1")
        // A reference that the hub never gave, or of another entity, is none.
        try desk.work(desk.event("erp", "e3", ["name": "X"], reference: "customer-9-9"))
        #expect(try desk.id("erp", "e3") != "customer-9-9")
    }

    @Test("an unknown document waits while a create is in flight there, and only for creates sent before it came")
    func intents() throws {
        let desk = try Desk()
        try desk.work(desk.event("crm", "c1", ["name": "Ann"]))
        let id = try desk.id("crm", "c1")
        let target = Target("web", .shared, id)
        func sent(_ time: Instant?) throws {
            try desk.store.withTransaction { (store) throws in
                var state = try store.target(target)
                state.written = time.map { [TargetState.Write(id: 1, fields: ["name": "Ann"], isCreate: true, sent: $0)] } ?? []
                try store.put(state, target, "customer")
            }
        }
        try sent(desk.now)
        #expect(try desk.work(desk.event("web", "w1", ["name": "Ann"])) == [])
        #expect(try desk.waiting().map(\.awaits) == [.intents("web", "customer")])
        // Other events of the same document wait behind it; those of other applications do not.
        #expect(try desk.work(desk.event("web", "w1", ["phone": "1"])) == [])
        #expect(try desk.work(desk.event("crm", "c2", ["name": "Bea"])) == [.accepted])
        #expect(try desk.waiting().map(\.awaits).last == .turn)
        try desk.release()
        #expect(try desk.waiting().count == 2)
        // The create is answered: this is its document.
        try desk.link("web", "w1", to: id)
        try desk.release()
        #expect(try desk.waiting().isEmpty)
        #expect(try desk.id("web", "w1") == id)
        #expect(try desk.golden(id).fields == ["name": "Ann", "phone": "1"])
        // Sent later than the event came: it cannot be what the event tells of.
        try sent(desk.now + .seconds(1))
        #expect(try desk.work(desk.event("web", "w2", ["name": "Cid"])) == [.accepted])
    }

    @Test("a hard reference makes the event wait; what waits is worked in order when its link comes")
    func order() throws {
        let desk = try Desk()
        let orders = (1...3).map { desk.event("crm", "o1", ["customer": "c1", "qty": .string("\($0)")], entity: "order") }
        #expect(try desk.work(orders[0]) == [])
        #expect(try desk.work(orders[1]) == [])
        #expect(try desk.work(orders[2]) == [])
        #expect(try desk.waiting().map(\.awaits) == [.link(NativeReference("crm", .shared, "customer", "c1")), .turn, .turn])
        try desk.work(desk.event("crm", "c1", ["name": "Ann"]))
        try desk.release()
        let id = try desk.id("crm", "o1", "order")
        #expect(try desk.golden(id).fields["qty"] == "3")
        #expect(
            try desk.outbox().compactMap { $0.header("ce_id") }.filter { $0.hasPrefix("order") } == ["\(id)/1.1", "\(id)/1.2", "\(id)/1.3"])
        #expect(try desk.ends() == [.accepted: 4])
    }

    @Test("an event that waits for one link can wait for another next")
    func twoLinks() throws {
        let desk = try Desk()
        try desk.work(
            desk.event("crm", "o1", ["customer": "c1", "qty": "1"], entity: "order"),
            desk.event("crm", "o1", ["customer": "c2"], entity: "order"))
        try desk.work(desk.event("crm", "c1", ["name": "Ann"]))
        try desk.release()
        #expect(try desk.waiting().map(\.awaits) == [.link(NativeReference("crm", .shared, "customer", "c2"))])
        try desk.work(desk.event("crm", "c2", ["name": "Bea"]))
        try desk.release()
        #expect(try desk.golden(desk.id("crm", "o1", "order")).version.number == 2)
        #expect(try desk.waiting().isEmpty)
    }

    @Test("a soft reference is left out, and filled in when its link comes or it is told again")
    func soft() throws {
        let desk = try Desk()
        #expect(try desk.work(desk.event("crm", "c1", ["name": "Ann", "agent": "c2"])) == [.accepted])
        let id = try desk.id("crm", "c1")
        #expect(try desk.golden(id).fields == ["name": "Ann"])
        try desk.work(desk.event("crm", "c2", ["name": "Agent"]))
        try desk.release()
        try desk.work(desk.event("crm", "c1", ["agent": "c2"]))
        #expect(try desk.golden(id).fields["agent"]?.text == desk.id("crm", "c2").rawValue)
    }

    // MARK: What heard does

    @Test("an event older than heard changes nothing; absent fields are unchanged")
    func stale() throws {
        let desk = try Desk()
        try desk.work(desk.event("crm", "c1", ["name": "Ann", "phone": "1"], position: 5))
        let id = try desk.id("crm", "c1")
        #expect(try desk.work(desk.event("crm", "c1", ["name": "Old"], position: 4, time: .seconds(9))) == [.stale])
        #expect(try desk.work(desk.event("crm", "c1", ["name": "Again"], position: 5, time: .seconds(9))) == [.stale])
        #expect(try desk.work(desk.event("crm", "c1", ["name": "Bea"], position: 6)) == [.accepted])
        #expect(try desk.golden(id).fields == ["name": "Bea", "phone": "1"])
        #expect(try desk.work(desk.event("crm", "c1", ["phone": .null], position: 7)) == [.accepted])
        #expect(try desk.golden(id).fields == ["name": "Bea", "phone": .null])
        #expect(try desk.work(desk.event("crm", "c1", ["name": "Bea"], position: 8)) == [.unchanged])
    }

    @Test("work of an assignment that has been taken over does not count, and nothing of it remains")
    func fenced() throws {
        let desk = try Desk()
        let epoch = try desk.store.withTransaction { try $0.raiseEpoch(desk.plan.mediationGroup, TopicPartition("crm.all", 0)) }
        #expect(throws: StoreError.self) { try desk.work(desk.event("crm", "c1", ["name": "Ann"])) }
        #expect(try desk.store.withTransaction { try $0.goldenCounts() }.isEmpty)
        #expect(try desk.outbox().isEmpty && desk.ends().isEmpty)
        #expect(try desk.work(desk.event("crm", "c1", ["name": "Ann"]), epoch: epoch) == [.accepted])
    }

    @Test("records behind the stored offset have happened already; a batch may not leave one out")
    func offsets() throws {
        let desk = try Desk()
        let partition = TopicPartition("crm.all", 0)
        var record = desk.event("crm", "c1", ["name": "Ann"])
        record.offset = 0
        func commit(_ record: Record, from: Int64?) throws {
            let batch = Mediator.Batch(
                partition: partition, epoch: 1, records: [(record, desk.pipeline.prepare(record, now: desk.now))], from: from,
                nextOffset: record.offset + 1)
            try desk.store.withTransaction { _ = try desk.mediator.commit(batch, now: desk.now, in: $0) }
        }
        try commit(record, from: 0)
        try commit(record, from: 0)
        #expect(try desk.ends() == [.accepted: 1])
        record.offset = 5
        #expect(throws: StoreError.self) { try commit(record, from: 5) }
        #expect(try desk.store.withTransaction { try $0.offset(desk.plan.mediationGroup, partition) } == 1)
    }

    @Test("what cannot be worked is a dead letter with its place; what nobody wants is filtered")
    func dead() throws {
        let desk = try Desk()
        var broken = desk.event("crm", "c1", ["name": "Ann"])
        broken.value = Array("{".utf8)
        #expect(try desk.work(broken) == [.dead])
        var keyless = desk.event("crm", "", ["name": "Ann"])
        keyless.headers.removeAll { $0.name == "ce_subject" }
        #expect(try desk.work(keyless) == [.dead])
        #expect(try desk.work(desk.event("crm", "x", ["a": 1], entity: "invoice")) == [.filtered])
        #expect(try desk.work(desk.event("crm", String(repeating: "k", count: 600), ["name": "Ann"])) == [.dead])
        let letters = try desk.store.withTransaction { try $0.deadLetters(after: 0, limit: 10, includeReplayed: true) }
        #expect(letters.count == 3)
        #expect(letters.allSatisfy { $0.application == "crm" && $0.record != nil && $0.reason.hasPrefix("crm.all[0]@") })
        #expect(try desk.ends() == [.dead: 3, .filtered: 1])
    }
}
