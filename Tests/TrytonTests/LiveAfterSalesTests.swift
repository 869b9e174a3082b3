import HubDriver
import HubModel
import Testing

@testable import Tryton

@Suite("Tryton, live: what follows an order, and what an installation has", .serialized, .enabled(if: LiveTryton.isThere))
struct LiveAfterSalesTests {
    @Test("An order that leaves in two parts is told as two shipments with their goods")
    func shipments() async throws {
        let bench = try TrytonBench()
        let customer = try await bench.customer("Shipped")
        let order = try await bench.create("sale.sale", bench.order(customer, try await bench.product("SH"), quantity: 5), "shipped")
        let position = try await bench.present()
        let first = try #require(order.fields["shipments"]?.array?.first?["id"])
        let moves = try await bench.work().rows("stock.shipment.out", [["id", "=", first]], ["outgoing_moves"]).first?["outgoing_moves"]
        try await bench.person("stock.shipment.out", "draft", [[first]])
        try await bench.person(
            "stock.shipment.out", "write", [[first], ["outgoing_moves": [["write", try #require(moves), ["quantity": 2]]]]])
        for step in ["wait", "assign_force", "pick", "pack", LiveTryton.version == "6.0" ? "done" : "do"] {
            try await bench.person("stock.shipment.out", step, [[first]])
        }
        let told = try await bench.changes(after: position).changes
        var shipments: [NativeKey: Fields] = [:]
        for change in told where change.fields?["sale"] == order.fields["id"] && change.event.type == "stock.shipment.out" {
            shipments[change.event.key ?? "?"] = change.fields
        }
        #expect(shipments.count == 2, "\(shipments)")
        let done = try #require(shipments[NativeKey(first.keyText ?? "")])
        #expect(done["state"] == "done" && done["lines"]?.array?.map { $0["quantity"] } == [2] && done["effective_date"]?.text != nil)
        let rest = try #require(shipments.first { $0.key.rawValue != first.keyText }?.value)
        #expect(rest["state"] == "waiting" && rest["lines"]?.array?.first?["quantity"] == 3)
        if LiveTryton.version != "6.0" {
            // Series 6.0 knows no state in between, and does not touch the sale.
            let sale = try #require(told.last { $0.event.type == "sale.sale" && $0.event.key == order.key }?.fields)
            #expect(sale["shipment_state"] == "partially shipped" && sale["shipments"]?.array?.count == 2)
        }
        let refused = bench.delivery(.update, "stock.shipment.out", ["state": "done"], reference: "x", key: "1", token: "1-0")
        #expect(try await bench.apply(refused).rule == "read-only")
    }

    @Test("A credit note says so and has amounts above zero; a paid invoice tells its payments")
    func creditNote() async throws {
        let bench = try TrytonBench()
        let customer = try await bench.customer("Returned")
        let order = try await bench.create("sale.sale", bench.order(customer, try await bench.product("RE"), quantity: -2), "returned")
        let key = try #require(order.fields["invoices"]?.array?.first?["id"]?.keyText)
        let read = try await bench.driver.read([ReadRequest(native: "account.invoice", company: nil, key: NativeKey(key))])
        let note = try #require(read.first ?? nil).fields
        #expect(note["kind"] == "credit_note" && note["total_amount"] == 60 && note["untaxed_amount"] == 50 && note["tax_amount"] == 10)
        #expect(note["lines"]?.array?.first?["quantity"] == 2 && note["lines"]?.array?.first?["unit_price"] == 25, "\(note)")

        let page = try await bench.driver.page(native: "account.invoice", company: nil, after: nil, limit: 1)
        let paid = try #require(page.documents.first).fields
        #expect(paid["kind"] == "invoice" && paid["state"] == "paid" && paid["paid_amount"] == 120)
        #expect(paid["total_amount"] == 120 && paid["amount_to_pay"] == 0)
        #expect(paid["payments"]?.array?.map { $0["amount"] } == [120] && paid["paid_date"] == paid["invoice_date"], "\(paid)")
    }

    @Test("Where a person is to be asked, the order waits as a quotation, is told to nobody, and goes on when they have answered")
    func asked() async throws {
        let bench = try TrytonBench(["warnings": "ask"])
        let customer = try await bench.customer("Asked", ["credit_limit_amount": 10])
        let product = try await bench.product("AS")
        let delivery = bench.delivery(
            .create, "sale.sale", bench.order(customer, product, quantity: 2), reference: bench.reference("asked"))
        let position = try await bench.present()
        func isWaiting(_ answer: Answer) -> Bool {
            guard case .later(let delay, let reason) = answer else { return false }
            return delay >= .seconds(1) && reason.contains("credit_limit_amount") && reason.contains("credit limit")
        }
        let first = try await bench.apply(delivery)
        #expect(isWaiting(first), "\(first)")
        let again = try await bench.apply(delivery)
        #expect(isWaiting(again), "\(again)")
        #expect(!(try await bench.changes(after: position).changes.contains { $0.event.type == "sale.sale" }))
        let sales = try await bench.work().rows(
            "sale.sale", [["party", "=", .id(try #require(Int64(customer.key.rawValue)))]], ["state"])
        #expect(sales.count == 1 && sales.first?["state"] == "quotation")

        // A person in Tryton says yes.
        let person = try TrytonBench(["warnings": "accept"])
        try await person.person("sale.sale", "confirm", [[.id(try #require(sales.first).id)]])
        let answer = try await bench.apply(delivery)
        #expect(answer.isWritten && answer.document?.fields["state"] == "processing", "\(answer)")
        #expect(try await bench.apply(delivery).isUnchanged)
    }

    @Test(
        "An order that a person confirms and Tryton's queue cannot process is told with the reason",
        .enabled(if: LiveTryton.version != "6.0", "series 6.0 keeps no list of errors"))
    func queued() async throws {
        let bench = try TrytonBench(["orders": "quotation", "accountCategory": ""])
        let product = try await bench.product("QU")
        let order = try await bench.create("sale.sale", bench.order(try await bench.customer("Queued"), product, quantity: 1), "queued")
        #expect(order.fields["state"] == "quotation" && order.fields["failure"] == .null)
        let position = try await bench.present()
        try await bench.person("sale.sale", "confirm", [[order.fields["id"] ?? .null]])
        // The queue does its work after the answer: nobody touches the sale again, and it is told once more.
        var told: [CapturedChange] = []
        var reached: String? = position
        for _ in 0..<50 where told.last?.fields?["failure"]?.text == nil {
            try await Task.sleep(for: .milliseconds(100))
            let look = try await bench.changes(after: reached)
            told += look.changes.filter { $0.event.key == order.key && $0.event.type == "sale.sale" }
            reached = look.position
        }
        let last = try #require(told.last)
        #expect(last.fields?["state"] == "confirmed" && last.fields?["failure"]?.text?.contains("Account Category") == true, "\(last)")
        let before = try await bench.work().rows("sale.sale", [["id", "=", order.fields["id"] ?? .null]], ["_timestamp"]).first
        let confirmed = try #require(before?["_timestamp"]?.text.flatMap(Timestamp.microseconds))
        #expect(try #require(last.event.position).major > confirmed, "behind what was told when it was confirmed")
    }

    @Test("An account is a company's terms of a party, told and written apart from it")
    func accounts() async throws {
        let plain = try TrytonBench()
        let company = try #require(try await plain.work().company)
        let driver = try LiveTryton.driver(["accounts": "yes"], LiveTryton.acquaintance, companies: ["fr": String(company)])
        let bench = TrytonBench(driver)
        let customer = try await plain.customer("Trading")
        let position = try await bench.present()
        func apply(_ operation: Delivery.Operation, _ fields: Fields, token: VersionToken? = nil) async throws -> Answer {
            var delivery = bench.delivery(
                operation, "party.account", fields, reference: bench.reference("account"), key: operation == .create ? nil : customer.key,
                token: token)
            delivery.company = String(company)
            return try await bench.apply(delivery)
        }
        let made = try #require(
            try await apply(
                .create, ["party": .string(customer.key.rawValue), "credit_limit_amount": 700, "customer_payment_term": "30 days"]
            )
            .document)
        #expect(made.key == customer.key && made.fields["credit_limit_amount"] == 700 && made.fields["company"] == .id(company))
        #expect(made.fields["currency"] == "EUR" && made.fields["customer_payment_term"] == "30 days")
        let changed = try await apply(.update, ["credit_limit_amount": 800], token: made.token)
        #expect(changed.isWritten && changed.document?.fields["credit_limit_amount"] == 800)
        #expect(try await apply(.update, ["credit_limit_amount": 900], token: made.token) == .changed)
        let told = try await bench.changes(after: position).changes.last {
            $0.event.type == "party.account" && $0.event.key == customer.key
        }
        #expect(told?.event.company == String(company) && told?.fields?["credit_limit_amount"] == 800)
        #expect(try await apply(.create, ["party": "999999999"]).rule == "unknown-customer")
        // A create that comes again undoes nothing that people have done since.
        try await bench.edit("party.party", customer.key, ["credit_limit_amount": 5000])
        let again = try await apply(.create, ["party": .string(customer.key.rawValue), "customer_payment_term": .null])
        #expect(again.document?.fields["credit_limit_amount"] == 5000, "\(again)")
        #expect(again.document?.fields["customer_payment_term"] == "30 days")
    }

    @Test("Discovery tells fields, lists of codes and rights of what is there")
    func discovery() async throws {
        let bench = try TrytonBench()
        let found = try await bench.driver.discover()
        #expect(found.identity.instance.contains("@2") && found.functions.sorted() == ["credit", "price", "stock", "validate"])
        let sale = try #require(found.types.first { $0.native == "sale.sale" })
        #expect(sale.label?.isEmpty == false && sale.rights == [.read, .create, .update, .delete])
        func field(_ type: DiscoveredType, _ path: String) throws -> DiscoveredField {
            try #require(type.fields.first { $0.path == path }, "\(path)")
        }
        #expect(try field(sale, "state").codes?.contains("quotation") == true && field(sale, "state").kind == .code)
        #expect(try field(sale, "party").kind == .reference && field(sale, "lines.quantity").kind == .number)
        #expect(try field(sale, "payment_term").codes?.contains("30 days") == true)
        #expect(try field(sale, "number").isReadOnly && !field(sale, "reference").isReadOnly && field(sale, "sale_date").kind == .date)
        let party = try #require(found.types.first { $0.native == "party.party" })
        #expect(try field(party, "address.country").codes?.contains("FR") == true && field(party, "email").kind == .text)
        // Whatever the mappings name is there.
        for native in ["party.party", "product.product", "sale.sale", "account.invoice", "stock.shipment.out"] {
            let type = try #require(found.types.first { $0.native == native })
            let known = Set(type.fields.map(\.path))
            let unknown = try MappingTests.paths(native).filter { !known.contains($0) }
            #expect(unknown.isEmpty, "\(native): \(unknown)")
        }
    }
}
