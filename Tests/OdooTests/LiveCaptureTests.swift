import HubDriver
import HubModel
import Testing

@testable import Odoo

@Suite(.serialized, .enabled(if: LiveOdoo.isThere, LiveOdoo.absence)) struct LiveCaptureTests {
    @Test func itStartsWithAllThereIsAndThenTellsChanges() async throws {
        let odoo = try LiveOdoo()
        let customer = try await odoo.customer()
        let all = try await odoo.changes(after: nil)
        let told = all.changes.filter { $0.event.type == "res.partner" && $0.event.key == customer.key }
        #expect(told.count == 1)
        #expect(told.first?.event.reference == CanonicalID("customer-\(odoo.run)"))
        #expect(told.first?.fields?["city"] == .some("Lyon"))

        // Several changes within a second, and the same position asked twice.
        try await odoo.write("res.partner", customer.key, ["city": "Nantes"])
        let first = try await odoo.changes(after: all.position)
        try await odoo.write("res.partner", customer.key, ["city": "Nice"])
        let second = try await odoo.changes(after: first.position)
        let repeated = try await odoo.changes(after: first.position)
        for (changes, city) in [(first, "Nantes"), (second, "Nice"), (repeated, "Nice")] {
            let own = changes.changes.filter { $0.event.type == "res.partner" && $0.event.key == customer.key }
            #expect(own.map { $0.fields?["city"] } == [.some(.string(city))])
        }
        #expect(!(try await odoo.changes(after: second.position).changes.contains { $0.event.key == customer.key }))
        await odoo.driver.close()
    }

    @Test func anOrderIsToldWholeWhenOnlyALineChanges() async throws {
        let odoo = try LiveOdoo()
        let (customer, product) = (try await odoo.customer(), try await odoo.product())
        let order = try await odoo.order(customer, product)
        let id = try #require(Int64(order.key.rawValue))
        let position = try await odoo.changes(after: nil).position
        let lines = try await odoo.driver.client.search(
            "sale.order.line", [["order_id", "=", .number(Number(id))]], ["name"], order: "id")
        let line = try #require(lines.first?["id"]?.integer)
        try await odoo.write("sale.order.line", NativeKey(String(line)), ["name": "engraved"])
        let changes = try await odoo.changes(after: position).changes.filter { $0.event.type == "sale.order" && $0.event.key == order.key }
        #expect(changes.map { $0.event.key } == [order.key])
        let told = try #require(changes.first?.fields?["order_line"]?.array)
        #expect(told.count == 2)
        #expect(told.first?["name"] == .some("engraved"))
        await odoo.driver.close()
    }

    @Test func whatIsDeletedOrArchivedIsToldDeleted() async throws {
        let odoo = try LiveOdoo()
        let (archived, removed) = (try await odoo.customer("archived"), try await odoo.customer("removed"))
        let position = try await odoo.changes(after: nil).position
        try await odoo.write("res.partner", archived.key, ["active": false])
        try await odoo.act("res.partner", "unlink", removed.key)
        let changes = try await odoo.changes(after: position)
        let own = partners(changes.changes, archived, removed)
        #expect(own.allSatisfy { $0.event.operation == .delete && $0.fields == nil })
        #expect(Set(own.compactMap { $0.event.key }) == [archived.key, removed.key] && own.count == 2)
        try await odoo.write("res.partner", archived.key, ["active": true])
        let back = try await odoo.changes(after: changes.position)
        #expect(partners(back.changes, archived, removed).map { $0.event.operation } == [.upsert])
        await odoo.driver.close()
    }

    /// Of the changes those of these partners: other tests work in the same Odoo.
    private func partners(_ changes: [CapturedChange], _ documents: NativeDocument...) -> [CapturedChange] {
        changes.filter { change in change.event.type == "res.partner" && documents.contains { $0.key == change.event.key } }
    }

    @Test func whatCameAndWentBetweenTwoLooksIsToldDeleted() async throws {
        let odoo = try LiveOdoo(["overlapSeconds": "1"])
        let position = try await odoo.changes(after: nil).position
        let short = try await odoo.customer("short-lived")
        try await odoo.act("res.partner", "unlink", short.key)
        let later = try await odoo.customer("later")
        var last = position
        var told: [CapturedChange] = []
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline, !told.contains(where: { $0.event.key == short.key }) {
            let look = try await odoo.changes(after: last)
            told += partners(look.changes, short, later)
            last = look.position
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(told.filter { $0.event.key == short.key }.map { $0.event.operation } == [.delete])
        #expect(told.filter { $0.event.key == later.key }.map { $0.event.operation } == [.upsert])
        await odoo.driver.close()
    }

    @Test func aMergedPartnerIsNoDeletion() async throws {
        let odoo = try LiveOdoo()
        let (kept, merged) = (try await odoo.customer("kept"), try await odoo.customer("merged"))
        let position = try await odoo.changes(after: nil).position
        let keys: Value = [kept.fields["id"] ?? .null, merged.fields["id"] ?? .null]
        let wizard = try await odoo.create(
            "base.partner.merge.automatic.wizard",
            ["partner_ids": [[6, 0, keys]], "dst_partner_id": kept.fields["id"] ?? .null, "state": "selection"])
        try await odoo.act("base.partner.merge.automatic.wizard", "action_merge", NativeKey(String(wizard)))

        let look = try await odoo.changes(after: position)
        let changes = look.changes.filter { $0.event.type == "res.partner" }
        #expect(look.notices.contains { $0.hasPrefix("res.partner \(merged.key) has been merged into \(kept.key)") }, "\(look.notices)")
        #expect(!changes.contains { $0.event.operation == .delete })
        #expect(!changes.contains { $0.event.key == merged.key })
        #expect(changes.contains { $0.event.key == kept.key && $0.event.reference == nil })
        let read = try await odoo.driver.read([ReadRequest(native: "res.partner", company: nil, key: merged.key)])
        #expect(read[0]?.key == kept.key)
        let found = try await odoo.driver.lookUp([
            LookUp(native: "res.partner", company: nil, reference: CanonicalID("merged-\(odoo.run)"))
        ])
        #expect(found[0].map(\.key) == [kept.key])
        let answer = try await odoo.apply(.update, "res.partner", "merged", key: merged.key, ["city": "Nice"])
        #expect(answer.rule == "merged")
        await odoo.driver.close()
    }
}
