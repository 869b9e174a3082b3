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
        for entity in divided.entities { #expect(Set(entity.rules).count == entity.rules.count) }
    }

    @Test func mappingsCompile() throws {
        for mapping in OdooFactory.mappings {
            let compiled = try Mapping.compile(MappingSource(name: mapping.fileName, text: mapping.text), application: "odoo")
            #expect(NativeType.named(compiled.native)?.entity == compiled.entity)
        }
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
