import Foundation
import HubCodec
import HubModel
import HubRules
import HubStore
import Testing

@testable import HubConfiguration

@Suite("Requests of operators")
struct OperatorRequestsTests {
    let now = Instant(milliseconds: 1_000)
    let target = Target("erp", "fr", "order-1-7")

    func plan() throws -> HubPlan { try Folder(soundFiles).load().plan() }

    @Test("keep their meaning in a file")
    func encoding() throws {
        let commands: [OperatorRequest.Command] = [.pause("crm"), .resume("erp"), .approve(target), .release(target), .replay(12)]
        for command in commands {
            let request = OperatorRequest(command)
            #expect(OperatorRequest(request.value) == request)
        }
        #expect(OperatorRequest(["id": "1", "command": "pause", "arguments": []]) == nil)
        #expect(OperatorRequest(["id": "1", "command": "stop", "arguments": ["a"]]) == nil)
    }

    @Test("reach a running hub and bring its answer back")
    func spool() async throws {
        let folder = try Folder([:])
        let requests = OperatorRequests(storePath: folder.path + "/hub.db")
        #expect(requests.pending() == [])
        let first = OperatorRequest(.pause("crm"), id: "99999999999998-a")
        let second = OperatorRequest(.resume("crm"), id: "99999999999999-a")
        try requests.submit(second)
        try requests.submit(first)
        #expect(requests.pending() == [first, second])
        try requests.reply(to: first.id, .init(isDone: true, text: "done"))
        #expect(requests.pending() == [second], "what was taken and not answered comes again")
        #expect(await requests.reply(of: first.id) == .init(isDone: true, text: "done"))
        #expect(await requests.reply(of: second.id, within: .milliseconds(1), every: .milliseconds(1)) == nil)
        #expect(!requests.withdraw(second.id), "the hub has it")
        let third = OperatorRequest(.resume("crm"))
        try requests.submit(third)
        #expect(requests.withdraw(third.id))
        #expect(!requests.withdraw(third.id))
        #expect(requests.pending() == [second])
    }

    @Test("are carried out by the hub, or refused in words")
    func carriedOut() async throws {
        let folder = try Folder([:])
        let requests = OperatorRequests(storePath: folder.path + "/hub.db")
        let (good, bad) = (OperatorRequest(.pause("crm")), OperatorRequest(.pause("cmr")))
        try requests.submit(good)
        try requests.submit(bad)
        let store = MemoryStore()
        #expect(await requests.carryOut(in: store, plan: try plan(), now: now) == [good])
        #expect(await requests.reply(of: good.id) == .init(isDone: true, text: "crm is paused"))
        #expect(await requests.reply(of: bad.id) == .init(isDone: false, text: "there is no application cmr; did you mean crm?"))
        #expect(await requests.carryOut(in: store, plan: try plan(), now: now) == [])
    }

    @Test("that nobody can read are answered, not left")
    func unreadable() async throws {
        let folder = try Folder([
            "hub.db.requests/99999999999999-x.request": "{\"id\":\"99999999999999-x\",\"command\":\"dance\",\"arguments\":[]}"
        ])
        let requests = OperatorRequests(storePath: folder.path + "/hub.db")
        #expect(requests.pending() == [])
        #expect(await requests.reply(of: "99999999999999-x")?.isDone == false)
        #expect(!requests.withdraw("99999999999999-x"))
    }

    @Test("pause and resume an application")
    func pause() throws {
        let plan = try plan()
        let store = MemoryStore()
        func apply(_ command: OperatorRequest.Command) throws -> String {
            try store.withTransaction { try OperatorRequest(command).apply(to: $0, plan: plan, now: now) }
        }
        #expect(try apply(.resume("crm")) == "crm is not paused")
        #expect(try apply(.pause("crm")) == "crm is paused")
        #expect(try store.withTransaction { try $0.note("paused/crm") } == "1000")
        #expect(try apply(.pause("crm")) == "crm is paused already")
        #expect(try apply(.resume("crm")) == "crm is resumed")
        #expect(try store.withTransaction { try $0.note("paused/crm") } == nil)
        #expect(throws: StoreError.self) { try apply(.pause("cmr")) }
    }

    /// A store in which the target waits so.
    private func store(_ reason: TargetState.Wait.Reason?) throws -> MemoryStore {
        let store = MemoryStore()
        try store.withTransaction { transaction in
            try transaction.put(
                GoldenRecord(id: target.id, entity: "order", company: "fr", version: Version(generation: 1, number: 2)))
            var state = TargetState()
            state.wait = reason.map { TargetState.Wait($0, detail: "so", since: now) }
            state.attempts = 4
            try transaction.put(state, target, "order")
        }
        return store
    }

    private func refusal(_ store: MemoryStore, _ command: OperatorRequest.Command) throws -> String? {
        let plan = try plan()
        do throws(StoreError) {
            _ = try store.withTransaction { try OperatorRequest(command).apply(to: $0, plan: plan, now: now) }
            return nil
        } catch {
            return (error.cause as? OperatorRefusal)?.description ?? "no refusal: \(error)"
        }
    }

    @Test("approve only what waits for approval")
    func approve() throws {
        let store = try store(.approval)
        #expect(try refusal(store, .release(target))?.contains("use waiting approve") == true)
        #expect(try refusal(store, .approve(target)) == nil)
        let state = try store.withTransaction { try $0.target(target) }
        #expect(state.wait?.reason == .ready)
        #expect(state.wait?.detail == "approved")
        #expect(state.attempts == 0)
        #expect(try refusal(store, .approve(target)) == "erp/fr/order-1-7 does not wait for approval; it waits for ready (approved)")
        #expect(try refusal(store, .approve(Target("erp", "fr", "order-1-8"))) == "there is no document order-1-8")
    }

    @Test("release what may be cut short, and nothing that protects a call", arguments: TargetState.Wait.Reason.allCases)
    func release(_ reason: TargetState.Wait.Reason) throws {
        let store = try store(reason)
        let isRefused = try refusal(store, .release(target)) != nil
        #expect(isRefused == [.ready, .calling, .approval, .settle, .unheard, .stopped].contains(reason))
        let state = try store.withTransaction { try $0.target(target) }
        #expect(state.wait?.reason == (isRefused ? reason : .ready))
    }

    @Test("replay a record once, with the letter's number")
    func replayRecord() throws {
        let store = MemoryStore()
        let record = Record(
            topic: "crm.partner", partition: 3, offset: 77, timestamp: 5, key: [1], value: [2],
            headers: [.init("mp-replay", "9"), .init("ce_id", "x")])
        let id = try store.withTransaction { transaction in
            try transaction.append(DeadLetter(application: "crm", record: record, code: "schema", reason: "bad", time: now))
        }
        #expect(try refusal(store, .replay(id)) == nil)
        let rows = try store.withTransaction { try $0.outbox(after: 0, limit: 10) }
        #expect(rows.count == 1)
        #expect(rows.first?.record.partition == 3)
        #expect(rows.first?.record.header("mp-replay") == "\(id)")
        #expect(rows.first?.record.headers.count == 2)
        #expect(rows.first?.record.timestamp == 5)
        #expect(try refusal(store, .replay(id)) == "dead letter \(id) has been replayed already")
        #expect(try refusal(store, .replay(id + 1)) == "there is no dead letter \(id + 1)")
    }

    @Test("replay a delivery")
    func replayDelivery() throws {
        let store = try store(.dead)
        let id = try store.withTransaction { transaction in
            try transaction.append(
                DeadLetter(
                    application: "erp", target: target, version: Version(generation: 1, number: 2), code: "attempts", reason: "failed",
                    time: now))
        }
        #expect(try refusal(store, .replay(id)) == nil)
        let state = try store.withTransaction { try $0.target(target) }
        #expect(state.wait?.reason == .ready)
        #expect(state.attempts == 0)
        #expect(try store.withTransaction { try $0.deadLetter(id)?.replayed } == now)
    }
}
