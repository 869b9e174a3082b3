import HubCodec
import HubDriver
import HubModel
import Testing

@testable import Odoo

@Suite(.serialized, .enabled(if: LiveOdoo.isThere, LiveOdoo.absence)) struct LiveOrderTests {
    @Test func anOrderIsConfirmedWithItsDateAndLines() async throws {
        let odoo = try LiveOdoo()
        let (customer, product) = (try await odoo.customer(), try await odoo.product())
        let order = try await odoo.order(customer, product)
        #expect(order.fields["state"] == .some("sale"))
        #expect(order.fields["date_order"] == .some("2026-03-01 11:00:00"))
        let lines = try #require(order.fields["order_line"]?.array)
        #expect(lines.map { $0["id"] } == ["1", "2"])
        #expect(lines.map { $0["product_uom_qty"] } == [number("2"), number("3.13")])
        #expect(lines.map { $0["price_unit"] } == [number("24.99"), number("10.1234")])
        let again = try await odoo.apply(
            .create, "sale.order", "order",
            ["partner_id": .string(customer.key.rawValue), "order_line": [odoo.line("1", product, "9", "1")]])
        #expect(again.isUnchanged && again.document?.key == order.key)
        await odoo.driver.close()
    }

    @Test func anOrderThatStoppedHalfWayIsTakenUp() async throws {
        let odoo = try LiveOdoo()
        let (customer, product) = (try await odoo.customer(), try await odoo.product())
        let draft = try LiveOdoo(["confirmOrders": "false"])
        let fields: Fields = ["partner_id": .string(customer.key.rawValue), "order_line": [odoo.line("1", product, "2", "5")]]
        var delivery = odoo.delivery(.create, "sale.order", "half", fields)
        #expect(try await draft.driver.apply([delivery]).first?.document?.fields["state"] == .some("draft"))
        delivery.fields["date_order"] = "2026-03-02 11:00:00"
        let answer = try await odoo.driver.apply([delivery]).first
        #expect(answer?.isWritten == true)
        #expect(answer?.document?.fields["state"] == .some("sale"))
        #expect(answer?.document?.fields["date_order"] == .some("2026-03-02 11:00:00"))
        await odoo.driver.close()
        await draft.driver.close()
    }

    @Test func linesAreAddedAndChangedInOneWrite() async throws {
        let odoo = try LiveOdoo()
        let (customer, product) = (try await odoo.customer(), try await odoo.product())
        let order = try await odoo.order(customer, product)
        let expected: Fields = ["order_line": order.fields["order_line"] ?? .null, "client_order_ref": .string("PO \(odoo.run)")]
        let wanted: Value = [
            odoo.line("1", product, "5.00", "24.99"), odoo.line("2", product, "3.13", "10.1234"), odoo.line("c-9", product, "1", "0.05"),
        ]
        let changed = try await odoo.apply(.update, "sale.order", "order", key: order.key, ["order_line": wanted], expected: expected)
        let lines = try #require(changed.document?.fields["order_line"]?.array)
        #expect(changed.isWritten)
        #expect(lines.map { $0["id"] } == ["1", "2", "c-9"])
        // Odoo works a price out again where only the quantity is written.
        #expect(lines.map { $0["price_unit"] } == [number("24.99"), number("10.1234"), number("0.05")])
        #expect(lines.map { $0["product_uom_qty"] } == [number("5"), number("3.13"), number("1")])
        #expect(try await odoo.apply(.update, "sale.order", "order", key: order.key, ["order_line": wanted]).isUnchanged)
        #expect(
            try await odoo.apply(.update, "sale.order", "order", key: order.key, ["client_order_ref": "x"], expected: expected) == .changed)
        let fewer = try await odoo.apply(
            .update, "sale.order", "order", key: order.key, ["order_line": [odoo.line("1", product, "5", "24.99")]])
        #expect(fewer.rule == "confirmed-line")
        #expect(try await odoo.apply(.delete, "sale.order", "order", key: order.key).rule == "kept")
        #expect(try await odoo.apply(.update, "sale.order", "order", key: order.key, ["amount_total": 5]).rule == "read-only")
        await odoo.driver.close()
    }

    @Test func aRefusalStandsInTheOrderAndInItsThread() async throws {
        let odoo = try LiveOdoo()
        let (customer, product) = (try await odoo.customer(), try await odoo.product())
        let order = try await odoo.order(customer, product)
        let words = "credit-limit: <b>1,000.00</b> would be exceeded (\(odoo.run))"
        let answer = try await odoo.apply(
            .update, "sale.order", "order", key: order.key,
            ["x_hub_number": "SO-1", "x_hub_status": "refused", "x_hub_refusal": .string(words), "x_hub_invoiced": number("0.00")],
            expected: ["x_hub_refusal": .null])
        #expect(answer.isWritten)
        #expect(answer.document?.fields["x_hub_refusal"] == .some(.string(words)))
        #expect(answer.document?.fields["x_hub_number"] == .some("SO-1"))
        let id = try #require(Int64(order.key.rawValue))
        let messages = try await odoo.driver.client.search(
            "mail.message", [["model", "=", "sale.order"], ["res_id", "=", .number(Number(id))]], ["body", "tracking_value_ids"],
            order: "id desc")
        let notes = messages.compactMap { $0["body"]?.text }.filter { $0.contains(odoo.run) }
        #expect(notes.count == 1)
        #expect(notes.first?.contains("&lt;b&gt;") == true)
        #expect(messages.contains { ($0["tracking_value_ids"]?.array?.count ?? 0) >= 3 })
        await odoo.driver.close()
    }

    @Test func aQuotationIsNoOrderUntilItIsConfirmed() async throws {
        let odoo = try LiveOdoo()
        let (customer, product) = (try await odoo.customer(), try await odoo.product())
        let mapping = try Self.mapping("odoo-order.yaml")
        let productID = try #require(product.fields["id"])
        let id = try await odoo.create(
            "sale.order",
            [
                "partner_id": customer.fields["id"] ?? .null,
                "order_line": [[0, 0, ["product_id": productID, "product_uom_qty": 2, "price_unit": number("1.07")]]],
            ])
        let key = NativeKey(String(id))
        let quotation = try await odoo.driver.read([ReadRequest(native: "sale.order", company: nil, key: key)])[0]
        #expect(Self.accepts(mapping, try #require(quotation)) == false)
        try await odoo.act("sale.order", "action_confirm", key)
        let order = try #require(try await odoo.driver.read([ReadRequest(native: "sale.order", company: nil, key: key)])[0])
        #expect(Self.accepts(mapping, order))
        let canonical = try mapping.translate(.object(order.fields))
        #expect(canonical["customer"] == .some(.string(customer.key.rawValue)))
        let line = try #require(canonical["lines"]?.array?.first)
        #expect(line["quantity"] == number("2.00") && line["unitPrice"] == number("1.0700") && line["id"]?.text != nil)
        await odoo.driver.close()
    }

    @Test func onlyAPostedInvoiceIsAnInvoice() async throws {
        let odoo = try LiveOdoo()
        let (customer, product) = (try await odoo.customer(), try await odoo.product())
        let mapping = try Self.mapping("odoo-invoice.yaml")
        let line: Value = [
            "product_id": product.fields["id"] ?? .null, "quantity": 2, "price_unit": number("1.07"), "tax_ids": [[6, 0, []]],
        ]
        let id = try await odoo.create(
            "account.move",
            [
                "move_type": "out_invoice", "partner_id": customer.fields["id"] ?? .null, "invoice_date": "2026-03-01",
                "invoice_line_ids": [[0, 0, line]],
            ])
        let request = ReadRequest(native: "account.move", company: nil, key: NativeKey(String(id)))
        let draft = try await odoo.driver.read([request])[0]
        #expect(Self.accepts(mapping, try #require(draft)) == false)
        try await odoo.act("account.move", "action_post", request.key)
        let posted = try #require(try await odoo.driver.read([request])[0])
        #expect(Self.accepts(mapping, posted))
        let canonical = try mapping.translate(.object(posted.fields))
        #expect(canonical["total"] == .some(number("2.14")))
        #expect(canonical["date"] == .some("2026-03-01"))
        #expect(canonical["status"] == .some("not_paid"))
        let told = try await odoo.changes(after: nil).changes.filter { $0.event.type == "account.move" && $0.event.key == request.key }
        #expect(told.count == 1 && told.first?.fields?["state"] == .some("posted"))
        await odoo.driver.close()
    }

    static func mapping(_ file: String) throws -> Mapping {
        let text = try #require(OdooFactory.mappings.first { $0.fileName == file }).text
        return try Mapping.compile(MappingSource(name: file, text: text), application: "odoo")
    }

    static func accepts(_ mapping: Mapping, _ document: NativeDocument) -> Bool {
        guard let json = try? JSONDocument.parse(JSONText.bytes(.object(document.fields))) else { return false }
        return mapping.accepts(json.root)
    }
}
