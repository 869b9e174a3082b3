import Files
import Foundation
import HubDriver
import HubModel
import HubStore
import Testing

@testable import Odoo
@testable import TestHub

/// A running hub between Odoo and a folder of files, with the ready-made mappings of what comes before an order: people at companies,
/// leads, opportunities, quotations, pricelists.
@Suite(.serialized, .enabled(if: LiveOdoo.isThere, LiveOdoo.absence)) struct LiveHubTests {
    /// The files' types, each with its columns besides operation and key, and its mapping.
    private static let types: [(name: String, columns: String, mapping: String)] = [
        ("customer", "name,town", "name: name\n  billingAddress: { city: town }"),
        ("contact", "name,role,email,customer", "name: name\n  role: role\n  email: email\n  customer: { path: customer, ref: customer }"),
        ("product", "code,name,price:number", "code: code\n  name: name\n  price: { path: price, as: decimal, scale: 2 }"),
        ("lead", "title,firm,phone,status", "title: title\n  companyName: firm\n  phone: phone\n  status: status"),
        (
            "opportunity", "title,customer,contact,revenue:number",
            """
            title: title
              customer: { path: customer, ref: customer }
              contact: { path: contact, ref: contact }
              expectedRevenue: { path: revenue, as: decimal, scale: 2 }
            """
        ),
        (
            "quotation", "number,customer,opportunity,until:date,rows:json",
            """
            number: number
              customer: { path: customer, ref: customer }
              opportunity: { path: opportunity, ref: opportunity }
              validUntil: { path: until, as: date }
            lines:
              path: rows
              key: id
              fields:
                product: { path: product, ref: product }
                quantity: { path: quantity, as: decimal, scale: 2 }
                unitPrice: { path: price, as: decimal, scale: 4 }
            """
        ),
        (
            "pricelist", "name,currency,rows:json",
            """
            name: name
              currency: currency
            lines:
              path: rows
              key: id
              fields:
                product: { path: product, ref: product }
                minQuantity: { path: from, as: decimal, scale: 2 }
                kind: kind
                price: { path: price, as: decimal, scale: 4 }
            """
        ),
    ]

    private func hub(_ odoo: LiveOdoo) async throws -> (TestHub, ExchangeFolder) {
        let test = try TestHub([OdooFactory.self, FilesFactory.self])
        let folder = try ExchangeFolder(test.folder + "/drop")
        for type in Self.types {
            try test.write("mappings/drop/\(type.name).yaml", "entity: \(type.name)\nnative: \(type.name)\nfields:\n  \(type.mapping)\n")
        }
        let declared = Self.types.map { type in
            "\(type.name): format=ndjson in=\(type.name)-*.ndjson out=\(type.name) key=id operation=op columns=op,id,\(type.columns)"
        }
        try test.write(
            "hub.yaml",
            """
            hub: sales
            bus: { embedded: true, partitions: 2 }
            store: hub.db
            applications:
              odoo:
                driver: odoo
                url: "\(try #require(LiveOdoo.url))"
                key: { file: "\(try #require(LiveOdoo.keyFile))" }
                pollMilliseconds: 100
              drop:
                driver: files
                inbound: drop/in
                outbound: drop/out
                types: |
            \(declared.map { "      \($0)" }.joined(separator: "\n"))
            entities:
            \(Self.types.map { "  \($0.name): { owner: odoo }" }.joined(separator: "\n"))
            """)
        // What earlier runs left in this Odoo is none of this hub's business.
        let position = try #require(try await odoo.changes(after: nil).position)
        try test.write("hub.db.capture/odoo.position", position)
        try test.start()
        return (test, folder)
    }

    /// Waits for a document in the files.
    private func arrives(
        _ type: String, _ test: TestHub, _ folder: ExchangeFolder, _ isIt: @escaping (Fields) -> Bool
    ) async throws -> Fields {
        var found: Fields?
        try await test.eventually("\(type) in the files", within: .seconds(60)) {
            found = try folder.documents(type, key: "id").values.first(where: isIt)
            return found != nil
        }
        return try #require(found)
    }

    @Test func whatComesBeforeAnOrderArrivesWithItsReferences() async throws {
        let odoo = try LiveOdoo()
        let (test, folder) = try await hub(odoo)
        defer { test.stop() }
        let run = odoo.run
        func text(_ start: String) -> Value { .string("\(start) \(run)") }

        // Everything by Odoo's own people, who know nothing of a hub.
        let company = try await odoo.create("res.partner", ["name": text("Acme"), "is_company": true, "city": "Lyon"])
        let person = try await odoo.create(
            "res.partner", ["name": text("Anna"), "is_company": false, "function": "Buyer", "parent_id": .number(Number(company))])
        let product = try await odoo.create(
            "product.product", ["name": text("Widget"), "default_code": .string("W-\(run)"), "list_price": 25])
        _ = try await odoo.create("crm.lead", ["name": text("Fair"), "type": "lead", "partner_name": "New SA"])
        let deal = try await odoo.create(
            "crm.lead",
            ["name": text("Machine"), "type": "opportunity", "partner_id": .number(Number(person)), "expected_revenue": 1200])
        let row: Value = ["product_id": .number(Number(product)), "product_uom_qty": 3, "price_unit": 20]
        let quotation = try await odoo.create(
            "sale.order",
            [
                "partner_id": .number(Number(company)), "opportunity_id": .number(Number(deal)), "validity_date": "2027-12-31",
                "order_line": [[0, 0, row]],
            ])
        let rule: Value = [
            "applied_on": "0_product_variant", "product_id": .number(Number(product)), "compute_price": "fixed", "fixed_price": 18,
            "min_quantity": 10,
        ]
        _ = try await odoo.create("product.pricelist", ["name": text("Wholesale"), "item_ids": [[0, 0, rule]]])

        let customer = try await arrives("customer", test, folder) { $0["name"] == text("Acme") && $0["town"] == "Lyon" }
        let contact = try await arrives("contact", test, folder) { $0["name"] == text("Anna") && $0["role"] == "Buyer" }
        #expect(contact["customer"]?.text != nil && contact["customer"] == customer["id"], "\(contact) \(customer)")
        let widget = try await arrives("product", test, folder) { $0["code"] == .string("W-\(run)") && $0["price"] == 25 }
        let lead = try await arrives("lead", test, folder) { $0["title"] == text("Fair") }
        #expect(lead["firm"] == "New SA" && lead["status"] == "pending")
        let opportunity = try await arrives("opportunity", test, folder) { $0["title"] == text("Machine") }
        #expect(opportunity["contact"] == contact["id"] && opportunity["revenue"] == 1200, "\(opportunity)")
        let number = try await odoo.driver.client.read("sale.order", [quotation], ["name"]).first?["name"]
        let offer = try await arrives("quotation", test, folder) { $0["number"] == number }
        #expect(offer["customer"] == customer["id"] && offer["opportunity"] == opportunity["id"], "\(offer)")
        #expect(offer["until"] == "2027-12-31")
        let sold = try #require(offer["rows"]?.array?.first)
        #expect(sold["product"] == widget["id"] && sold["quantity"] == 3 && sold["price"] == 20, "\(offer)")
        let list = try await arrives("pricelist", test, folder) { $0["name"] == text("Wholesale") }
        let priced = try #require(list["rows"]?.array?.first)
        #expect(priced["product"] == widget["id"] && priced["price"] == 18 && priced["from"] == 10 && priced["kind"] == "price", "\(list)")

        // Ways back: made on the other side, with what it knows from here.
        try folder.drop(
            "contact", ["op": "I", "id": .string("bea-\(run)"), "name": text("Bea"), "role": "Chair", "customer": customer["id"] ?? .null])
        try folder.drop("lead", ["op": "I", "id": .string("call-\(run)"), "title": text("Call"), "firm": "Late SA", "phone": "+33 1"])
        try folder.drop(
            "pricelist",
            [
                "op": "I", "id": .string("retail-\(run)"), "name": text("Retail"), "currency": list["currency"] ?? .null,
                "rows": [["id": "1", "product": widget["id"] ?? .null, "from": 1, "kind": "price", "price": 24]],
            ])
        func found(_ model: String, _ name: Value, _ members: [String]) async throws -> Fields {
            var row: Fields?
            try await test.eventually("\(model) in Odoo", within: .seconds(60)) {
                row = try await odoo.driver.client.search(model, [["name", "=", name]], members, order: "id", limit: 2).first
                return row != nil
            }
            return try #require(row)
        }
        let chair = try await found("res.partner", text("Bea"), ["is_company", "function", "parent_id"])
        #expect(chair["is_company"] == false && chair["function"] == "Chair", "\(chair)")
        #expect(chair["parent_id"]?.integer == company, "\(chair)")
        let call = try await found("crm.lead", text("Call"), ["type", "partner_name", "phone"])
        #expect(call["type"] == "lead" && call["partner_name"] == "Late SA" && call["phone"] == "+33 1", "\(call)")
        let retail = try await found("product.pricelist", text("Retail"), ["item_ids"])
        let items = try await odoo.driver.client.read(
            "product.pricelist.item", (retail["item_ids"]?.array ?? []).compactMap(\.integer), ["product_id", "fixed_price"])
        #expect(items.count == 1 && items.first?["product_id"]?.integer == product, "\(items)")
        #expect(items.first?["fixed_price"] == 24)
        // Nothing of this run is among the dead letters.
        let letters = try await test.deadLetters().filter { $0.reason.contains(run) }
        #expect(letters.isEmpty, "\(letters)")
        await odoo.driver.close()
    }
}
