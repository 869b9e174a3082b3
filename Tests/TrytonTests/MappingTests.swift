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

    @Test("Each is for a type of the manifest", arguments: ["customer", "product", "order", "invoice", "shipment", "account"])
    func types(name: String) throws {
        let mapping = try mapping(name)
        let driver = try LiveTryton.driver(["accounts": "yes"])
        #expect(driver.manifest.entity(native: mapping.native)?.entity == mapping.entity && mapping.entity.rawValue == name)
    }

    /// The native members that the mapping of a type names.
    static func paths(_ native: String) throws -> [String] {
        for source in TrytonFactory.mappings where source.text.contains("native: \(native)\n") {
            let mapping = try Mapping.compile(MappingSource(name: source.fileName, text: source.text), application: "tryton")
            let own = mapping.fields.filter { $0.constant == nil }.map(\.path)
            let ofLists = mapping.lists.flatMap { list in list.fields.filter { $0.constant == nil }.map { list.path + $0.path } }
            return (own + ofLists).map { $0.joined(separator: ".") }
        }
        return []
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

    @Test("Credit notes and payments are told as what they are")
    func creditNote() throws {
        let mapping = try mapping("invoice")
        let note: Value = [
            "kind": "credit_note", "number": "7", "state": "paid", "total_amount": 60, "paid_amount": 60, "paid_date": "2026-11-21",
        ]
        let canonical = try mapping.translate(note)
        #expect(canonical["kind"] == "creditNote" && canonical["total"] == 60 && canonical["paidDate"] == "2026-11-21")
        let invoice = try mapping.translate(["kind": "invoice", "number": "8", "state": "posted", "total_amount": 60])
        #expect(invoice["kind"] == "invoice" && invoice["paid"] == nil)
    }

    @Test("A shipment becomes a canonical one with its goods, an account its customer's")
    func others() throws {
        let shipment = try mapping("shipment").translate([
            "number": "3", "sale": 4, "state": "done", "effective_date": "2026-11-21",
            "lines": [["id": 9, "product": 1, "quantity": .number(Number(20, scale: 1))]],
        ])
        let line = shipment["lines"]?.array?.first
        #expect(shipment["order"] == "4" && shipment["date"] == "2026-11-21" && line?["id"] == "9" && line?["quantity"] == 2)
        let account = try mapping("account")
        let native = try account.native(from: ["customer": "2", "creditLimit": 700]) { _, id in NativeKey(id.rawValue) }.native
        #expect(native["party"]?.keyText == "2" && native["credit_limit_amount"] == 700)
    }
}
