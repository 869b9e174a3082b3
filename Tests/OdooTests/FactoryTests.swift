import HubCodec
import HubDriver
import HubModel
import Testing

@testable import Odoo

@Suite struct FactoryTests {
    private func make(_ more: [String: String], companies: [CompanyID: String] = [:]) throws -> any Driver {
        let values = ["url": "http://127.0.0.1:1", "key": "abc\n"].merging(more) { $1 }
        return try OdooFactory.make(DriverSettings(application: "odoo", values: values, companies: companies))
    }

    @Test func wrongSettingsAreRefused() {
        let wrong: [[String: String]] = [
            ["url": ""], ["url": "crm.example"], ["key": ""], ["key": "é"], ["pollMilliseconds": "soon"], ["answerMilliseconds": "0"],
            ["confirmOrders": "perhaps"], ["module": "Our Hub"],
        ]
        for settings in wrong {
            #expect { try make(settings) } throws: { ($0 as? DriverError)?.code == .configuration }
        }
        #expect { try make([:], companies: ["fr": "France"]) } throws: { ($0 as? DriverError)?.code == .configuration }
    }

    @Test func theManifestSaysWhatIsKeptPerCompany() throws {
        let shared = try make([:]).manifest
        #expect(shared.entities.allSatisfy { !$0.isPerCompany && !$0.hasToken })
        let divided = try make([:], companies: ["fr": "1", "us": "2"]).manifest
        #expect(divided.entities.filter(\.isPerCompany).map(\.native) == ["sale.order", "account.move"])
        #expect(divided.entity(native: "account.move")?.operations == [])
        #expect(divided.entity(native: "res.partner")?.delete == .archives)
        #expect(divided.entity(native: "sale.order")?.delete == .refuses)
        #expect(divided.contradictions(looksUp: true, reads: true).isEmpty)
        for entity in divided.entities { #expect(Set(entity.rules).count == entity.rules.count) }
    }

    @Test func mappingsCompile() throws {
        for mapping in OdooFactory.mappings {
            let compiled = try Mapping.compile(MappingSource(name: mapping.fileName, text: mapping.text), application: "odoo")
            #expect(NativeType.named(compiled.native) != nil)
        }
        // A type's own entity is one that a mapping gives it.
        let entities = try OdooFactory.mappings.map {
            try Mapping.compile(MappingSource(name: $0.fileName, text: $0.text), application: "odoo").entity
        }
        #expect(NativeType.all.allSatisfy { entities.contains($0.entity) })
        #expect(entities.count == 9 && Set(entities).count == 9)
    }

    @Test func whatTheHubCreatesMeetsTheMappingsConditions() throws {
        let cases: [(file: String, canonical: Fields, member: String, value: Value)] = [
            ("odoo-contact.yaml", ["name": "Anna"], "is_company", false),
            ("odoo-lead.yaml", ["title": "A lead"], "type", "lead"),
            ("odoo-opportunity.yaml", ["title": "A deal"], "type", "opportunity"),
            ("odoo-quotation.yaml", ["buyerReference": "PO 1"], "state", "draft"),
        ]
        for (file, canonical, member, value) in cases {
            let text = try #require(OdooFactory.mappings.first { $0.fileName == file }).text
            let mapping = try Mapping.compile(MappingSource(name: file, text: text), application: "odoo")
            let created = try mapping.native(from: canonical, creates: true) { _, _ in nil }.native
            #expect(created[member] == .some(value), "\(file)")
            #expect(try mapping.native(from: canonical) { _, _ in nil }.native[member] == nil, "\(file)")
        }
    }

    @Test func linksNeedAddressesWithMembers() throws {
        let wrong = ["erp.example/{x_hub_number}", "https://erp.example/", "https://erp.example/{x_hub_number", "https://erp.example/{}"]
        for template in wrong {
            #expect { try make(["orderLink": template]) } throws: { ($0 as? DriverError)?.code == .configuration }
        }
        let link = try DocumentLink("https://erp.example/{company_id}/sale/{x_hub_number}?a=1&b=2", setting: "orderLink")
        #expect(link.members == ["company_id", "x_hub_number"])
        #expect(link.address(["company_id": 1, "x_hub_number": "SO/1 é"]) == "https://erp.example/1/sale/SO%2F1%20%C3%A9?a=1&b=2")
        #expect(link.address(["company_id": 1, "x_hub_number": .null]) == nil)
        #expect(
            DocumentLink.html("https://e/?a=1&b=\"<") == "<a href=\"https://e/?a=1&amp;b=&quot;&lt;\">https://e/?a=1&amp;b=&quot;&lt;</a>")
    }

    @Test func fieldsOfAnOrderGoBothWays() throws {
        let text = try #require(OdooFactory.mappings.first { $0.fileName == "odoo-order.yaml" }).text
        let mapping = try Mapping.compile(MappingSource(name: "odoo-order.yaml", text: text), application: "odoo")
        let canonical: Fields = [
            "customer": "customer-1", "orderDate": "2026-03-01", "refusal": "credit-limit",
            "lines": [["id": "7", "product": "product-1", "quantity": number("2"), "unitPrice": number("24.99")]],
        ]
        let native = try mapping.native(from: canonical) { entity, _ in entity == "customer" ? "6" : "1" }.native
        #expect(native["partner_id"] == .some(6))
        #expect(native["date_order"] == .some("2026-03-01 00:00:00"))
        #expect(
            native["order_line"] == .some([["id": "7", "product_id": 1, "product_uom_qty": number("2"), "price_unit": number("24.99")]]))
    }
}
