import HubDelivery
import HubDriver
import HubModel
import HubRules
import HubStore
import Testing

@Suite("How deliveries end, or wait")
struct OutcomeTests {
    private static let tooMuch = Rejection(rule: "credit-limit", field: "credit", text: "too much")

    private func refusing() throws -> Hub {
        var customers = EntityPolicy("customer")
        customers.onRejected["erp"] = ["status": "$text"]
        let hub = try Hub([customers])
        hub.erp.refuses = { $0.fields["credit"] == "99" ? .rejected(Self.tooMuch) : nil }
        return hub
    }

    @Test("a rejection is an outcome, shows in the golden record, and is not asked again until something changes")
    func rejection() throws {
        let hub = try refusing()
        let (id, crm, erp) = try hub.customer(["name": "Ann", "credit": "1"])
        hub.crm.change(crm, ["credit": "99"], at: hub.now)
        try hub.settle()
        #expect(hub.told("erp").contains("rejected 1.2"))
        #expect(try hub.golden(id).fields["status"] == "too much")
        #expect(hub.crm.documents[crm]?.state["status"] == "too much")
        #expect(hub.erp.documents[erp]?.state["credit"] == "1")
        #expect(hub.ends().values.allSatisfy { $0 == 1 })

        let since = try #require(try hub.state("erp", id).rejected?.since)
        #expect(try hub.state("erp", id).rejected?.version == hub.golden(id).version)
        hub.wait(.seconds(60))

        // Nothing changes what was refused: not asked again.
        var asked = 0
        hub.erp.refuses = { _ in
            asked += 1
            return .rejected(Self.tooMuch)
        }
        try hub.transaction { store in
            var golden = try #require(try store.golden(id))
            try hub.plan.publish(&golden, changed: [], now: hub.now, in: store)
        }
        try hub.settle()
        #expect(asked == 0)
        let refused = try #require(try hub.transaction { try $0.rejections("erp", after: nil, limit: 9) }.first?.state.rejected)
        #expect(refused.since == since, "it stands there since it was refused first")
        #expect(refused.version == (try hub.golden(id).version))

        // Mended: written, and the golden record is cleared of it.
        hub.erp.refuses = { _ in nil }
        hub.crm.change(crm, ["credit": "5"], at: hub.now)
        try hub.settle()
        #expect(hub.erp.documents[erp]?.state["credit"] == "5")
        #expect(try hub.golden(id).fields["status"] == .null)
        #expect(try hub.state("erp", id).rejected == nil)
        #expect(try hub.transaction { try $0.rejections("erp", after: nil, limit: 9) }.isEmpty)
    }

    @Test("what was refused and is deleted before it was ever taken is refused no more")
    func refusedAndDeleted() throws {
        let hub = try refusing()
        let key = hub.crm.create("customer", ["name": "Ann", "credit": "99"], at: hub.now)
        try hub.settle()
        #expect(try hub.transaction { try $0.rejections("erp", after: nil, limit: 9) }.count == 1)
        hub.wait(.seconds(1))
        hub.crm.change(key, [:], deletes: true, at: hub.now)
        try hub.settle()
        #expect(try hub.golden(try hub.id("crm", key)).isDeleted)
        #expect(try hub.transaction { try $0.rejections("erp", after: nil, limit: 9) }.isEmpty)
    }

    @Test("a refusal sets no field that the application itself tells of a document that it has")
    func refusalCoversNothing() throws {
        var customers = EntityPolicy("customer")
        customers.onRejected["erp"] = ["name": "$rule", "status": "$rule"]
        let hub = try Hub([customers])
        hub.erp.refuses = { $0.fields["credit"] == "99" ? .rejected(Self.tooMuch) : nil }
        let (id, crm, _) = try hub.customer(["name": "Ann", "credit": "1"])
        hub.crm.change(crm, ["credit": "99"], at: hub.now)
        try hub.settle()
        #expect(try hub.golden(id).fields["name"] == "Ann")
        #expect(try hub.golden(id).fields["status"] == "credit-limit")
    }

    @Test("a replay asks again what was refused")
    func replay() throws {
        let hub = try refusing()
        let (id, crm, erp) = try hub.customer(["name": "Ann", "credit": "1"])
        hub.crm.change(crm, ["credit": "99"], at: hub.now)
        try hub.settle()
        var answers: [Answer?] = [.retry(after: .seconds(1), reason: "busy"), nil]
        hub.erp.refuses = { _ in answers.isEmpty ? nil : answers.removeFirst() }
        try hub.transaction { store in
            var state = try store.target(Target("erp", .shared, id))
            state.wait = TargetState.Wait(.ready, detail: TargetDelivery.Again.replay, since: hub.now)
            state.rejected = nil
            try store.put(state, Target("erp", .shared, id), "customer")
        }
        // Though its version has ended, the replay survives the patience that the application asks for.
        try hub.settle()
        #expect(answers.isEmpty)
        #expect(hub.erp.documents[erp]?.state["credit"] == "99")
        #expect(try hub.state("erp", id).wait == nil)
    }

    @Test("a create that was refused is asked again only when the document changes")
    func refusedCreate() throws {
        let hub = try refusing()
        let key = hub.crm.create("customer", ["name": "Ann", "credit": "99"], at: hub.now)
        try hub.settle()
        let id = try hub.id("crm", key)
        #expect(hub.erp.documents.isEmpty)
        #expect(hub.told("erp").first == "rejected 1.1")
        #expect(try hub.state("erp", id).written.isEmpty)
        hub.wait(.seconds(1))
        hub.crm.change(key, ["credit": "9"], at: hub.now)
        try hub.settle()
        #expect(hub.erp.documents.count == 1)
        #expect(hub.ends().values.allSatisfy { $0 == 1 })
    }

    @Test("an application that cannot be reached spends no attempt")
    func unreachable() throws {
        let hub = try Hub()
        let (id, crm, erp) = try hub.customer()
        hub.crm.change(crm, ["phone": "2"], at: hub.now)
        try hub.hear("crm")
        for _ in 0..<10 {
            let call = try hub.nextWrite("erp")
            #expect(try hub.reply(call, .unreachable) == nil)
            let state = try hub.state("erp", id)
            #expect(state.wait?.reason == .ready && state.attempts == 0 && state.written.isEmpty)
        }
        try hub.settle()
        #expect(hub.erp.documents[erp]?.state["phone"] == "2")
    }

    @Test("patience doubles, and ends in a dead letter after the attempt limit; a change brings it back")
    func deadLetter() throws {
        let hub = try Hub()
        let (id, crm, erp) = try hub.customer()
        hub.erp.refuses = { _ in .retry(after: .seconds(1), reason: "locked") }
        hub.crm.change(crm, ["phone": "2"], at: hub.now)
        try hub.hear("crm")
        var waits: [Duration] = []
        while try hub.state("erp", id).wait?.reason != .dead {
            try hub.deliver("erp")
            guard let until = try hub.state("erp", id).wait?.until else { continue }
            waits.append(until - hub.now)
            #expect(try hub.poll("erp").isEmpty)
            hub.now = until
        }
        #expect(waits == [.seconds(1), .seconds(2)])
        let letters = try hub.store.withTransaction { try $0.deadLetters(after: 0, limit: 10, includeReplayed: true) }
        #expect(letters.map(\.code) == ["attempts"])
        #expect(letters.first?.version == Version(generation: 1, number: 2))
        try hub.publish()
        #expect(hub.told("erp") == ["written 1.1", "dead 1.2"])
        #expect(try hub.poll("erp").isEmpty)

        hub.erp.refuses = { _ in nil }
        hub.crm.change(crm, ["phone": "3"], at: hub.now)
        try hub.settle()
        #expect(hub.erp.documents[erp]?.state["phone"] == "3")
        #expect(try hub.state("erp", id).wait == nil)
    }

    @Test("what the application puts off is never given up, and waits as long as it asks, longer each time up to a minute")
    func putOff() throws {
        let hub = try Hub()
        let (id, crm, erp) = try hub.customer()
        var delays: [Duration] = Array(repeating: .milliseconds(500), count: 12) + [.seconds(3600), .seconds(1_000_000), .zero]
        hub.erp.refuses = { _ in delays.isEmpty ? nil : .later(after: delays.removeFirst(), reason: "too many calls") }
        hub.crm.change(crm, ["phone": "2"], at: hub.now)
        try hub.hear("crm")
        var waits: [Duration] = []
        while !delays.isEmpty {
            try hub.deliver("erp")
            let state = try hub.state("erp", id)
            let until = try #require(state.wait?.until)
            #expect(state.attempts == 0 && state.wait?.detail == "too many calls")
            waits.append(until - hub.now)
            #expect(try hub.poll("erp").isEmpty)
            hub.now = until
        }
        let doubling = [500, 1000, 2000, 4000, 8000, 16_000, 32_000].map { Duration.milliseconds($0) }
        #expect(waits.prefix(7) == doubling[...] && waits[7..<12].allSatisfy { $0 == .seconds(60) })
        #expect(waits[12] == .seconds(3600) && waits[13] == .seconds(86_400), "what it asks for, at most a day")
        #expect(waits[14] < .seconds(60), "it has stopped asking for patience")
        try hub.settle()
        #expect(hub.erp.documents[erp]?.state["phone"] == "2")
        #expect(try hub.state("erp", id).wait == nil && hub.state("erp", id).delays == 0)
        #expect(try hub.store.withTransaction { try $0.deadLetters(after: 0, limit: 10, includeReplayed: true) }.isEmpty)
    }

    @Test("a delay that the application names is never shortened")
    func longRetry() throws {
        let hub = try Hub()
        let (id, crm, _) = try hub.customer()
        hub.erp.refuses = { _ in .retry(after: .seconds(600), reason: "error") }
        hub.crm.change(crm, ["phone": "2"], at: hub.now)
        try hub.hear("crm")
        try hub.deliver("erp")
        #expect(try hub.state("erp", id).wait?.until == hub.now + .seconds(600))
    }

    @Test("a document deleted there by a person is a rejection")
    func deletedThere() throws {
        var customers = EntityPolicy("customer")
        customers.deleters = ["crm"]
        let hub = try Hub([customers])
        let (id, crm, erp) = try hub.customer()
        hub.erp.change(erp, [:], deletes: true, at: hub.now)
        try hub.settle()
        #expect(try hub.conflicts() == ["erp. delete won by -"])
        #expect(try !hub.golden(id).isDeleted)
        // The others hear of it: the golden record's delivery there is refused.
        #expect(hub.told("erp").last == "rejected 1.2")
        hub.crm.change(crm, ["phone": "2"], at: hub.now)
        try hub.settle()
        #expect(hub.told("erp").last == "rejected 1.3")
        #expect(try hub.state("erp", id).rejected?.rejection.rule == "deleted")
    }

    @Test("a field that is always changed back is disputed after N corrections, and left alone")
    func disputed() throws {
        var customers = EntityPolicy("customer")
        customers.fieldOwners["credit"] = "erp"
        let hub = try Hub([customers])
        let key = hub.erp.create("customer", ["name": "Ann", "credit": "1"], at: hub.now)
        try hub.settle()
        let id = try hub.id("erp", key)
        let crm = try #require(try hub.state("crm", id).key)
        for round in 0..<6 {
            hub.wait(.seconds(1))
            hub.crm.change(crm, ["credit": .string("x\(round)")], at: hub.now)
            try hub.settle()
        }
        #expect(try hub.conflicts().count == 6)
        #expect(try hub.alarms() == ["disputed"])
        #expect(hub.crm.documents[crm]?.state["credit"] == "x5")
        #expect(try hub.golden(id).fields["credit"] == "1")
        // Other fields still go; a new value of the owner's ends the dispute.
        hub.erp.change(key, ["name": "Bea"], at: hub.now)
        try hub.settle()
        #expect(hub.crm.documents[crm]?.state == ["name": "Bea", "credit": "x5"])
        hub.erp.change(key, ["credit": "2"], at: hub.now)
        try hub.settle()
        #expect(hub.crm.documents[crm]?.state["credit"] == "2")
    }

    @Test("a deleted document is deleted everywhere, and keeps number and links")
    func delete() throws {
        let hub = try Hub()
        let (id, crm, erp) = try hub.customer()
        hub.crm.change(crm, [:], deletes: true, at: hub.now)
        try hub.settle()
        #expect(hub.erp.documents[erp]?.isDeleted == true)
        #expect(try hub.golden(id).isDeleted)
        #expect(try hub.golden(id).version.number == 2)
        #expect(try hub.id("erp", erp) == id)
        #expect(hub.told("erp") == ["written 1.1", "written 1.2"])
        #expect(try hub.state("erp", id).written.isEmpty)
    }

    @Test("a document deleted before it was sent is not sent")
    func deletedBefore() throws {
        let hub = try Hub()
        let key = hub.crm.create("customer", ["name": "Ann"], at: hub.now)
        hub.crm.change(key, [:], deletes: true, at: hub.now)
        try hub.settle()
        #expect(hub.erp.documents.isEmpty)
        #expect(hub.ends().values.allSatisfy { $0 == 1 })
    }

    @Test("a raised generation makes versions newer than any before")
    func generation() throws {
        let hub = try Hub()
        let (id, crm, erp) = try hub.customer()
        try hub.transaction { _ = try $0.raiseGeneration() }
        hub.crm.change(crm, ["phone": "2"], at: hub.now)
        try hub.settle()
        #expect(try hub.golden(id).version == Version(generation: 2, number: 2))
        #expect(hub.erp.documents[erp]?.state["phone"] == "2")
        #expect(hub.told("erp") == ["written 1.1", "written 2.2"])
        let second = hub.crm.create("customer", ["name": "New"], at: hub.now)
        try hub.settle()
        #expect(try hub.id("crm", second).rawValue.hasPrefix("customer-2-"))
    }
}
