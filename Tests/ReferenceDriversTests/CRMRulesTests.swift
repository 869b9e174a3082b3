import HubDriver
import HubModel
import ReferenceApplication
import ReferenceCRM
import Testing

struct CRMRulesTests {
    @Test func accounts() async throws {
        let bench = try await CRMBench()
        await expectRefused("missing-field") { _ = try await bench.crm.createAccount(["email": "a@b.example"]) }
        await expectRefused("invalid-field") { try await bench.crm.editAccount(bench.account, ["phone": 5]) }
        for field in ["credit_limit", "on_hold", "payment_terms", "erp_code"] {
            let value: Value = field == "on_hold" ? true : field == "credit_limit" ? 5 : "x"
            await expectRefused("read-only") { try await bench.crm.editAccount(bench.account, Fields([(field, value)])) }
            let answer = try await bench.driver.apply(delivery(.update, "account", Fields([(field, value)]), key: bench.account))
            #expect(answer.document?.fields[field] == value)
        }
        try await bench.crm.editAccount(bench.account, ["email": " a@b.example "])
        #expect(try bench.document("account", bench.account).fields["email"] == "a@b.example")
    }

    @Test func territories() async throws {
        let bench = try await CRMBench()
        let south = bench.crm.asUser(.person(name: "Sam", territory: "south"))
        let north = bench.crm.asUser(.person(name: "Nora", territory: "north"))
        await expectRefused("territory") { try await south.editAccount(bench.account, ["phone": "1"]) }
        await expectRefused("territory") { try await south.deleteAccount(bench.account) }
        await expectRefused("territory") { _ = try await south.createDeal(bench.deal()) }
        await expectRefused("territory") { try await north.editAccount(bench.account, ["territory": "south"]) }
        try await north.editAccount(bench.account, ["phone": "1"])
    }

    @Test func deals() async throws {
        let bench = try await CRMBench()
        let crm = bench.crm
        await expectRefused("unknown-account") { _ = try await crm.createDeal(bench.deal(["account": "99"])) }
        await expectRefused("unknown-item") {
            _ = try await crm.createDeal(bench.deal(["lines": [["item": "99", "quantity": 1]]]))
        }
        await expectRefused("invalid-field") { _ = try await crm.createDeal(bench.deal(["stage": "lost"])) }
        let empty = try await crm.createDeal(bench.deal(["lines": []]))
        await expectRefused("missing-field") { try await crm.accept(empty) }
        let deal = try await crm.createDeal(bench.deal())
        #expect(try bench.document("deal", deal).fields["stage"] == "opportunity")
        try await crm.quote(deal)
        await expectRefused("stage-order") { try await crm.editDeal(deal, ["stage": "opportunity"]) }
        try await crm.edit("item", bench.item, ["saleable": false])
        await expectRefused("item-not-saleable") { try await crm.accept(deal) }
        try await crm.edit("item", bench.item, ["saleable": true])
        try await crm.accept(deal)
        let accepted = try bench.document("deal", deal).fields
        #expect(accepted["order_date"] == "2026-09-21" && accepted["updated_on"] == "2026-09-21T14:13:20Z")
        #expect(accepted["lines"]?.array?.first?["unit_price"] == 25)
        await expectRefused("stage-order") { try await crm.quote(deal) }
        await expectRefused("read-only") { try await crm.editDeal(deal, ["order_number": "SO-1"]) }
        await expectRefused("in-use") { try await crm.deleteAccount(bench.account) }
        await expectRefused("in-use") { try await crm.delete("item", bench.item) }
        _ = try await bench.driver.apply(delivery(.update, "deal", ["order_number": "SO-1", "refusal": "no"], key: deal))
        await expectRefused("in-use") { try await crm.delete("deal", deal) }
        await expectRefused("duplicate-code") { _ = try await crm.createItem(["code": "wid-1", "name": "Again"]) }
    }

    @Test func billsComeFromTheHubOnly() async throws {
        let bench = try await CRMBench()
        await expectRefused("read-only") { _ = try await bench.crm.create("bill", ["number": "INV-1"]) }
        let deal = try await bench.crm.createDeal(bench.deal())
        let wrong = try await bench.driver.apply(delivery(.create, "bill", ["number": "INV-1", "deal": "99"]))
        #expect(wrong.rule == "unknown-deal")
        let bill = try await bench.driver.apply(delivery(.create, "bill", ["number": "INV-1", "deal": .string(deal.rawValue), "total": 9]))
        let key = try #require(bill.document?.key)
        await expectRefused("read-only") { try await bench.crm.edit("bill", key, ["paid": 9]) }
        await expectRefused("read-only") { try await bench.crm.delete("bill", key) }
    }

    @Test func ordersOfTheHubArriveAccepted() async throws {
        let bench = try await CRMBench()
        try await bench.crm.edit("item", bench.item, ["saleable": false])
        let answer = try await bench.driver.apply(delivery(.create, "deal", bench.deal(["order_status": "draft"])))
        #expect(answer.document?.fields["stage"] == "accepted" && answer.document?.fields["order_date"] == .null)
    }
}
