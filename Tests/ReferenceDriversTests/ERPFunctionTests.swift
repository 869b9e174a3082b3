import HubDriver
import HubModel
import ReferenceApplication
import ReferenceERP
import Testing

struct ERPFunctionTests {
    private func says(_ bench: ERPBench, _ function: String, _ arguments: Fields) async throws -> Fields {
        let reply = try await bench.driver.answer(Question(function: function, company: nil, arguments: arguments))
        guard case .says(let fields, let asOf) = reply else { throw DriverError(.protocolViolation, "\(reply)") }
        #expect(asOf == bench.time.now)
        return fields
    }

    @Test func aPriceIsTheListPrice() async throws {
        let bench = try await ERPBench()
        let fields = try await says(
            bench, "price", ["product": .string(bench.article.rawValue), "quantity": .number(Number(2500, scale: 3))])
        #expect(fields["unitPrice"] == 25 && fields["amount"] == .number(Number(6250, scale: 2)) && fields["currency"] == "EUR")
        let wrong: [(Fields, String)] = [
            (["product": "999"], "unknown-product"), (["product": .string(bench.retired.rawValue)], "product-not-saleable"),
            (["product": .string(bench.article.rawValue), "currency": "USD"], "unknown-currency"),
            (["product": .string(bench.article.rawValue), "quantity": 0], "invalid-field"),
            (["product": .string(bench.article.rawValue), "customer": "999"], "unknown-customer"),
        ]
        for (arguments, rule) in wrong {
            let reply = try await bench.driver.answer(Question(function: "price", company: nil, arguments: arguments))
            guard case .refused(let rejection) = reply else {
                Issue.record("\(arguments): \(reply)")
                continue
            }
            #expect(rejection.rule == rule)
        }
    }

    @Test func stockThatOthersHaveOrderedIsNotPromised() async throws {
        let bench = try await ERPBench()
        _ = try await bench.erp.createOrder(bench.order(quantity: 30))
        let product = Value.string(bench.article.rawValue)
        let enough = try await says(bench, "stock", ["product": product, "quantity": 70, "date": "2026-10-01"])
        #expect(enough["onHand"] == 100 && enough["free"] == 70 && enough["promiseDate"] == "2026-10-01")
        let tooMuch = try await says(bench, "stock", ["product": product, "quantity": 71])
        #expect(tooMuch["promiseDate"] == .null)
        let past = try await says(bench, "stock", ["product": product, "quantity": 1, "date": "2020-01-01"])
        #expect(past["promiseDate"] == .string(CalendarDate(bench.time.now).description), "nothing is there before today")
    }

    @Test func creditCountsOrdersInvoicesAndWhatIsOverdue() async throws {
        let bench = try await ERPBench()
        let order = try await bench.erp.createOrder(bench.order(["payment_terms": "30D"], quantity: 4))
        try await bench.erp.confirm(order)
        try await bench.erp.ship(order)
        let invoice = try await bench.erp.invoice(order)
        try await bench.erp.pay(invoice, 40)
        _ = try await bench.erp.createOrder(bench.order(quantity: 10))
        let customer: Fields = ["customer": .string(bench.partner.rawValue)]
        let now = try await says(bench, "credit", customer)
        #expect(now["limit"] == 1000 && now["openOrders"] == 250 && now["unpaid"] == 60 && now["overdue"] == 0, "\(now)")
        #expect(now["verdict"] == "accept" && now["reason"] == .null && now["hold"] == .null)
        let much = try await says(bench, "credit", customer.overlaid(with: ["amount": 691]))
        #expect(much["verdict"] == "refuse" && much["reason"]?.text?.contains("would exceed the credit limit") == true)
        #expect(try await says(bench, "credit", customer.overlaid(with: ["amount": 690]))["verdict"] == "accept")
        bench.time.advance(.seconds(40 * 86_400))
        #expect(try await says(bench, "credit", customer)["overdue"] == 60)
        try await bench.erp.setHold(bench.partner, true)
        let held = try await says(bench, "credit", customer)
        #expect(held["verdict"] == "refuse" && held["hold"]?.text?.contains("on hold") == true)
    }

    @Test func everyViolationIsToldAndNothingIsWritten() async throws {
        let bench = try await ERPBench()
        try await bench.erp.setHold(bench.partner, true)
        try await bench.erp.closePeriod(until: "2026-09-20")
        let events = try bench.erp.file.eventCount()
        let bad = bench.order([
            "sales_person": "NOBODY", "colour": "red",
            "lines": [
                ["article": "999", "quantity": 1], ["article": .string(bench.retired.rawValue), "quantity": 1],
                ["article": .string(bench.article.rawValue), "quantity": 0], ["article": .string(bench.article.rawValue), "quantity": 101],
            ],
        ])
        let told = try await says(bench, "validate", ["order": .object(bad)])
        let rules = told["violations"]?.array?.compactMap { $0["rule"]?.text } ?? []
        #expect(
            rules == [
                "invalid-field", "unknown-sales-person", "closed-period", "invalid-field", "unknown-product", "product-not-saleable",
                "customer-on-hold", "credit-limit", "insufficient-stock",
            ], "\(told)")
        #expect(told["valid"] == false)
        try await bench.erp.setHold(bench.partner, false)
        try await bench.erp.closePeriod(until: nil)
        let good = try await says(bench, "validate", ["order": .object(bench.order())])
        #expect(good["valid"] == true && good["violations"] == [])
        #expect(try bench.erp.file.eventCount() == events + 1, "only the end of the hold")
        let order = try await bench.erp.createOrder(bench.order())
        #expect(try bench.document("sales_order", order).fields["number"] == "SO-000001", "no number was spent")
    }

    @Test func whatIsNoFunctionIsSaid() async throws {
        let bench = try await ERPBench()
        let reply = try await bench.driver.answer(Question(function: "weather", company: nil, arguments: [:]))
        guard case .cannotSay = reply else {
            Issue.record("\(reply)")
            return
        }
    }
}
