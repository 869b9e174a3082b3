import HubCodec
import HubDriver
import HubModel
import Testing

@testable import Tryton

@Suite("Tryton's mappings")
struct MappingTests {
    private func mapping(_ name: String) throws -> Mapping {
        let source = try #require(TrytonFactory.mappings.first { $0.fileName == "tryton-\(name).yaml" })
        return try Mapping.compile(MappingSource(name: source.fileName, text: source.text), application: "tryton")
    }

    @Test("Each is for a type of the manifest", arguments: ["customer", "product", "order", "invoice"])
    func types(name: String) throws {
        let mapping = try mapping(name)
        let driver = try LiveTryton.driver()
        #expect(driver.manifest.entity(native: mapping.native)?.entity == mapping.entity && mapping.entity.rawValue == name)
    }

    @Test("A party becomes a customer, and a customer's change the party's members that changed")
    func customer() throws {
        let party: Value = [
            "id": 2, "code": "7", "name": " Acme ", "tax_identifier": .null, "email": "a@example.com", "phone": .null,
            "address": ["id": 3, "street": "1 Road", "city": "Paris", "postal_code": .null, "country": "FR"],
            "credit_limit_amount": .number(Number(100050, scale: 2)), "customer_payment_term": "30 days",
        ]
        let mapping = try mapping("customer")
        let canonical = try mapping.translate(party)
        #expect(canonical["billingAddress.city"] == "Paris" && canonical["paymentTerms"] == "30 days" && canonical["code"] == "7")
        #expect(canonical["creditLimit"]?.number?.description == "1000.50")
        let native = try mapping.native(from: ["billingAddress.city": "Lyon", "code": "8"]) { _, _ in nil }.native
        #expect(native == ["address": ["city": "Lyon"]])
    }

    @Test("An order's lines keep the hub's names")
    func order() throws {
        let mapping = try mapping("order")
        let sale: Value = [
            "party": 2, "state": "processing", "sale_date": "2026-11-20", "total_amount": .number(Number(6000, scale: 2)),
            "lines": [["id": 9, "key": "a", "product": 4, "quantity": .number(Number(20, scale: 1)), "unit_price": 25]],
        ]
        let canonical = try mapping.translate(sale)
        let line = canonical["lines"]?.array?.first
        #expect(line?["id"] == "a" && line?["product"] == "4" && line?["quantity"] == 2 && canonical["status"] == "processing")
        let native = try mapping.native(from: canonical) { _, id in NativeKey(id.rawValue) }.native
        #expect(native["lines"]?.array?.first?["key"] == "a" && native["state"] == nil && native["party"]?.keyText == "2")
    }
}
