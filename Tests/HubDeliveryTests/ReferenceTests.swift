import HubDelivery
import HubDriver
import HubModel
import HubRules
import HubStore
import Testing

@Suite("References, conditions and permissions")
struct ReferenceTests {
    @Test("a hard reference waits for its document and is woken by its link")
    func hard() throws {
        let hub = try Hub()
        let customer = hub.crm.create("customer", ["name": "Ann"], at: hub.now)
        let order = hub.crm.create("order", ["customer": .string(customer.rawValue), "qty": "1"], at: hub.now)
        try hub.hear("crm")
        let id = try hub.id("crm", order, "order")
        // Only the order's record is looked at: it waits.
        try hub.transaction { store in
            let step = try hub.delivery("erp").begin(id, now: hub.now, in: store)
            guard case .rests(until: nil) = step else { throw Missing() }
        }
        #expect(try hub.state("erp", id).wait?.reason == .reference)
        #expect(try hub.state("erp", id).wait?.awaits == hub.id("crm", customer))
        #expect(try hub.alarms().isEmpty)
        try hub.settle()
        #expect(hub.erp.documents["erp-2"]?.state == ["customer": "erp-1", "qty": "1"] as Fields)
        #expect(hub.ends().values.allSatisfy { $0 == 1 })
    }

    @Test("what it waits for can end without a document: an alarm, not silence", arguments: ["deleted", "refused", "not sent", "dead"])
    func alarmed(_ how: String) throws {
        var customers = EntityPolicy("customer")
        if how == "not sent" { customers.send["erp"] = .compare(field: "status", .unequal, "secret") }
        let hub = try Hub([customers])
        let customer = hub.crm.create("customer", ["name": "Ann", "status": how == "not sent" ? "secret" : ""], at: hub.now)
        let order = hub.crm.create("order", ["customer": .string(customer.rawValue), "qty": "1"], at: hub.now)
        hub.erp.refuses = {
            guard $0.native == "customer" else { return nil }
            return how == "dead" ? .retry(after: .seconds(1), reason: "locked") : .rejected(Rejection(rule: "no", text: "no"))
        }
        if how == "deleted" {
            try hub.hear("crm")
            let calls = try hub.poll("erp")
            #expect(calls.count == 1)
            // Deleted while its own creation is under way and the order waits for it.
            hub.crm.change(customer, [:], deletes: true, at: hub.now)
            try hub.hear("crm")
            try hub.reply(calls[0], .answer(.retry(after: .seconds(1), reason: "busy")))
        }
        try hub.settle()
        let id = try hub.id("crm", order, "order")
        #expect(try hub.state("erp", id).wait?.reason == .reference)
        #expect(try hub.alarms().contains("deleted-reference"))
        #expect(hub.told("erp").contains("waiting 1.1"))
    }

    @Test("a soft reference is left out, completed when its document is linked, and never lost", arguments: [false, true])
    func soft(tellsEmpty: Bool) throws {
        var customers = EntityPolicy("customer")
        customers.creation["erp"] = .approve
        let hub = try Hub([customers])
        if tellsEmpty { hub.erp.tellsEmpty = ["agent"] }
        let agent = hub.crm.create("customer", ["name": "Agent"], at: hub.now)
        let key = hub.crm.create("customer", ["name": "Ann", "agent": .string(agent.rawValue)], at: hub.now)
        try hub.settle()
        let id = try hub.id("crm", key)
        let agentID = try hub.id("crm", agent)
        try approve(id, hub)
        try hub.settle()
        let erp = try #require(try hub.state("erp", id).key)
        #expect(hub.erp.documents[erp]?.state["name"] == "Ann")
        #expect((hub.erp.documents[erp]?.state["agent"] ?? .null) == .null)
        #expect(try hub.state("erp", id).leftOut == ["agent": agentID])
        // What was left out is no difference that would be sent again and again, and its echo empties nothing.
        #expect(try hub.golden(id).version.number == 1)
        #expect(try hub.golden(id).fields["agent"]?.text == agentID.rawValue)
        hub.crm.change(key, ["phone": "2"], at: hub.now)
        try hub.settle()
        #expect(try hub.state("erp", id).leftOut == ["agent": agentID])
        #expect(hub.erp.documents[erp]?.state["phone"] == "2")
        #expect(try hub.golden(id).version.number == 2)

        try approve(agentID, hub)
        try hub.settle()
        let agentKey = try #require(try hub.state("erp", agentID).key)
        #expect(hub.erp.documents[erp]?.state["agent"]?.text == agentKey.rawValue)
        #expect(try hub.state("erp", id).leftOut.isEmpty)
        #expect(try hub.golden(id).fields["agent"]?.text == agentID.rawValue)
    }

    @Test("the completion of a soft reference survives a call without an answer")
    func completionInDoubt() throws {
        var customers = EntityPolicy("customer")
        customers.creation["erp"] = .approve
        let hub = try Hub([customers])
        let agent = hub.crm.create("customer", ["name": "Agent"], at: hub.now)
        let key = hub.crm.create("customer", ["name": "Ann", "agent": .string(agent.rawValue)], at: hub.now)
        try hub.settle()
        let id = try hub.id("crm", key)
        try approve(id, hub)
        try hub.settle()
        var lost = true
        hub.erp.refuses = {
            guard lost, $0.operation == .update else { return nil }
            lost = false
            return .noAnswer(reason: "time-out")
        }
        try approve(hub.id("crm", agent), hub)
        try hub.settle()
        #expect(!lost)
        let erp = try #require(try hub.state("erp", id).key)
        #expect(hub.erp.documents[erp]?.state["agent"] != nil)
    }

    @Test("a soft reference in a list is left out of its element, which echoes and is completed")
    func softInList() throws {
        var customers = EntityPolicy("customer")
        customers.creation["erp"] = .approve
        let hub = try Hub([customers])
        let customer = hub.crm.create("customer", ["name": "Ann"], at: hub.now)
        let agent = hub.crm.create("customer", ["name": "Agent"], at: hub.now)
        let order = hub.crm.create(
            "order", ["customer": .string(customer.rawValue), "lines": [["id": "1", "amount": "5", "agent": .string(agent.rawValue)]]],
            at: hub.now)
        try hub.settle()
        try approve(hub.id("crm", customer), hub)
        try hub.settle()
        let id = try hub.id("crm", order, "order")
        let erp = try #require(try hub.state("erp", id).key)
        #expect(hub.erp.documents[erp]?.state["lines"] == [["id": "1", "amount": "5"]])
        let agentID = try hub.id("crm", agent)
        #expect(try hub.golden(id).fields["lines"] == [["id": "1", "amount": "5", "agent": .string(agentID.rawValue)]])
        #expect(try hub.golden(id).version.number == 1)
        try approve(agentID, hub)
        try hub.settle()
        let agentKey = try #require(try hub.state("erp", agentID).key)
        #expect(hub.erp.documents[erp]?.state["lines"] == [["id": "1", "amount": "5", "agent": .string(agentKey.rawValue)]])
    }

    private func approve(_ id: CanonicalID, _ hub: Hub) throws {
        try hub.transaction { store in
            var state = try store.target(Target("erp", .shared, id))
            #expect(state.wait?.reason == .approval)
            state.wait = TargetState.Wait(.ready, detail: TargetDelivery.Again.approved, since: hub.now)
            try store.put(state, Target("erp", .shared, id), "customer")
        }
    }

    // MARK: Conditions

    @Test("a document that no longer meets the condition is kept, frozen or deleted there", arguments: EntityPolicy.Leaving.allCases)
    func leaving(_ leaving: EntityPolicy.Leaving) throws {
        var customers = EntityPolicy("customer")
        customers.send["erp"] = .compare(field: "status", .equal, "customer")
        customers.leaving["erp"] = leaving
        let hub = try Hub([customers])
        let key = hub.crm.create("customer", ["name": "Ann", "status": "lead"], at: hub.now)
        try hub.settle()
        #expect(hub.erp.documents.isEmpty)
        hub.crm.change(key, ["status": "customer"], at: hub.now)
        try hub.settle()
        let id = try hub.id("crm", key)
        let erp = try #require(try hub.state("erp", id).key)
        hub.crm.change(key, ["status": "lead", "name": "Bea"], at: hub.now)
        try hub.settle()
        #expect(hub.erp.documents[erp]?.state["name"] == (leaving == .keep ? "Bea" : "Ann"))
        #expect((hub.erp.documents[erp]?.isDeleted ?? false) == (leaving == .delete))
        // Leaving one application is no deletion: neither the golden record nor the others lose the document.
        #expect(try !hub.golden(id).isDeleted)
        #expect(hub.crm.documents[key]?.isDeleted == false)
        #expect(try hub.conflicts().isEmpty)
        #expect(try hub.state("erp", id).wait == nil)
        hub.crm.change(key, ["status": "customer", "phone": "7"], at: hub.now)
        try hub.settle()
        #expect((hub.erp.documents[erp]?.state["phone"] == "7") == (leaving != .delete))
    }

    @Test("creations wait for a yes, and end with the document's deletion")
    func approve() throws {
        var customers = EntityPolicy("customer")
        customers.creation["erp"] = .approve
        let hub = try Hub([customers])
        let first = hub.crm.create("customer", ["name": "Ann"], at: hub.now)
        let second = hub.crm.create("customer", ["name": "Bea"], at: hub.now)
        try hub.settle()
        #expect(hub.erp.documents.isEmpty)
        #expect(hub.told("erp") == ["waiting 1.1", "waiting 1.1"])
        // The yes outlives a call without an answer.
        var lost = true
        hub.erp.refuses = { _ in
            defer { lost = false }
            return lost ? .noAnswer(reason: "time-out") : nil
        }
        try approve(hub.id("crm", first), hub)
        try hub.settle()
        #expect(hub.erp.documents.count == 1)
        hub.crm.change(second, [:], deletes: true, at: hub.now)
        try hub.settle()
        #expect(try hub.state("erp", hub.id("crm", second)).wait == nil)
        #expect(hub.erp.documents.count == 1)
    }

    @Test("where creations are refused, only what is there already is kept in step")
    func refuse() throws {
        var customers = EntityPolicy("customer")
        customers.creation["erp"] = .refuse
        customers.match = ["name"]
        let hub = try Hub([customers])
        let key = hub.crm.create("customer", ["name": "Ann", "phone": "1"], at: hub.now)
        try hub.settle()
        #expect(hub.erp.documents.isEmpty)
        hub.wait(.seconds(1))
        let erp = hub.erp.create("customer", ["name": " ann "], at: hub.now)
        try hub.settle()
        #expect(try hub.id("erp", erp) == hub.id("crm", key))
        #expect(hub.erp.documents[erp]?.state["phone"] == "1")
        #expect(hub.erp.documents.count == 1)
    }

    // MARK: Catch-up

    @Test("a new application ends equal to the store, deletions included, whatever the page size", arguments: [1, 2, 100])
    func catchUp(page: Int) throws {
        let hub = try Hub(web: true)
        let all = hub.plan
        hub.plan.applications["web"] = nil
        let keys = (0..<3).map { hub.crm.create("customer", ["name": .string("n\($0)")], at: hub.now) }
        let order = hub.crm.create("order", ["customer": .string(keys[2].rawValue), "qty": "1"], at: hub.now)
        hub.crm.change(keys[0], [:], deletes: true, at: hub.now)
        try hub.settle()
        hub.plan = all
        try hub.transaction { store in
            try store.putOffset(Int64(hub.topic.count), hub.plan.deliveryGroup("web"), Hub.canonical)
            try CatchUpPager.begin("web", plan: hub.plan, in: store)
        }
        #expect(try hub.store.withTransaction { try $0.catchUp("web") }?.entities == ["customer", "order"])
        var pages = 1
        while try hub.transaction({ try CatchUpPager.page("web", plan: hub.plan, limit: page, now: hub.now, in: $0) }) { pages += 1 }
        #expect(pages >= 2)
        // What changes meanwhile comes by the topic, or is found at the new version.
        hub.crm.change(keys[1], ["phone": "5"], at: hub.now)
        try hub.settle()
        let customer = try #require(try hub.state("web", hub.id("crm", keys[2])).key)
        #expect(hub.web.documents.count == 3)
        #expect(hub.web.documents.values.contains { $0.state == ["customer": .string(customer.rawValue), "qty": "1"] })
        #expect(hub.web.documents.values.contains { $0.state == ["name": "n1", "phone": "5"] })
        #expect(hub.ends().filter { $0.key.hasPrefix("web/") }.values.allSatisfy { $0 == 1 })
        #expect(try hub.state("web", hub.id("crm", keys[0])).delivered.number == 2)
        #expect(try hub.state("web", hub.id("crm", order, "order")).wait == nil)
        // Once done, a second beginning changes nothing.
        try hub.transaction { try CatchUpPager.begin("web", plan: hub.plan, in: $0) }
        #expect(try hub.store.withTransaction { try $0.catchUp("web") }?.entities == [])
    }
}
