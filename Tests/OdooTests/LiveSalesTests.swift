import HubCodec
import HubDriver
import HubModel
import Testing

@testable import Odoo

/// What comes before an order: people at companies, leads, opportunities, quotations, pricelists.
@Suite(.serialized, .enabled(if: LiveOdoo.isThere, LiveOdoo.absence)) struct LiveSalesTests {
    @Test func aPersonStandsForSeveralCompanies() async throws {
        let odoo = try LiveOdoo()
        let (first, second) = (try await odoo.customer("first"), try await odoo.customer("second"))
        let (contacts, customers) = (try LiveOrderTests.mapping("odoo-contact.yaml"), try LiveOrderTests.mapping("odoo-customer.yaml"))
        let anna: Fields = ["name": .string("Anna \(odoo.run)"), "function": "Buyer", "is_company": false]
        let buyer = try await odoo.created(
            "res.partner", "buyer", anna.overlaid(with: ["parent_id": .string(first.key.rawValue)]))
        let chair = try await odoo.created(
            "res.partner", "chair",
            anna.overlaid(
                with: ["function": "Chair", "parent_id": .string(second.key.rawValue), "x_hub_person": .string(buyer.key.rawValue)]))
        for (person, company, role) in [(buyer, first, "Buyer"), (chair, second, "Chair")] {
            #expect(LiveOrderTests.accepts(contacts, person) && !LiveOrderTests.accepts(customers, person))
            #expect(LiveOrderTests.accepts(customers, company) && !LiveOrderTests.accepts(contacts, company))
            let canonical = try contacts.translate(.object(person.fields))
            #expect(canonical["customer"] == .some(.string(company.key.rawValue)))
            #expect(canonical["role"] == .some(.string(role)))
            #expect(person.fields["commercial_partner_id"]?.keyText == company.key.rawValue)
        }
        #expect(try contacts.translate(.object(chair.fields))["person"] == .some(.string(buyer.key.rawValue)))
        // An address is no person.
        let address = try await odoo.create(
            "res.partner", ["name": "Store", "type": "delivery", "parent_id": first.fields["id"] ?? .null])
        let told = try await odoo.driver.read([ReadRequest(native: "res.partner", company: nil, key: NativeKey(String(address)))])
        #expect(!LiveOrderTests.accepts(contacts, try #require(told[0])))
        await odoo.driver.close()
    }

    @Test func aLeadBecomesAnOpportunityAndIsLost() async throws {
        let odoo = try LiveOdoo()
        let (leads, deals) = (try LiveOrderTests.mapping("odoo-lead.yaml"), try LiveOrderTests.mapping("odoo-opportunity.yaml"))
        let made = try leads.native(from: ["title": .string("Fair \(odoo.run)"), "companyName": "New SA"], creates: true) { _, _ in nil }
        let lead = try await odoo.created("crm.lead", "lead", made.native)
        #expect(LiveOrderTests.accepts(leads, lead) && !LiveOrderTests.accepts(deals, lead))
        let customer = try await odoo.customer()
        let position = try await odoo.changes(after: nil).position
        try await odoo.write("crm.lead", lead.key, ["type": "opportunity", "partner_id": customer.fields["id"] ?? .null])
        try await odoo.act("crm.lead", "action_set_lost", lead.key)
        let changes = try await odoo.changes(after: position).changes.filter { $0.event.type == "crm.lead" && $0.event.key == lead.key }
        // Odoo archives what is lost: that is no deletion.
        #expect(changes.map { $0.event.operation } == [.upsert])
        let told = try #require(changes.first?.fields)
        let canonical = try deals.translate(.object(told))
        #expect(canonical["status"] == .some("lost"))
        #expect(canonical["customer"] == .some(.string(customer.key.rawValue)))
        let deleted = try await odoo.apply(.delete, "crm.lead", "lead", key: lead.key)
        #expect(deleted.isWritten && deleted.document?.isDeleted == true)
        #expect(try await odoo.apply(.delete, "crm.lead", "lead", key: lead.key) == .gone)
        await odoo.driver.close()
    }

    @Test func aQuotationOfTheHubsStaysOne() async throws {
        let odoo = try LiveOdoo()
        let (customer, product) = (try await odoo.customer(), try await odoo.product())
        let fields: Fields = [
            "partner_id": .string(customer.key.rawValue), "state": "draft", "validity_date": "2026-12-31",
            "order_line": [odoo.line("1", product, "2", "5")],
        ]
        let quotation = try await odoo.created("sale.order", "quotation", fields)
        #expect(quotation.fields["state"] == .some("draft"))
        let mappings = [try LiveOrderTests.mapping("odoo-order.yaml"), try LiveOrderTests.mapping("odoo-quotation.yaml")]
        #expect(mappings.map { LiveOrderTests.accepts($0, quotation) } == [false, true])
        let again = try await odoo.apply(.create, "sale.order", "quotation", fields)
        #expect(again.isUnchanged && again.document?.key == quotation.key && again.document?.fields["state"] == .some("draft"))
        try await odoo.act("sale.order", "action_confirm", quotation.key)
        let order = try #require(try await odoo.driver.read([ReadRequest(native: "sale.order", company: nil, key: quotation.key)])[0])
        #expect(mappings.map { LiveOrderTests.accepts($0, order) } == [true, false])
        await odoo.driver.close()
    }

    @Test func aPricelistIsToldWithItsRules() async throws {
        let odoo = try LiveOdoo()
        let (product, other) = (try await odoo.product(), try await odoo.product("other-product"))
        let mapping = try LiveOrderTests.mapping("odoo-pricelist.yaml")
        let template = try #require(
            try await odoo.driver.client.read("product.product", [Int64(other.key.rawValue) ?? 0], ["product_tmpl_id"]).first?[
                "product_tmpl_id"])
        let list = try await odoo.created(
            "product.pricelist", "list",
            [
                "name": .string("Wholesale \(odoo.run)"), "currency_id": "USD",
                "item_ids": [
                    [
                        "id": "1", "product_id": .string(product.key.rawValue), "min_quantity": number("10"),
                        "fixed_price": number("19.9901"), "date_start": "2026-03-01 00:00:00",
                    ],
                    ["id": "2", "min_quantity": number("50"), "compute_price": "percentage", "percent_price": number("12.50")],
                ],
            ])
        let position = try await odoo.changes(after: nil).position
        // In Odoo's own form people give a price to a product as a whole.
        try await odoo.write(
            "product.pricelist", list.key,
            ["item_ids": [[0, 0, ["applied_on": "1_product", "product_tmpl_id": template, "fixed_price": 7]]]])
        let changes = try await odoo.changes(after: position).changes.filter {
            $0.event.type == "product.pricelist" && $0.event.key == list.key
        }
        let told = try #require(changes.first?.fields)
        let lines = try #require(try mapping.translate(.object(told))["lines"]?.array)
        #expect(Set(lines.map { $0["product"]?.text }) == [product.key.rawValue, other.key.rawValue, nil])
        let own = try #require(lines.first { $0["product"]?.text == product.key.rawValue })
        #expect(own["price"] == number("19.9901") && own["kind"] == "price" && own["scope"] == "product" && own["id"] == "1")
        #expect(own["validFrom"] == "2026-03-01T00:00:00Z")
        let all = try #require(lines.first { $0["scope"] == "all" })
        #expect(all["discount"] == number("12.50") && all["kind"] == "discount" && all["id"] == "2")

        // Under its id a rule for another product is another rule.
        var wanted = try #require(told["item_ids"]?.array)
        for place in wanted.indices where wanted[place]["id"] == "1" {
            wanted[place] = ["id": "1", "product_id": .string(other.key.rawValue), "fixed_price": number("6.5")]
        }
        let writable = wanted.map { element in
            Value.object((element.object ?? Fields()).filter { !["applied_on", "product_tmpl_id", "categ_id"].contains($0.name) })
        }
        let changed = try await odoo.apply(.update, "product.pricelist", "list", key: list.key, ["item_ids": .array(writable)])
        let rules = try #require(changed.document?.fields["item_ids"]?.array)
        #expect(rules.count == 3)
        let moved = rules.first { $0["id"] == "1" }
        #expect(moved?["product_id"]?.keyText == other.key.rawValue && moved?["applied_on"] == "0_product_variant")
        #expect(try await odoo.apply(.update, "product.pricelist", "list", key: list.key, ["item_ids": .array(writable)]).isUnchanged)
        await odoo.driver.close()
    }

    @Test func anOrderOpensTheOtherApplicationsDocument() async throws {
        let odoo = try LiveOdoo(["orderLink": "https://erp.example/#sale/{x_hub_number}?a=1&b=2"])
        let (customer, product) = (try await odoo.customer(), try await odoo.product())
        let order = try await odoo.order(customer, product)
        let number = "SO \(odoo.run)"
        let answer = try await odoo.apply(.update, "sale.order", "order", key: order.key, ["x_hub_number": .string(number)])
        let address = "https://erp.example/#sale/SO%20\(odoo.run)?a=1&b=2"
        #expect(answer.document?.fields["x_hub_link"] == .some(.string(address)))
        let id = try #require(Int64(order.key.rawValue))
        let domain: [Value] = [["model", "=", "sale.order"], ["res_id", "=", .number(Number(id))]]
        let messages = try await odoo.driver.client.search("mail.message", domain, ["body"], order: "id desc")
        let link = "href=\"https://erp.example/#sale/SO%20\(odoo.run)?a=1&amp;b=2\""
        #expect(messages.filter { $0["body"]?.text?.contains(link) == true }.count == 1)
        #expect(
            try await odoo.apply(.update, "sale.order", "order", key: order.key, ["x_hub_number": .string(number)]).isUnchanged)
        await odoo.driver.close()
    }
}
