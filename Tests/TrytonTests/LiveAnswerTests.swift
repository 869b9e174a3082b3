import HubDriver
import HubModel
import Testing

@testable import Tryton

@Suite("Tryton, live: questions", .serialized, .enabled(if: LiveTryton.isThere))
struct LiveAnswerTests {
    private func ask(_ bench: TrytonBench, _ function: String, _ arguments: Fields) async throws -> FunctionReply {
        try await bench.driver.answer(Question(function: function, company: nil, arguments: arguments))
    }

    private func told(_ reply: FunctionReply) throws -> Fields {
        guard case .says(let fields, let asOf) = reply else {
            Issue.record("\(reply)")
            throw CancellationError()
        }
        #expect(asOf.milliseconds > 1_700_000_000_000)
        return fields
    }

    private func key(_ document: NativeDocument) -> Value { .string(document.key.rawValue) }

    @Test("A price is what Tryton would put into a sale: the customer's list where there is one, the list price besides")
    func price() async throws {
        let bench = try TrytonBench()
        let product = try await bench.product("PR", Number(4000, scale: 2))
        let line: Value = ["formula": .string(LiveTryton.version == "6.0" ? "unit_price * 0.75" : "list_price * 0.75")]
        var values: Fields = ["name": .string("Friends \(bench.run)"), "lines": [["create", [line]]]]
        if LiveTryton.version == "6.0" {
            values["company"] = .id(try #require(try await bench.work().company))
        } else {
            values["price"] = "list_price"
        }
        let list = try await bench.person("product.price_list", "create", [[.object(values)]])
        #expect(list.array?.count == 1)
        let friend = try await bench.customer("Friend", ["sale_price_list": .string("Friends \(bench.run)")])
        let plain = try told(try await ask(bench, "price", ["product": key(product), "quantity": 3]))
        #expect(plain["unitPrice"] == 40 && plain["amount"] == 120 && plain["currency"] == "EUR" && plain["unit"] == "Unit")
        #expect(plain["listPrice"] == 40 && plain["includesTax"] == false)
        let special = try told(
            try await ask(bench, "price", ["product": key(product), "customer": key(friend), "quantity": 2, "date": "2026-11-20"]))
        #expect(special["unitPrice"] == 30 && special["amount"] == 60 && special["listPrice"] == 40)
        for (change, rule) in [
            (["unit": "Kilogram"], "unknown-unit"), (["unit": "Elephant"], "unknown-unit"), (["currency": "XXX"], "unknown-currency"),
            (["customer": "999999999"], "unknown-customer"), (["product": "999999999"], "unknown-product"),
            (["date": "2026-02-30"], "invalid-value"),
        ] as [(Fields, String)] {
            guard case .refused(let rejection) = try await ask(bench, "price", (["product": key(product)] as Fields).overlaid(with: change))
            else {
                Issue.record("\(change) is answered")
                continue
            }
            #expect(rejection.rule == rule && rejection.field == change.names.first, "\(rejection)")
        }
    }

    @Test("Stock is what lies in the warehouses; what orders have promised is not free, and what arrives is promised for its day")
    func stock() async throws {
        let bench = try TrytonBench()
        let product = try await bench.product("ST")
        let empty = try told(try await ask(bench, "stock", ["product": key(product), "quantity": 1]))
        #expect(empty["onHand"] == 0 && empty["free"] == 0 && empty["promiseDate"] == .null && empty["unit"] == "Unit")

        let storage = try #require(try await bench.work().rows("stock.location", [["code", "=", "STO"]], ["code"]).first)
        let inventory = try await bench.person(
            "stock.inventory", "create",
            [
                [
                    [
                        "location": .id(storage.id),
                        "lines": [["create", [["product": .id(Int64(product.key.rawValue) ?? 0), "quantity": 10]]]],
                    ]
                ]
            ])
        try await bench.person("stock.inventory", "confirm", [inventory])
        let customer = try await bench.customer("Stocked")
        _ = try await bench.create("sale.sale", bench.order(customer, product, quantity: 4), "stocked")
        let today = try #require(try await bench.work().today().text)
        let some = try told(try await ask(bench, "stock", ["product": key(product), "quantity": 6, "site": "WH"]))
        #expect(some["onHand"] == 10 && some["free"] == 6 && some["promiseDate"] == .string(today), "\(some)")
        let more = try told(try await ask(bench, "stock", ["product": key(product), "quantity": 7]))
        #expect(more["promiseDate"] == .null)
        let later = try told(try await ask(bench, "stock", ["product": key(product), "quantity": 6, "date": "2031-01-01"]))
        #expect(later["promiseDate"] == "2031-01-01")
        guard case .refused(let rejection) = try await ask(bench, "stock", ["product": key(product), "site": "MOON"]) else {
            Issue.record("a warehouse that is not there")
            return
        }
        #expect(rejection.rule == "unknown-site")
    }

    @Test("What is to come is promised for the first day from which on it is not promised to others")
    func plan() {
        var plan = StockPlan(onHand: 5, today: "2026-11-21")
        plan.add(-3, on: "2026-11-25")
        plan.add(10, on: "2026-11-30")
        plan.add(-1, on: nil)
        plan.add(100, on: nil)
        plan.add(2, on: "2026-11-01")
        #expect(plan.free == 1)
        #expect(plan.firstDay(for: 3, from: nil) == "2026-11-21" && plan.firstDay(for: 4, from: nil) == "2026-11-30")
        #expect(plan.firstDay(for: 3, from: "2026-11-01") == "2026-11-21" && plan.firstDay(for: 3, from: "2026-12-24") == "2026-12-24")
        #expect(plan.firstDay(for: 13, from: nil) == "2026-11-30" && plan.firstDay(for: 14, from: nil) == nil)
        #expect(StockPlan(onHand: 0, today: "2026-11-21").firstDay(for: 0, from: nil) == "2026-11-21")
    }

    @Test("Credit is the rule by which Tryton confirms an order")
    func credit() async throws {
        let bench = try TrytonBench()
        let product = try await bench.product("CR")
        let customer = try await bench.customer("Credit", ["credit_limit_amount": 100, "customer_payment_term": "30 days"])
        let order = try await bench.create("sale.sale", bench.order(customer, product, quantity: 2), "credit")
        let open = try told(try await ask(bench, "credit", ["customer": key(customer), "amount": 50]))
        #expect(open["limit"] == 100 && open["openOrders"] == 50 && open["unpaid"] == 0 && open["overdue"] == 0)
        #expect(open["currency"] == "EUR" && open["terms"] == "30 days" && open["verdict"] == "accept" && open["reason"] == .null)
        let much = try told(try await ask(bench, "credit", ["customer": key(customer), "amount": .number(Number(5001, scale: 2))]))
        #expect(much["verdict"] == "refuse" && much["reason"]?.text?.contains("0.01") == true, "\(much)")
        for amount in ["922337203685477.5807", "1e30"] {
            let huge = try told(
                try await ask(bench, "credit", ["customer": key(customer), "amount": .number(try #require(Number(amount)))]))
            #expect(huge["verdict"] == "refuse" && huge["reason"]?.text?.contains("more than Tryton keeps") == true, "\(huge)")
        }
        // Tryton says the same of an order of that amount.
        let fields = bench.order(customer, product, quantity: 1, price: .number(Number(5001, scale: 2)))
        #expect(
            try await bench.apply(bench.delivery(.create, "sale.sale", fields, reference: bench.reference("over"))).rule == "credit-limit")

        let id = try #require(order.fields["invoices"]?.array?.first?["id"])
        try await bench.person("account.invoice", "post", [[id]])
        let posted = try told(try await ask(bench, "credit", ["customer": key(customer)]))
        #expect(posted["openOrders"] == 0 && posted["unpaid"] == 60 && posted["overdue"] == 0, "\(posted)")
        try await bench.edit("party.party", customer.key, ["active": false])
        let gone = try told(try await ask(bench, "credit", ["customer": key(customer)]))
        #expect(gone["verdict"] == "refuse" && gone["hold"]?.text?.contains("not active") == true)
    }

    @Test("An order is told everything that is wrong with it, nothing is written, and Tryton finds no more")
    func validate() async throws {
        let bench = try TrytonBench()
        let product = try await bench.product("VA")
        let customer = try await bench.customer("Valid", ["credit_limit_amount": 100])
        let sales = try await bench.work().count("sale.sale", [])
        func rules(_ order: Fields) async throws -> [String] {
            let fields = try told(try await ask(bench, "validate", ["order": .object(order)]))
            let rules = (fields["violations"]?.array ?? []).compactMap { $0["rule"]?.text }
            #expect(fields["valid"] == .bool(rules.isEmpty))
            return rules.sorted()
        }
        let good = bench.order(customer, product, quantity: 2)
        #expect(try await rules(good) == [])
        let poor = bench.order(customer, product, quantity: 200)
        #expect(try await rules(poor) == ["credit-limit"])
        var huge = good
        huge["lines"] = .array(
            (1...5).map { ["key": .string("\($0)"), "product": key(product), "quantity": 9_000_000_000_000, "unit_price": 9_000_000] })
        #expect(try await rules(huge) == ["credit-limit"])
        let nowhere = try await bench.create("party.party", ["name": "Nowhere"], "nowhere")
        let bad: Fields = [
            "party": key(nowhere), "nonsense": 1, "number": "7", "sale_date": "2026-02-30", "payment_term": "never",
            "lines": [
                ["key": "a", "product": key(product), "quantity": .number(Number(15, scale: 1)), "unit_price": 25],
                ["key": "b", "product": "999999999", "quantity": 1], ["key": "c", "product": key(product), "quantity": .null],
                ["key": "d", "product": key(product), "quantity": 1, "unit_price": .number(Number(1_234_567, scale: 6))],
            ],
        ]
        #expect(
            try await rules(bad) == [
                "invalid-value", "missing-address", "missing-address", "read-only", "required", "too-many-digits", "too-many-digits",
                "unknown-field", "unknown-payment-terms", "unknown-product",
            ])
        #expect(try await bench.work().count("sale.sale", []) == sales)
        for order in [poor, nowhere.fields.isEmpty ? poor : bench.order(nowhere, product, quantity: 1)] {
            let told = try await rules(order)
            let refused = try await bench.apply(bench.delivery(.create, "sale.sale", order, reference: bench.reference("validated"))).rule
            #expect(refused.map { told.contains($0) } == true, "\(told) and \(refused ?? "none")")
        }
    }
}
