import HubDriver
import HubModel
import Testing

@testable import Tryton

@Suite("Tryton, live: orders", .serialized, .enabled(if: LiveTryton.isThere))
struct LiveOrderTests {
    @Test("An order goes through quote, confirm and process, and its state is read back")
    func processed() async throws {
        let bench = try TrytonBench()
        let customer = try await bench.customer("Buyer", ["customer_payment_term": "30 days"])
        let product = try await bench.product("W")
        let order = try await bench.create("sale.sale", bench.order(customer, product, quantity: 2), "order")
        #expect(order.fields["state"] == "processing" && order.fields["payment_term"] == "30 days")
        #expect(order.fields["total_amount"]?.number?.description == "60.00", "\(order.fields)")
        #expect(order.fields["sale_date"] == "2026-11-20" && order.fields["reference"] == "PO-1")
        #expect(order.fields["lines"]?.array?.first?["key"] == "a")
        #expect(order.reference == bench.reference("order"))
        let found = try await bench.driver.lookUp([LookUp(native: "sale.sale", company: nil, reference: bench.reference("order"))])
        #expect(found.first?.map(\.key) == [order.key])
        // Afterwards only what nobody has acted on changes.
        let noted = try await bench.update("sale.sale", order, ["reference": "PO-2"])
        #expect(noted.isWritten && noted.document?.fields["reference"] == "PO-2")
        let document = try #require(noted.document)
        #expect(try await bench.update("sale.sale", document, ["sale_date": "2026-11-21"]).rule == "illegal-transition")
        #expect(try await bench.update("sale.sale", document, ["state": "cancelled"]).rule == "illegal-transition")
        let delete = bench.delivery(.delete, "sale.sale", reference: bench.reference("order"), key: order.key, token: document.token)
        #expect(try await bench.apply(delete).rule == "illegal-transition")
        // A person's duplicate carries no reference.
        let copy = try await bench.person("sale.sale", "copy", [[.id(try #require(Int64(order.key.rawValue)))]])
        let copied = try #require(copy.array?.first?.integer)
        let read = try await bench.driver.read([ReadRequest(native: "sale.sale", company: nil, key: NativeKey(String(copied)))])
        #expect(try #require(read.first ?? nil).reference == nil)
    }

    @Test("An order over the credit limit is refused and leaves nothing; where the policy accepts it is taken")
    func creditLimit() async throws {
        let bench = try TrytonBench()
        let customer = try await bench.customer("Poor", ["credit_limit_amount": 100])
        let product = try await bench.product("C")
        let fields = bench.order(customer, product, quantity: 50)
        let refused = try await bench.apply(bench.delivery(.create, "sale.sale", fields, reference: bench.reference("big")))
        #expect(refused.rule == "credit-limit", "\(refused)")
        let left = try await bench.work().count("sale.sale", [["party", "=", .id(try #require(Int64(customer.key.rawValue)))]])
        #expect(left == 0)
        let small = try await bench.create("sale.sale", bench.order(customer, product, quantity: 1), "small")
        #expect(small.fields["state"] == "processing")

        let mild = try TrytonBench(["warnings": "credit_limit_amount"])
        let accepted = try await mild.create("sale.sale", fields, "accepted")
        #expect(accepted.fields["state"] == "processing")
    }

    @Test("An order that a lost answer left half made is not told, and finished by the next call")
    func resumed() async throws {
        let bench = try TrytonBench()
        let customer = try await bench.customer("Half")
        let product = try await bench.product("H")
        let start = try await bench.present()
        // What a crash leaves behind: the sale with the hub's note, its workflow not begun.
        var mark = OrderMark()
        mark.isUnfinished = true
        let half = try TrytonBench(["orders": "draft"])
        var made = try await half.create("sale.sale", bench.order(customer, product, quantity: 3), "half")
        let row = try #require(
            try await half.work().rows("sale.sale", [["id", "=", .id(Int64(made.key.rawValue) ?? 0)]], ["attachments"]).first)
        let attachment = try #require(row["attachments"]?.array?.first?.integer)
        try await bench.person("ir.attachment", "write", [[.id(attachment)], ["description": .string(mark.text)]])
        try await bench.edit("sale.sale", made.key, ["comment": "touched"])

        #expect(try await bench.driver.lookUp([LookUp(native: "sale.sale", company: nil, reference: half.reference("half"))]) == [[]])
        #expect(try await bench.driver.tell([ReadRequest(native: "sale.sale", company: nil, key: made.key)]) == [nil])
        let feed = try await bench.changes(after: start)
        #expect(!feed.changes.contains { $0.event.type == "sale.sale" && $0.event.key == made.key })

        let answer = try await bench.apply(
            bench.delivery(.create, "sale.sale", bench.order(customer, product, quantity: 3), reference: half.reference("half")))
        #expect(answer.isWritten && answer.document?.key == made.key, "\(answer)")
        made = try #require(answer.document)
        #expect(made.fields["state"] == "processing" && made.fields["lines"]?.array?.first?["key"] == "a")
        let told = try await bench.changes(after: feed.position).changes
        #expect(told.contains { $0.event.key == made.key && $0.event.type == "sale.sale" && $0.event.reference == half.reference("half") })
    }

    @Test("What people take further while a create is half done is not taken back")
    func takenFurther() async throws {
        let bench = try TrytonBench(["orders": "quotation"])
        let (customer, product) = (try await bench.customer("Further"), try await bench.product("FU"))
        let fields = bench.order(customer, product, quantity: 3)
        let made = try await bench.create("sale.sale", fields, "further")
        let id = Value.id(try #require(Int64(made.key.rawValue)))
        let row = try #require(try await bench.work().rows("sale.sale", [["id", "=", id]], ["attachments"]).first)
        var mark = OrderMark()
        mark.isUnfinished = true
        let attachment = try #require(row["attachments"]?.array?.first)
        try await bench.person("ir.attachment", "write", [[attachment], ["description": .string(mark.text)]])
        try await bench.person("sale.sale", "confirm", [[id]])

        let answer = try await bench.apply(bench.delivery(.create, "sale.sale", fields, reference: bench.reference("further")))
        #expect(answer.isWritten && answer.document?.key == made.key, "\(answer)")
        #expect(["confirmed", "processing"].contains(answer.document?.fields["state"]?.text), "\(answer)")
    }

    @Test("A draft's lines are changed, added and removed by the hub's names of them; cancelled and deleted")
    func draft() async throws {
        let bench = try TrytonBench(["orders": "draft"])
        let customer = try await bench.customer("Drafty")
        let product = try await bench.product("D")
        let other = try await bench.product("E", Number(5))
        let id = Value.string(product.key.rawValue)
        var fields = bench.order(customer, product, quantity: 1)
        fields["lines"] = [
            ["key": "a", "product": id, "quantity": 1, "unit_price": 25], ["key": "b", "product": id, "quantity": 2, "unit_price": 24],
        ]
        let made = try await bench.create("sale.sale", fields, "draft")
        #expect(made.fields["state"] == "draft")
        let lines: Value = [
            ["key": "b", "product": id, "quantity": 7, "unit_price": .number(Number(241_234, scale: 4))],
            ["key": "c", "product": .string(other.key.rawValue), "quantity": 1],
        ]
        let answer = try await bench.update("sale.sale", made, ["lines": lines])
        let after = try #require(answer.document, "\(answer)")
        let told = after.fields["lines"]?.array ?? []
        #expect(told.map { $0["key"] } == ["b", "c"])
        #expect(told.first?["unit_price"]?.number?.description == "24.1234" && told.first?["quantity"] == 7)
        #expect(told.last?["unit_price"] == 5, "the list price, as none was given")
        #expect(try await bench.update("sale.sale", after, ["lines": lines]).isUnchanged)
        let cancelled = try await bench.update("sale.sale", after, ["state": "cancelled"])
        #expect(cancelled.document?.fields["state"] == "cancelled", "\(cancelled)")
        let token = try #require(cancelled.document?.token)
        let gone = try await bench.apply(
            bench.delivery(.delete, "sale.sale", reference: bench.reference("draft"), key: made.key, token: token))
        #expect(gone.isWritten && gone.document?.isDeleted == true)
        #expect(try await bench.driver.read([ReadRequest(native: "sale.sale", company: nil, key: made.key)]) == [nil])
    }

    @Test("Orders that name nobody or nothing are refused")
    func refusals() async throws {
        let bench = try TrytonBench()
        let customer = try await bench.customer("Wrong")
        let product = try await bench.product("X")
        func rule(_ change: Fields) async throws -> String? {
            let fields = bench.order(customer, product, quantity: 1).overlaid(with: change)
            return try await bench.apply(bench.delivery(.create, "sale.sale", fields, reference: bench.reference("wrong"))).rule
        }
        #expect(try await rule(["party": "999999999"]) == "unknown-customer")
        #expect(try await rule(["lines": [["key": "a", "product": "999999999", "quantity": 1]]]) == "unknown-product")
        #expect(
            try await rule(["lines": [["key": "a", "product": .string(product.key.rawValue), "quantity": .number(Number(15, scale: 1))]]])
                == "too-many-digits")
        #expect(try await rule(["sale_date": "2026-02-30"]) == "invalid-value")
        #expect(try await rule(["number": "7"]) == "read-only")
    }
}
