import HubDriver
import HubModel
import Testing

@testable import Tryton

@Suite("Tryton, live: documents", .serialized, .enabled(if: LiveTryton.isThere))
struct LiveTests {
    @Test("Probe tells instance and version; a wrong password is unauthorised")
    func probe() async throws {
        let driver = try LiveTryton.driver()
        let identity = try await driver.probe()
        #expect(identity.version.hasPrefix(LiveTryton.version), "\(identity)")
        #expect(identity.instance.contains("@2"), "\(identity)")
        await driver.close()
        let stranger = try LiveTryton.driver(["password": "wrong"])
        do {
            _ = try await stranger.probe()
            Issue.record("let in")
        } catch { #expect(error.code == .unauthorised, "\(error)") }
        await stranger.close()
    }

    @Test("A customer is made whole, found by its reference, changed on condition and archived")
    func customer() async throws {
        let bench = try TrytonBench()
        let made = try await bench.customer(
            "Customer",
            [
                "email": "a@example.com", "phone": "+33 1 23 45 67 89", "credit_limit_amount": .number(Number(100050, scale: 2)),
                "customer_payment_term": "30 days", "tax_identifier": "FR40303265045",
            ])
        #expect(made.fields["email"] == "a@example.com")
        #expect(made.fields["customer_payment_term"] == "30 days")
        #expect(made.fields["credit_limit_amount"]?.number?.description == "1000.50")
        #expect(made.fields["tax_identifier"] == "FR40303265045")
        #expect(made.fields["address"]?["city"] == "Paris" && made.fields["address"]?["country"] == "FR")
        #expect(made.reference == bench.reference("Customer") && !made.isDeleted && made.stamp != nil)

        let found = try await bench.driver.lookUp([
            LookUp(native: "party.party", company: nil, reference: bench.reference("Customer")),
            LookUp(native: "party.party", company: nil, reference: "nobody"),
        ])
        #expect(found.map(\.count) == [1, 0] && found[0].first?.key == made.key)
        let read = try await bench.driver.read([
            ReadRequest(native: "party.party", company: nil, key: "999999999"),
            ReadRequest(native: "party.party", company: nil, key: made.key),
        ])
        #expect(read[0] == nil && read[1]?.token == made.token)

        let again = try await bench.apply(
            bench.delivery(.create, "party.party", ["name": "Twice"], reference: bench.reference("Customer")))
        #expect(again.isUnchanged && again.document?.key == made.key)

        let answer = try await bench.update(
            "party.party", made, ["address": ["city": "Lyon"], "email": .null, "mobile": "+33 6 12 34 56 78"])
        let after = try #require(answer.document)
        #expect(answer.isWritten && after.fields["address"]?["city"] == "Lyon" && after.fields["address"]?["street"] == "1 Road")
        #expect(after.fields["email"] == .null && after.fields["mobile"] == "+33 6 12 34 56 78")
        #expect(try #require(after.token) > #require(made.token))
        #expect(try await bench.update("party.party", after, ["address": ["city": "Lyon"]]).isUnchanged)
        #expect(try await bench.update("party.party", made, ["name": "Late"]) == .changed)

        let gone = try await bench.apply(
            bench.delivery(.delete, "party.party", reference: bench.reference("Customer"), key: after.key, token: after.token))
        #expect(gone.isWritten && gone.document?.isDeleted == true)
        let missing = bench.delivery(.update, "party.party", ["name": "x"], reference: "x", key: "999999999", token: "1-0")
        #expect(try await bench.apply(missing) == .gone)
    }

    @Test("An edit between the hub's read and its write is never covered, also of an address beside its party")
    func edits() async throws {
        let bench = try TrytonBench()
        let made = try await bench.customer("Edited")
        try await bench.edit("party.party", made.key, ["name": "By hand"])
        #expect(try await bench.update("party.party", made, ["address": ["city": "Nice"]]) == .changed)
        let read = try #require(
            try await bench.driver.read([ReadRequest(native: "party.party", company: nil, key: made.key)]).first ?? nil)
        let address = try #require(read.fields["address"]?["id"]?.integer)
        try await bench.edit("party.address", NativeKey(String(address)), ["city": "Brest"])
        #expect(try await bench.update("party.party", read, ["name": "Hub"]) == .changed)
        // Tryton's own condition, without the comparison before.
        var work = try await bench.work()
        let stale = Record(
            row: ["id": .id(Int64(made.key.rawValue) ?? 0), "_timestamp": "1.000000"], parts: [:], model: "party.party")
        do {
            _ = try await work.write(
                "party.party", "write", [[.id(stale.id)], ["name": "x"]], timestamps: stale.timestamps([]))
            Issue.record("written over a newer version")
        } catch { guard case .changed = error else { throw error } }
    }

    @Test("A product's price lives in its template, exact to four decimals")
    func product() async throws {
        let bench = try TrytonBench()
        let made = try await bench.product("P", Number(101_234, scale: 4))
        #expect(made.fields["list_price"]?.number?.description == "10.1234")
        #expect(made.fields["unit"] == "Unit" && made.fields["salable"] == true && made.fields["currency"] == "EUR")
        let answer = try await bench.update("product.product", made, ["list_price": .number(Number(9_9900, scale: 4)), "name": "Better"])
        let after = try #require(answer.document)
        #expect(answer.isWritten && after.fields["list_price"] == .number(Number(999, scale: 2)) && after.fields["name"] == "Better")
        #expect(try await bench.update("product.product", made, ["name": "Late"]) == .changed)
        let renamed = try await bench.update("product.product", after, ["code": .string("Q-\(bench.run)")])
        #expect(renamed.document?.fields["code"] == .string("Q-\(bench.run)"))
        let other = bench.delivery(
            .create, "product.product", ["code": .string("Q-\(bench.run)"), "name": "Same code"], reference: bench.reference("other"))
        #expect(try await bench.apply(other).rule == "not-unique")
        let digits = try await bench.update(
            "product.product", try #require(renamed.document), ["list_price": .number(Number(1_234_567, scale: 6))])
        #expect(digits.rule == "too-many-digits")
    }

    @Test("What breaks a rule is refused by the rule's name, and nothing has changed")
    func rules() async throws {
        let bench = try TrytonBench()
        let customer = try await bench.customer("Ruled")
        let changes: [(Fields, String)] = [
            (["nonsense": 1], "unknown-field"), (["lang": "fr"], "read-only"),
            (["customer_payment_term": "never"], "unknown-payment-terms"),
            (["address": ["country": "XX"]], "unknown-country"), (["tax_identifier": "FR1"], "invalid-identifier"),
            (["name": "a\u{0}b"], "invalid-text"), (["credit_limit_amount": "much"], "invalid-value"),
            (["credit_limit_amount": .number(Number(1005, scale: 3))], "too-many-digits"), (["code": "2"], "not-unique"),
        ]
        for (fields, rule) in changes {
            let answer = try await bench.update("party.party", customer, fields)
            #expect(answer.rule == rule, "\(fields): \(answer)")
        }
        #expect(
            try await bench.driver.read([ReadRequest(native: "party.party", company: nil, key: customer.key)]).first??.token
                == customer.token)
        let invoice = bench.delivery(.update, "account.invoice", ["reference": "x"], reference: "x", key: "1", token: "1-0")
        #expect(try await bench.apply(invoice).rule == "read-only")
        let untold = bench.delivery(.update, "party.party", ["name": "x"], reference: "x", key: customer.key)
        #expect(try await bench.apply(untold).rule == "missing-token")
    }

    @Test("Hostile text comes back as it was, or is refused")
    func text() async throws {
        let bench = try TrytonBench()
        let customer = try await bench.customer("Hostile")
        let name = "Ünï'cödé \"quoted\" \\ 漢字 🏭 <b>&amp; e\u{301}"
        let answer = try await bench.update("party.party", customer, ["name": .string(name)])
        #expect(answer.document?.fields["name"]?.text?.hasSameBytes(as: name) == true, "\(answer)")
        let document = try #require(answer.document)
        let random = (0..<(1 << 20)).map { _ in String("abcdefghijklmnopqrstuvwxyz0123456789".randomElement() ?? "x") }.joined()
        let long = try await bench.update("party.party", document, ["name": .string(random)])
        #expect(long.rule == "too-long", "\("\(long)".prefix(300))")
    }

    @Test("A session that Tryton has forgotten is renewed without anyone noticing")
    func session() async throws {
        let bench = try TrytonBench([:], nil)
        _ = try await bench.work()
        // Tryton does not know the session any more, and the driver does not know that.
        await bench.driver.connection.logOut()
        _ = try await bench.customer("Session")
    }
}
