import HubDelivery
import HubModel
import HubRules
import HubStore
import Testing

/// One test per invariant of the architecture, by its number; `HubSimulationTests` looks for counterexamples to the same ones.
@Suite("Invariants")
struct InvariantTests {
    @Test("1: golden versions are totally ordered and never reused")
    func invariant1() throws {
        let hub = try Hub()
        let (id, crm, erp) = try hub.customer()
        for step in 2..<8 {
            hub.wait(.seconds(1))
            if step == 5 { try hub.transaction { _ = try $0.raiseGeneration() } }
            if step % 2 == 0 { hub.crm.change(crm, ["phone": .string("\(step)")], at: hub.now) }
            if step % 2 == 1 { hub.erp.change(erp, ["name": .string("\(step)")], at: hub.now) }
            try hub.settle()
        }
        let versions = hub.topic.filter { $0.key == Array(id.rawValue.utf8) }
            .compactMap { $0.header("ce_id")?.split(separator: "/").last.flatMap { Version(String($0)) } }
        #expect(versions.count == 7)
        #expect(versions == versions.sorted() && Set(versions).count == versions.count)
        #expect(Set(versions.map(\.number)).count == versions.count)
    }

    @Test("2: state, offset and outbox commit together, under the current epoch")
    func invariant2() throws {
        let hub = try Hub()
        _ = hub.crm.create("customer", ["name": "Ann"], at: hub.now)
        let partition = TopicPartition("crm.all", 0)
        let epoch = try hub.store.withTransaction { try $0.raiseEpoch(hub.plan.mediationGroup, partition) }
        #expect(throws: StoreError.self) { try hub.hear("crm") }
        try hub.store.withTransaction { (store) throws in
            #expect(try store.offset(hub.plan.mediationGroup, partition) == nil)
            #expect(try store.outbox(after: 0, limit: 1).isEmpty)
            #expect(try store.goldenCounts().isEmpty)
            #expect(try store.eventEnds().isEmpty)
        }
        hub.epochs["crm"] = epoch
        try hub.hear("crm")
        try hub.store.withTransaction { (store) throws in
            #expect(try store.offset(hub.plan.mediationGroup, partition) == 1)
            #expect(try store.outbox(after: 0, limit: 10).count == 1)
            #expect(try store.goldenCounts().map(\.live) == [1])
        }
    }

    @Test("3: per key, a topic's last record is the newest published version, also when rows are produced again")
    func invariant3() throws {
        let hub = try Hub()
        let (id, crm, _) = try hub.customer()
        for phone in ["2", "3", "4"] {
            hub.crm.change(crm, ["phone": .string(phone)], at: hub.now)
            try hub.hear("crm")
        }
        var topic: [Record] = []
        var machine = OutboxPublisher(epoch: 1)
        let rows = try hub.store.withTransaction { try $0.outbox(after: 0, limit: 10) }
        _ = machine.loaded(rows)
        topic += rows.prefix(3).map(\.record)
        // The report of the second row failed: everything in hand goes again, in order.
        guard case .produce(let again) = machine.failed() else { throw Missing() }
        topic += again.map(\.record)
        let last = topic.last { $0.key == Array(id.rawValue.utf8) }
        #expect(try last?.header("ce_id") == "\(id)/\(hub.golden(id).version)")
    }

    @Test("4: a late or repeated echo never changes a golden record")
    func invariant4() throws {
        let hub = try Hub()
        let (id, crm, _) = try hub.customer()
        hub.crm.change(crm, ["phone": "2"], at: hub.now)
        try hub.hear("crm")
        try hub.deliver("erp")
        hub.wait(.seconds(1))
        hub.crm.change(crm, ["phone": "1"], at: hub.now)
        try hub.hear("crm")
        let echo = hub.erp.feed.endIndex - 1
        hub.erp.feed += [hub.erp.feed[echo], hub.erp.feed[0], hub.erp.feed[echo]]
        try hub.hear("erp")
        #expect(try hub.golden(id).fields["phone"] == "1")
        try hub.settle()
        #expect(try hub.golden(id).fields["phone"] == "1")
        #expect(hub.crm.documents[crm]?.state["phone"] == "1")
    }

    @Test("5: an edit visible in a feed ends in the golden record or in conflicts")
    func invariant5() throws {
        var customers = EntityPolicy("customer")
        customers.fieldOwners["credit"] = "erp"
        let hub = try Hub([customers])
        let (id, crm, _) = try hub.customer(["name": "Ann", "credit": "1"])
        hub.crm.change(crm, ["name": "Bea", "credit": "9"], at: hub.now)
        try hub.settle()
        #expect(try hub.golden(id).fields == ["name": "Bea", "credit": "1"])
        #expect(try hub.conflicts() == ["crm.credit owner won by erp"])
        #expect(hub.crm.documents[crm]?.state == ["name": "Bea", "credit": "1"])
    }

    @Test("6: no write covers an unheard state: tokens refuse it, reads stop it")
    func invariant6() throws {
        let hub = try Hub()
        let (_, crm, erp) = try hub.customer()
        hub.crm.change(crm, ["phone": "2"], at: hub.now)
        try hub.hear("crm")
        let write = try hub.nextWrite("erp")
        hub.erp.change(erp, ["phone": "7"], at: hub.now)
        #expect(hub.carryOut(write).isChanged)
        #expect(hub.erp.documents[erp]?.state["phone"] == "7")
        // The other way round, where only a read protects.
        let other = try Hub()
        let second = try other.customer()
        other.erp.change(second.erp, ["phone": "2"], at: other.now)
        try other.hear("erp")
        other.crm.change(second.crm, ["phone": "7"], at: other.now)
        let read = try other.nextCall("crm")
        #expect(try other.reply(read, other.carryOut(read)) == nil)
        #expect(other.crm.documents[second.crm]?.state["phone"] == "7")
    }

    @Test("7: a target has at most one native document, or an alarm")
    func invariant7() throws {
        let hub = try Hub()
        let (id, _, erp) = try hub.customer()
        let second = hub.erp.create("customer", ["name": "Ann"], reference: id, at: hub.now)
        try hub.settle()
        #expect(try hub.state("erp", id).key == erp)
        #expect(try hub.alarms() == ["second-document"])
        #expect(try hub.store.withTransaction { try $0.link(NativeReference("erp", .shared, "customer", second)) } == nil)
        #expect(try hub.store.withTransaction { try $0.eventEnds() }.contains { $0.end == .duplicate })
    }

    @Test("8: written means that the read-back equals the target")
    func invariant8() throws {
        let hub = try Hub()
        let (_, crm, erp) = try hub.customer()
        hub.crm.change(crm, ["phone": "2"], at: hub.now)
        try hub.hear("crm")
        let write = try hub.nextWrite("erp")
        _ = hub.carryOut(write)
        var readBack = try #require(hub.erp.told(erp))
        readBack.fields["phone"] = "something else"
        try hub.reply(write, .answer(.written(readBack)))
        try hub.publish()
        #expect(!hub.told("erp").contains("written 1.2"))
    }

    @Test("9: every event and delivery has exactly one end, or waits with a reason")
    func invariant9() throws {
        let hub = try Hub()
        let customer = hub.crm.create("customer", ["name": "Ann"], at: hub.now)
        _ = hub.crm.create("order", ["customer": "crm-77", "qty": "1"], at: hub.now)
        _ = hub.crm.create("order", ["customer": .string(customer.rawValue), "qty": "1"], at: hub.now)
        hub.erp.refuses = { $0.native == "order" ? .rejected(.init(rule: "no", text: "no")) : nil }
        try hub.settle()
        hub.crm.change(customer, ["phone": "2"], at: hub.now)
        try hub.settle()
        try hub.store.withTransaction { (store) throws in
            let waiting = try store.waitingEvents(after: 0, limit: 10)
            #expect(waiting.map(\.awaits) == [.link(NativeReference("crm", .shared, "customer", "crm-77"))])
            let ends = try store.eventEnds()
            #expect(ends.filter { $0.topic == "crm.all" }.reduce(0) { $0 + $1.count } + waiting.count == hub.crm.feed.count)
            #expect(ends.filter { $0.topic == "erp.all" }.reduce(0) { $0 + $1.count } == hub.erp.feed.count)
        }
        #expect(hub.ends().count == 6)
        #expect(hub.ends().values.allSatisfy { $0 == 1 })
    }

    @Test("10: a new application ends equal to the store, deletions included")
    func invariant10() throws {
        let hub = try Hub(web: true)
        let all = hub.plan
        hub.plan.applications["web"] = nil
        let keys = (0..<4).map { hub.crm.create("customer", ["name": .string("n\($0)")], at: hub.now) }
        hub.crm.change(keys[3], [:], deletes: true, at: hub.now)
        try hub.settle()
        hub.plan = all
        try hub.transaction { store in
            try store.putOffset(Int64(hub.topic.count), hub.plan.deliveryGroup("web"), Hub.canonical)
            try CatchUpPager.begin("web", plan: hub.plan, in: store)
        }
        while try hub.transaction({ try CatchUpPager.page("web", plan: hub.plan, limit: 3, now: hub.now, in: $0) }) {
            // Deleted between its page and its delivery.
            hub.crm.change(keys[0], [:], deletes: true, at: hub.now)
        }
        try hub.settle()
        let live = hub.web.documents.values.filter { !$0.isDeleted }.compactMap { $0.state["name"]?.text }.sorted()
        let golden = try hub.store.withTransaction { try $0.goldenRecords("customer", after: nil, limit: 10) }
        #expect(live == golden.filter { !$0.isDeleted }.compactMap { $0.fields["name"]?.text }.sorted())
        for record in golden { #expect(try hub.state("web", record.id).delivered == record.version) }
    }

    @Test("11: after inputs stop, writes cease within a bound: each edit is written at most once to each application")
    func invariant11() throws {
        let hub = try Hub()
        let (_, crm, erp) = try hub.customer()
        var writes = 0
        for application in [hub.crm, hub.erp] {
            application.refuses = { _ in
                writes += 1
                return nil
            }
        }
        let edits = 6
        for step in 0..<edits {
            hub.wait(.seconds(1))
            if step % 2 == 0 { hub.crm.change(crm, ["phone": .string("c\(step)")], at: hub.now) }
            if step % 2 == 1 { hub.erp.change(erp, ["phone": .string("e\(step)")], at: hub.now) }
        }
        try hub.settle()
        // Both differ after their edits: no more than one write per edit and application, then silence.
        #expect(writes <= edits * 2)
        let after = writes
        hub.wait(.seconds(10_000))
        try hub.settle()
        #expect(writes == after)
        #expect(hub.crm.documents[crm]?.state == hub.erp.documents[erp]?.state)
    }

    @Test("12: what waits is released in version order, or alarmed")
    func invariant12() throws {
        let hub = try Hub()
        _ = hub.crm.create("customer", ["name": "later"], at: hub.now)
        let late = hub.crm.feed.removeLast()
        let order = hub.crm.create("order", ["customer": "crm-1", "qty": "1"], at: hub.now)
        for quantity in ["2", "3"] { hub.crm.change(order, ["qty": .string(quantity)], at: hub.now) }
        for index in hub.crm.feed.indices { hub.crm.feed[index].offset = Int64(index) }
        try hub.hear("crm")
        let waiting = try hub.store.withTransaction { try $0.waitingEvents(after: 0, limit: 10) }
        #expect(waiting.map(\.awaits) == [.link(NativeReference("crm", .shared, "customer", "crm-1")), .turn, .turn])
        hub.crm.feed.append(late)
        try hub.settle()
        let id = try hub.id("crm", order, "order")
        #expect(try hub.golden(id).fields["qty"] == "3")
        let told = hub.topic.filter { $0.key == Array(id.rawValue.utf8) }.compactMap { $0.header("ce_id") }
        #expect(told == ["\(id)/1.1", "\(id)/1.2", "\(id)/1.3"])
        #expect(hub.erp.documents["erp-2"]?.state["qty"] == "3")
    }
}

extension DeliveryReply {
    fileprivate var isChanged: Bool { if case .answer(.changed) = self { true } else { false } }
}
