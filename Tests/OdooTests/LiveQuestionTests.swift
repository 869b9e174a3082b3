import HubDriver
import HubModel
import Testing

@testable import Odoo

@Suite(.serialized, .enabled(if: LiveOdoo.isThere, LiveOdoo.absence)) struct LiveQuestionTests {
    private func said(_ odoo: LiveOdoo, _ function: String, _ arguments: Fields) async throws -> Fields {
        let reply = try await odoo.driver.answer(Question(function: function, company: nil, arguments: arguments))
        guard case .says(let fields, _) = reply else { throw Unexpected(reply) }
        let declared = odoo.driver.manifest.functions.first { $0.name == function }?.results.map(\.name) ?? []
        #expect(Set(fields.names) == Set(declared))
        return fields
    }

    private func refusal(_ odoo: LiveOdoo, _ function: String, _ arguments: Fields) async throws -> String? {
        let reply = try await odoo.driver.answer(Question(function: function, company: nil, arguments: arguments))
        if case .refused(let rejection) = reply { return rejection.rule }
        return nil
    }

    @Test func aPriceIsWhatAnOrderWouldSay() async throws {
        let odoo = try LiveOdoo()
        let (customer, product) = (try await odoo.customer(), try await odoo.product())
        let question: Fields = [
            "product": .string(product.key.rawValue), "customer": .string(customer.key.rawValue), "quantity": number("3"),
        ]
        let orders = try await odoo.driver.client.call("sale.order", "search_count", ["domain": .array([])])
        let price = try await said(odoo, "price", question)
        #expect(price["unitPrice"] == .some(number("25.10")) && price["amount"] == .some(number("75.30")))
        #expect(
            price["unit"] == .some("Units") && ["EUR", "USD"].contains(price["currency"]?.text)
                && price["listPrice"] == .some(number("25.10")))
        let pack = try await said(odoo, "price", question.overlaid(with: ["unit": "Pack of 6", "quantity": number("1")]))
        #expect(pack["unitPrice"] == .some(number("150.60")) && pack["unit"] == .some("Pack of 6") && pack["listPrice"] == .some(.null))
        #expect(try await refusal(odoo, "price", question.overlaid(with: ["unit": "Hours"])) == "unknown-code")
        #expect(try await refusal(odoo, "price", question.overlaid(with: ["unit": "Furlongs"])) == "unknown-code")
        #expect(try await refusal(odoo, "price", question.overlaid(with: ["currency": "XAF"])) == "currency")
        #expect(try await refusal(odoo, "price", ["product": "99999999"]) == "unknown-reference")
        #expect(try await refusal(odoo, "price", question.overlaid(with: ["customer": "99999999"])) == "unknown-reference")
        #expect(try await odoo.driver.client.call("sale.order", "search_count", ["domain": .array([])]) == orders)
        await odoo.driver.close()
    }

    @Test func stockIsPromisedWhenItArrives() async throws {
        let odoo = try LiveOdoo()
        let product = try await odoo.product()
        let key = product.fields["id"] ?? .null
        let question: Fields = ["product": key, "quantity": number("15")]
        let untracked = try await odoo.driver.answer(Question(function: "stock", company: nil, arguments: question))
        guard case .cannotSay = untracked else { throw Unexpected(untracked) }
        try await odoo.write("product.product", product.key, ["is_storable": true])
        let client = odoo.driver.client
        let house = try #require(
            try await client.search("stock.warehouse", [], ["code", "lot_stock_id", "in_type_id"], order: "id", limit: 1).first)
        let place = house["lot_stock_id"] ?? .null
        let count = try await odoo.create("stock.quant", ["product_id": key, "location_id": place, "inventory_quantity": 10])
        try await odoo.act("stock.quant", "action_apply_inventory", NativeKey(String(count)))
        let now = try await said(odoo, "stock", question)
        #expect(now["onHand"] == .some(number("10")) && now["free"] == .some(number("10")) && now["unit"] == .some("Units"))
        #expect(now["promiseDate"] == .some(.null))
        #expect(try await said(odoo, "stock", ["product": key, "quantity": 10])["promiseDate"] == .some(.string(odoo.driver.today)))

        let supplier = try #require(
            try await client.search("stock.location", [["usage", "=", "supplier"]], ["id"], order: "id", limit: 1).first?["id"])
        let day: Value = "2099-03-01 10:00:00"
        let places: Fields = ["location_id": supplier, "location_dest_id": place]
        let move = places.overlaid(with: ["product_id": key, "product_uom_qty": 20, "date": day])
        let arrival = places.overlaid(with: [
            "picking_type_id": house["in_type_id"] ?? .null, "scheduled_date": day, "move_ids": [[0, 0, .object(move)]],
        ])
        let picking = try await odoo.create("stock.picking", arrival)
        try await odoo.act("stock.picking", "action_confirm", NativeKey(String(picking)))
        let later = try await said(odoo, "stock", question.overlaid(with: ["site": house["code"] ?? .null]))
        #expect(later["promiseDate"] == .some("2099-03-01"))
        #expect(try await refusal(odoo, "stock", question.overlaid(with: ["site": "Nowhere"])) == "unknown-code")
        await odoo.driver.close()
    }

    @Test func creditCountsWhatIsOrderedAndOwed() async throws {
        let odoo = try LiveOdoo()
        let (customer, product) = (try await odoo.customer(), try await odoo.product())
        try await odoo.write("res.partner", customer.key, ["credit_limit": 100])
        try await odoo.write("res.company", "1", ["account_use_credit_limit": true])
        _ = try await odoo.order(customer, product)
        let credit = try await said(odoo, "credit", ["customer": .string(customer.key.rawValue), "amount": number("1.00")])
        let ordered = try #require(credit["openOrders"]?.number)
        #expect(credit["limit"] == .some(number("100.00")) && ordered > 0 && credit["unpaid"] == .some(number("0.00")))
        #expect(credit["verdict"] == .some("accept") && credit["reason"] == .some(.null) && credit["overdue"] == .some(number("0.00")))
        let more = try await said(odoo, "credit", ["customer": .string(customer.key.rawValue), "amount": number("99.00")])
        #expect(more["verdict"] == .some("refuse") && more["reason"]?.text?.contains("100.00") == true)
        #expect(try await refusal(odoo, "credit", ["customer": "99999999"]) == "unknown-reference")
        await odoo.driver.close()
    }

    @Test func validatingTellsEveryMistakeAndWritesNothing() async throws {
        let odoo = try LiveOdoo()
        let (customer, product) = (try await odoo.customer(), try await odoo.product())
        let orders = try await odoo.driver.client.call("sale.order", "search_count", ["domain": .array([])])
        let good: Fields = [
            "partner_id": .string(customer.key.rawValue), "client_order_ref": "PO \"1\", é", "date_order": "2026-03-01 11:00:00",
            "order_line": [odoo.line("1", product, "2.00", "24.99"), odoo.line("2", product, "1", "1")],
        ]
        let fine = try await said(odoo, "validate", ["order": .object(good)])
        #expect(fine["valid"] == .some(true), "\(fine)")
        let bad = good.overlaid(with: [
            "payment_term_id": "Some day", "amount_total": 5, "nothing": 1,
            "order_line": [["id": "1", "product_id": "x", "product_uom_qty": "many", "price_unit": number("1")]],
        ])
        let wrong = try await said(odoo, "validate", ["order": .object(bad)])
        let rules = wrong["violations"]?.array?.compactMap { $0["rule"]?.text } ?? []
        #expect(wrong["valid"] == .some(false))
        #expect(rules.sorted() == ["invalid-value", "read-only", "unknown-code", "unknown-field", "unknown-reference"])
        let stranger = try await said(odoo, "validate", ["order": .object(good.overlaid(with: ["partner_id": 99_999_999]))])
        #expect(stranger["violations"]?.array?.map { $0["rule"] } == ["unknown-reference"])
        let nobody = try await said(odoo, "validate", ["order": .object(good.filter { $0.name != "partner_id" })])
        #expect(nobody["violations"]?.array?.map { $0["rule"] } == ["missing-field"])
        #expect(try await odoo.driver.client.call("sale.order", "search_count", ["domain": .array([])]) == orders)
        await odoo.driver.close()
    }

    @Test func itDiscoversWhatOdooHolds() async throws {
        let odoo = try LiveOdoo()
        let found = try await odoo.driver.discover()
        #expect(found.identity.instance.count == 36)
        #expect(Set(found.types.map(\.native)) == Set(NativeType.all.map(\.model)))
        let order = try #require(found.types.first { $0.native == "sale.order" })
        #expect(order.label == "Sales Order" && order.rights == Set(DiscoveredType.Right.allCases))
        let fields = Dictionary(order.fields.map { ($0.path, $0) }) { first, _ in first }
        #expect(fields["partner_id"]?.kind == .reference && fields["partner_id"]?.isRequired == true)
        #expect(fields["order_line.price_unit"]?.kind == .number && fields["amount_total"]?.isReadOnly == true)
        #expect(fields["state"]?.codes?.contains("sale") == true && fields["x_hub_number"]?.nativeKind == "char")
        #expect(fields["payment_term_id"]?.codes?.contains("30 Days") == true)
        #expect(Set(found.functions) == Set(odoo.driver.manifest.functions.map(\.name)))
        await odoo.driver.close()
    }
}
