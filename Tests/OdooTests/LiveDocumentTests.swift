import HubDriver
import HubModel
import Testing

@testable import Odoo

@Suite(.serialized, .enabled(if: LiveOdoo.isThere, LiveOdoo.absence)) struct LiveDocumentTests {
    @Test func itSaysWhoItIs() async throws {
        let odoo = try LiveOdoo()
        let identity = try await odoo.driver.probe()
        #expect(identity.version.hasPrefix("19.0"))
        #expect(identity.instance.count == 36)
        #expect(identity.details.isEmpty)
        await odoo.driver.close()
    }

    @Test func aCreateSentTwiceMakesOneDocument() async throws {
        let odoo = try LiveOdoo()
        let first = try await odoo.customer()
        #expect(first.fields["is_company"] == .some(true))
        // People have changed it since: the second create must not undo that.
        try await odoo.write("res.partner", first.key, ["city": "Nantes"])
        let second = try await odoo.apply(.create, "res.partner", "customer", ["name": .string("Acme \(odoo.run)"), "city": "Lyon"])
        #expect(second.isUnchanged)
        #expect(second.document?.key == first.key)
        #expect(second.document?.fields["city"] == .some("Nantes"))
        let found = try await odoo.driver.lookUp([
            LookUp(native: "res.partner", company: nil, reference: CanonicalID("customer-\(odoo.run)")),
            LookUp(native: "res.partner", company: nil, reference: CanonicalID("nobody-\(odoo.run)")),
        ])
        #expect(found.map { $0.map(\.key) } == [[first.key], []])
        #expect(found[0].first?.reference == CanonicalID("customer-\(odoo.run)"))
        await odoo.driver.close()
    }

    @Test func concurrentCreatesMakeOneDocument() async throws {
        let odoo = try LiveOdoo()
        let fields: Fields = ["name": .string("Twins \(odoo.run)")]
        let keys = try await withThrowingTaskGroup(of: NativeKey?.self) { group in
            for _ in 0..<4 { group.addTask { try await odoo.apply(.create, "res.partner", "twins", fields).document?.key } }
            return try await group.reduce(into: Set<NativeKey>()) { if let key = $1 { $0.insert(key) } }
        }
        #expect(keys.count == 1)
        let count = try await odoo.driver.client.call(
            "res.partner", "search_count", ["domain": [["name", "=", .string("Twins \(odoo.run)")]]])
        #expect(count == 1)
        await odoo.driver.close()
    }

    @Test func anUpdateReadsFirst() async throws {
        let odoo = try LiveOdoo()
        let customer = try await odoo.customer()
        let written = try await odoo.apply(
            .update, "res.partner", "customer", key: customer.key,
            ["email": "a@acme.example", "country_id": "FR", "property_payment_term_id": "30 Days", "credit_limit": number("1000.10")],
            expected: ["city": "Lyon", "email": .null])
        #expect(written.isWritten)
        #expect(written.document?.fields["country_id"] == .some("FR"))
        #expect(written.document?.fields["property_payment_term_id"] == .some("30 Days"))
        #expect(written.document?.fields["credit_limit"] == .some(number("1000.1")))
        let again = try await odoo.apply(
            .update, "res.partner", "customer", key: customer.key, ["email": "a@acme.example", "country_id": "FR"],
            expected: ["city": "Lyon"])
        #expect(again.isUnchanged)
        try await odoo.write("res.partner", customer.key, ["city": "Nantes"])
        let late = try await odoo.apply(.update, "res.partner", "customer", key: customer.key, ["phone": "1"], expected: ["city": "Lyon"])
        #expect(late == .changed)
        let read = try await odoo.driver.read([ReadRequest(native: "res.partner", company: nil, key: customer.key)])
        #expect(read[0]?.fields["phone"] == .some(.null))
        #expect(read[0]?.reference == CanonicalID("customer-\(odoo.run)"))
        await odoo.driver.close()
    }

    @Test func deletingArchives() async throws {
        let odoo = try LiveOdoo()
        let customer = try await odoo.customer()
        let deleted = try await odoo.apply(.delete, "res.partner", "customer", key: customer.key, expected: ["city": "Lyon"])
        #expect(deleted.isWritten && deleted.document?.isDeleted == true)
        #expect(try await odoo.apply(.delete, "res.partner", "customer", key: customer.key).isUnchanged)
        #expect(try await odoo.apply(.update, "res.partner", "customer", key: customer.key, ["city": "Nice"]) == .gone)
        #expect(try await odoo.apply(.create, "res.partner", "customer", ["name": "Again"]) == .gone)
        #expect(try await odoo.apply(.update, "res.partner", "nobody", key: "99999999", ["city": "Nice"]) == .gone)
        await odoo.driver.close()
    }

    @Test func textAndDecimalsComeBackExactly() async throws {
        let odoo = try LiveOdoo()
        let text = "  \"Zoë\" O'Neill <b>&amp;</b>\t🦊, a;b \\ %s {} $1 \u{202E}x "
        let customer = try await odoo.created(
            "res.partner", "text", ["name": .string(text), "street": .string(String(repeating: "é", count: 500_000))])
        #expect(customer.fields["name"] == .some(.string(text)))
        #expect(customer.fields["street"]?.text?.count == 500_000)
        for price in ["0.01", "25.10", "1234567.89", "0.07", "99999999.99"] {
            let product = try await odoo.created(
                "product.product", "price-\(price)",
                ["name": "P", "default_code": .string("\(price)-\(odoo.run)"), "list_price": number(price)])
            #expect(product.fields["list_price"] == .some(number(price)))
            let changed = try await odoo.apply(
                .update, "product.product", "price-\(price)", key: product.key, ["list_price": number("17.05")])
            #expect(changed.document?.fields["list_price"] == .some(number("17.05")))
        }
        await odoo.driver.close()
    }

    @Test func rulesHaveNames() async throws {
        let odoo = try LiveOdoo()
        let customer = try await odoo.customer()
        func refused(_ fields: Fields) async throws -> Answer {
            try await odoo.apply(.update, "res.partner", "customer", key: customer.key, fields)
        }
        #expect(try await refused(["nofield": 1]).rule == "unknown-field")
        #expect(try await refused(["nofield": 1]).field == "nofield")
        #expect(try await refused(["name": "a\u{0}b"]).rule == "invalid-text")
        #expect(try await refused(["name": 7]).rule == "invalid-value")
        #expect(try await refused(["name": .null]).rule == "missing-field")
        #expect(try await refused(["country_id": "Atlantis"]).rule == "unknown-code")
        #expect(try await refused(["credit_limit": number("12345678901234.567")]).rule == "precision")
        #expect(try await refused(["parent_id": "99999999"]).rule == "unknown-reference")
        #expect(try await refused(["name": .string(String(repeating: "é\u{1F98A}q", count: 200_000))]).rule == "invalid-value")
        #expect(try await odoo.apply(.create, "res.partner", "nameless", ["city": "Lyon"]).rule == "missing-field")
        #expect(try await odoo.apply(.create, "account.move", "invoice", ["name": "I"]).rule == "read-only")
        #expect(try await odoo.apply(.create, "res.partner", "lost", ["name": "L", "parent_id": "99999999"]).rule == "unknown-reference")
        #expect(
            try await odoo.driver.read([ReadRequest(native: "res.partner", company: nil, key: customer.key)])[0]?.fields == customer.fields)
        await odoo.driver.close()
    }

    @Test func pagesAreComplete() async throws {
        let odoo = try LiveOdoo()
        let customer = try await odoo.customer()
        var keys: [Int64] = []
        var cursor: String?
        repeat {
            let page = try await odoo.driver.page(native: "res.partner", company: nil, after: cursor, limit: 7)
            keys += page.documents.compactMap { Int64($0.key.rawValue) }
            cursor = page.next
        } while cursor != nil
        #expect(keys == keys.sorted() && Set(keys).count == keys.count)
        #expect(keys.contains { String($0) == customer.key.rawValue })
        await odoo.driver.close()
    }

    @Test func unreachableAndUnauthorisedAreErrors() async throws {
        let nobody = try LiveOdoo(url: "http://127.0.0.1:9")
        await #expect { try await nobody.customer() } throws: { ($0 as? DriverError)?.code == .unreachable }
        let stranger = try LiveOdoo(key: "0123456789abcdef0123456789abcdef01234567")
        await #expect { try await stranger.customer() } throws: { ($0 as? DriverError)?.code == .unauthorised }
        await nobody.driver.close()
        await stranger.driver.close()
    }
}
