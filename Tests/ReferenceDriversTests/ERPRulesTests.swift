import HubDriver
import HubModel
import ReferenceApplication
import ReferenceERP
import Testing

struct ERPRulesTests {
    @Test func normalisesAndCompletes() async throws {
        let bench = try await ERPBench()
        let acme = try bench.document("partner", bench.partner)
        #expect(acme.fields["code"] == "ACME" && acme.fields["on_hold"] == false && acme.fields["vat"] == .null)
        let key = try await bench.erp.createPartner(["name": "  Beta ", "credit_limit": .number(Number(100_005, scale: 3))])
        let beta = try bench.document("partner", key)
        #expect(beta.fields["name"] == "Beta" && beta.fields["code"] == "P-000001")
        #expect(beta.fields["credit_limit"]?.number?.description == "100.01")
        let order = try await bench.erp.createOrder(bench.order(quantity: .number(Number(15, scale: 1))))
        let told = try bench.document("sales_order", order)
        #expect(told.fields["total"]?.number?.description == "37.50")
        #expect(told.fields["lines"]?.array?.first?["unit_price"]?.number?.description == "25.0000")
        #expect(told.fields["status"] == "draft" && told.fields["number"] == "SO-000001")
        let priced: Fields = ["lines": [["line_no": "9", "article": .string(bench.article.rawValue), "quantity": 1, "unit_price": 20]]]
        try await bench.erp.editOrder(order, priced)
        #expect(try bench.document("sales_order", order).fields["total"] == 20)
    }

    @Test func refusesWhatIsMissingWrongOrTwice() async throws {
        let bench = try await ERPBench()
        let erp = bench.erp
        await expectRefused("missing-field") { _ = try await erp.createPartner(["name": "  "]) }
        await expectRefused("missing-field") { _ = try await erp.createOrder(bench.order(["lines": []])) }
        await expectRefused("invalid-field") { _ = try await erp.createPartner(["name": "B", "credit_limit": "much"]) }
        await expectRefused("invalid-field") { _ = try await erp.createPartner(["name": "B", "colour": "red"]) }
        await expectRefused("invalid-field") { _ = try await erp.createOrder(bench.order(["order_date": "2026-02-30"])) }
        await expectRefused("invalid-field") { _ = try await erp.createOrder(bench.order(quantity: 0)) }
        await expectRefused("duplicate-code") { _ = try await erp.createPartner(["name": "B", "code": " Acme"]) }
        await expectRefused("unknown-payment-terms") { try await erp.editPartner(bench.partner, ["payment_terms": "90D"]) }
        await expectRefused("read-only") { _ = try await erp.createOrder(bench.order(["total": 1])) }
        #expect(try erp.file.eventCount() == 3)
    }

    @Test func refusesOrders() async throws {
        let bench = try await ERPBench()
        let erp = bench.erp
        let line: (NativeKey) -> Value = { [["article": .string($0.rawValue), "quantity": 1]] }
        await expectRefused("unknown-customer") { _ = try await erp.createOrder(bench.order(["partner": "999"])) }
        await expectRefused("unknown-customer") {
            _ = try await erp.createOrder(bench.order(["partner": .string(bench.article.rawValue)]))
        }
        await expectRefused("unknown-sales-person") { _ = try await erp.createOrder(bench.order(["sales_person": "ZOE"])) }
        await expectRefused("unknown-shipping-method") { _ = try await erp.createOrder(bench.order(["shipping_method": "SHIP"])) }
        await expectRefused("unknown-payment-terms") { _ = try await erp.createOrder(bench.order(["payment_terms": "90D"])) }
        await expectRefused("unknown-product") { _ = try await erp.createOrder(bench.order(["lines": line("999")])) }
        await expectRefused("product-not-saleable") { _ = try await erp.createOrder(bench.order(["lines": line(bench.retired)])) }
        try await erp.closePeriod(until: "2026-09-20")
        await expectRefused("closed-period") { _ = try await erp.createOrder(bench.order()) }
        try await erp.closePeriod(until: nil)
        try await erp.setHold(bench.partner, true)
        await expectRefused("customer-on-hold") { _ = try await erp.createOrder(bench.order()) }
        try await erp.setHold(bench.partner, false)
        _ = try await erp.createOrder(bench.order(["sales_person": "ANNA", "shipping_method": "ROAD", "payment_terms": "30D"]))
        await expectRefused("in-use") { try await erp.deletePartner(bench.partner) }
    }

    @Test func creditCountsOpenOrdersAndUnpaidInvoices() async throws {
        let bench = try await ERPBench()
        let erp = bench.erp
        let first = try await erp.createOrder(bench.order(quantity: 30))  // 750 of 1,000
        await expectRefused("credit-limit") { _ = try await erp.createOrder(bench.order(quantity: 11)) }
        let second = try await erp.createOrder(bench.order(quantity: 10))
        await expectRefused("credit-limit") { try await erp.editOrder(second, bench.order(quantity: 11)) }
        try await erp.cancel(second)
        try await erp.confirm(first)
        try await erp.ship(first)
        let invoice = try await erp.invoice(first)
        await expectRefused("credit-limit") { _ = try await erp.createOrder(bench.order(quantity: 11)) }
        try await erp.pay(invoice, 500)
        _ = try await erp.createOrder(bench.order(quantity: 11))
        try await erp.editPartner(bench.partner, ["credit_limit": .null])
        _ = try await erp.createOrder(bench.order(quantity: 50))
    }

    @Test func openOrdersReserveStock() async throws {
        let bench = try await ERPBench()
        let erp = bench.erp
        try await erp.editPartner(bench.partner, ["credit_limit": 0])
        let first = try await erp.createOrder(bench.order(quantity: 60))
        await expectRefused("insufficient-stock") { _ = try await erp.createOrder(bench.order(quantity: 41)) }
        try await erp.confirm(first)
        try await erp.ship(first, ["1": 20])
        #expect(try bench.document("article", bench.article).fields["stock"] == 80)
        await expectRefused("insufficient-stock") { _ = try await erp.createOrder(bench.order(quantity: 41)) }
        _ = try await erp.createOrder(bench.order(quantity: 40))
    }

    @Test func theWayOfAnOrder() async throws {
        let bench = try await ERPBench()
        let erp = bench.erp
        let order = try await erp.createOrder(bench.order(["payment_terms": "30D"], quantity: 4))
        await expectRefused("illegal-transition") { try await erp.ship(order) }
        await expectRefused("illegal-transition") { try await erp.editOrder(order, ["status": "paid"]) }
        try await erp.confirm(order)
        await expectRefused("invalid-field") { try await erp.ship(order, ["1": 5]) }
        try await erp.ship(order, ["1": 1])
        #expect(try bench.document("sales_order", order).fields["status"] == "partly_shipped")
        await expectRefused("illegal-transition") { try await erp.editOrder(order, ["order_date": "2026-09-21"]) }
        await expectRefused("illegal-transition") { try await erp.cancel(order) }
        try await erp.editOrder(order, ["customer_reference": "PO 7"])
        await expectRefused("illegal-transition") { _ = try await erp.invoice(order) }
        try await erp.ship(order)
        let invoice = try await erp.invoice(order)
        let posted = try bench.document("invoice", invoice).fields
        #expect(posted["date"] == "2026-09-21" && posted["due_date"] == "2026-10-21")
        #expect(posted["total"] == 100 && posted["status"] == "posted")
        await expectRefused("posted-invoice") { try await erp.edit("invoice", invoice, ["total": 1]) }
        await expectRefused("posted-invoice") { try await erp.delete("invoice", invoice) }
        await expectRefused("posted-invoice") { try await erp.editOrder(order, ["order_date": "2026-09-21"]) }
        await expectRefused("invalid-field") { try await erp.pay(invoice, 101) }
        try await erp.pay(invoice, 40)
        try await erp.pay(invoice)
        #expect(try bench.document("invoice", invoice).fields["status"] == "paid")
        #expect(try bench.document("sales_order", order).fields["status"] == "paid")
        await expectRefused("in-use") { try await erp.delete("sales_order", order) }
    }

    @Test func closedBooksRefuseInvoices() async throws {
        let bench = try await ERPBench()
        let order = try await bench.erp.createOrder(bench.order(["status": "confirmed"]))
        try await bench.erp.ship(order)
        try await bench.erp.closePeriod(until: "2026-09-30")
        let events = try bench.erp.file.eventCount()
        await expectRefused("closed-period") { _ = try await bench.erp.invoice(order) }
        #expect(try bench.erp.file.eventCount() == events)
    }

    @Test func aRepeatedListKeepsWhatWasShipped() async throws {
        let bench = try await ERPBench()
        let order = try await bench.erp.createOrder(bench.order(["status": "confirmed"], quantity: 4))
        try await bench.erp.ship(order, ["1": 1])
        let document = try bench.document("sales_order", order)
        let lines: Value = [["line_no": "1", "article": .string(bench.article.rawValue), "quantity": 4, "unit_price": 25]]
        let answer = try await bench.driver.apply(
            delivery(.update, "sales_order", ["lines": lines], key: order, token: document.token))
        #expect(answer == .unchanged(document))
    }
}
