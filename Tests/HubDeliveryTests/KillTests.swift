import HubModel
import HubRules
import HubStore
import Testing

@Suite("Killed between every two steps")
struct KillTests {
    /// A customer and its order are created and changed while the ERP is away for a moment and one call gets no answer.
    private func run(killedAfter fuse: (transactions: Int, atOnce: Bool)?) throws -> (hub: Hub, wasKilled: Bool) {
        let hub = try Hub()
        var outage = 2
        var silent = true
        hub.erp.refuses = { delivery in
            if outage > 0 {
                outage -= 1
                return .retry(after: .seconds(1), reason: "away")
            }
            if silent, delivery.operation == .update {
                silent = false
                return .noAnswer(reason: "time-out")
            }
            return nil
        }
        let customer = hub.crm.create("customer", ["name": "Ann", "phone": "1"], at: hub.now)
        hub.wait(.seconds(1))
        let order = hub.crm.create("order", ["customer": .string(customer.rawValue), "qty": "1"], at: hub.now)
        var wasKilled = false
        func settle() throws {
            do {
                try hub.settle()
            } catch is Hub.Killed {
                wasKilled = true
                hub.restart()
                try hub.settle()
            }
        }
        hub.fuse = fuse
        try settle()
        hub.wait(.seconds(1))
        hub.crm.change(customer, ["phone": "2"], at: hub.now)
        try settle()
        hub.wait(.seconds(1))
        if let key = try? hub.state("erp", hub.id("crm", order, "order")).key { hub.erp.change(key, ["qty": "3"], at: hub.now) }
        try settle()
        return (hub, wasKilled)
    }

    private func picture(_ hub: Hub) throws -> [String] {
        var lines: [String] = []
        for application in [hub.crm, hub.erp] {
            for (key, document) in application.documents.sorted(by: { $0.key < $1.key }) { lines.append("\(key) \(document.state)") }
        }
        for entity in ["customer", "order"] as [EntityName] {
            for golden in try hub.store.withTransaction({ try $0.goldenRecords(entity, after: nil, limit: 10) }) {
                lines.append("\(golden.id) \(golden.version) \(golden.fields)")
                for id in ["crm", "erp"] as [ApplicationID] {
                    let state = try hub.state(id, golden.id)
                    lines.append("\(id) \(golden.id) \(state.delivered) \(state.written.count) \(state.wait?.reason.rawValue ?? "-")")
                }
            }
        }
        return lines
    }

    /// At once: what was decided has not been sent. Later: what they did before the next transaction has been done, and is not known.
    @Test("the end is the same, and every outcome is told exactly once", arguments: [true, false])
    func everywhere(atOnce: Bool) throws {
        let whole = try run(killedAfter: nil).hub
        let expected = try picture(whole)
        #expect(whole.erp.documents.values.contains { $0.state["phone"] == "2" })
        #expect(whole.ends().count >= 6)
        #expect(whole.ends().values.allSatisfy { $0 == 1 })
        let count = whole.transactions
        #expect(count > 30)
        var kills = 0
        for step in (atOnce ? 1 : 0)..<(atOnce ? count + 1 : count) {
            let (hub, wasKilled) = try run(killedAfter: (step, atOnce))
            if wasKilled { kills += 1 }
            #expect(try picture(hub) == expected, "killed after transaction \(step)")
            #expect(hub.ends() == whole.ends(), "killed after transaction \(step)")
            #expect(try hub.alarms().isEmpty && hub.conflicts().isEmpty)
        }
        #expect(kills == count)
    }
}
