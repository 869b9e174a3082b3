import HubDriver
import HubModel
import Testing

@testable import Tryton

@Suite("Tryton, live: the feed", .serialized, .enabled(if: LiveTryton.isThere))
struct LiveFeedTests {
    @Test("The feed tells creations, edits of any part, archiving and deletion; the same position tells the same again")
    func feed() async throws {
        let bench = try TrytonBench()
        let start = try await bench.changes(after: nil)
        #expect(start.changes.contains { $0.event.type == "account.invoice" && $0.fields?["state"] == "paid" })
        let position = try #require(start.position)
        #expect(try await bench.driver.capture(after: position, limit: 50).changes.isEmpty)

        let customer = try await bench.customer("Fed")
        let product = try await bench.product("F")
        var batch = try await bench.changes(after: position)
        #expect(
            batch.changes.contains {
                $0.event.key == customer.key && $0.event.reference == customer.reference && $0.event.token == customer.token
            })
        #expect(batch.changes.contains { $0.event.key == product.key && $0.event.type == "product.product" })
        let again = try await bench.changes(after: position)
        #expect(again.changes.map(\.event) == batch.changes.map(\.event))

        // By hand, beside the party: the address alone.
        let address = try #require(customer.fields["address"]?["id"]?.integer)
        try await bench.edit("party.address", NativeKey(String(address)), ["city": "Metz"])
        batch = try await bench.changes(after: batch.position)
        let edited = try #require(batch.changes.first { $0.event.key == customer.key })
        #expect(edited.fields?["address"]?["city"] == "Metz" && batch.changes.count == 1)
        #expect(try #require(edited.event.position) > #require(customer.stamp))

        // The price, on the template.
        try await bench.edit("product.template", NativeKey(product.fields["template"]?.keyText ?? ""), ["name": "Renamed"])
        batch = try await bench.changes(after: batch.position)
        #expect(batch.changes.map(\.event.key) == [product.key] && batch.changes.first?.fields?["name"] == "Renamed")

        try await bench.edit("party.party", customer.key, ["active": false])
        batch = try await bench.changes(after: batch.position)
        #expect(batch.changes.map(\.event.operation) == [.delete] && batch.changes.first?.event.key == customer.key)

        let made = try await bench.person("party.party", "create", [[["name": "Short-lived"]]])
        let key = try #require(made.array?.first?.integer)
        batch = try await bench.changes(after: batch.position)
        #expect(batch.changes.map(\.event.key) == [NativeKey(String(key))])
        try await bench.person("party.party", "delete", [[.id(key)]])
        batch = try await bench.changes(after: batch.position)
        #expect(batch.changes.map(\.event.operation) == [.delete] && batch.changes.first?.event.key == NativeKey(String(key)))
    }

    @Test("A person's duplicate of a party does not tell the reference")
    func duplicate() async throws {
        let bench = try TrytonBench()
        let position = try await bench.present()
        let customer = try await bench.customer("Original")
        let copy = try await bench.person("party.party", "copy", [[.id(try #require(Int64(customer.key.rawValue)))]])
        let copied = NativeKey(String(try #require(copy.array?.first?.integer)))
        let told = try await bench.changes(after: position).changes
        #expect(told.first { $0.event.key == customer.key }?.event.reference == customer.reference)
        let duplicate = try #require(told.first { $0.event.key == copied })
        #expect(duplicate.event.reference == nil)
    }

    @Test("Small looks tell the same as large ones, without omissions")
    func small() async throws {
        let bench = try TrytonBench()
        let position = try await bench.present()
        var keys: Set<NativeKey> = []
        for name in ["one", "two", "three", "four", "five"] { keys.insert(try await bench.customer(name).key) }
        var told: [NativeKey] = []
        var reached: String? = position
        while true {
            let batch = try await bench.driver.capture(after: reached, limit: 2)
            if batch.changes.isEmpty { break }
            #expect(batch.changes.count <= 2)
            told += batch.changes.compactMap(\.event.key)
            reached = batch.position
        }
        #expect(Set(told) == keys && told.count == keys.count)
    }

    @Test("Of more changes than one look goes through, none is left out, in whatever order they were made")
    func more() async throws {
        let bench = try TrytonBench()
        let position = try await bench.present()
        var keys: [NativeKey] = []
        for name in ["1", "2", "3", "4", "5", "6", "7"] { keys.append(try await bench.customer("Many \(name)").key) }
        let begun = try await bench.changes(after: position).position
        for key in keys.reversed() { try await bench.edit("party.party", key, ["name": .string("Edited \(bench.run)")]) }
        var settings = bench.driver.settings
        settings.changesAtOnce = 3
        let narrow = TrytonBench(TrytonDriver(settings, LiveTryton.acquaintance))
        var told: Set<NativeKey> = []
        var reached = begun
        for _ in 0..<10 where told.count < keys.count {
            let batch = try await narrow.driver.capture(after: reached, limit: 50)
            told.formUnion(batch.changes.filter { $0.fields?["name"] == .string("Edited \(bench.run)") }.compactMap(\.event.key))
            reached = batch.position
        }
        #expect(told == Set(keys))
        await narrow.driver.close()
    }

    @Test("Paging tells every document once, in the order of keys")
    func paging() async throws {
        let bench = try TrytonBench()
        for name in ["a", "b", "c"] { _ = try await bench.customer(name) }
        var cursor: String?
        var keys: [Int64] = []
        repeat {
            let page = try await bench.driver.page(native: "party.party", company: nil, after: cursor, limit: 2)
            keys += page.documents.compactMap { Int64($0.key.rawValue) }
            cursor = page.next
        } while cursor != nil
        #expect(keys == keys.sorted() && Set(keys).count == keys.count)
        let active = try await bench.work().count("party.party", [["active", "=", true]])
        #expect(Int64(keys.count) == active)
    }

    @Test("Posting an order's invoice in Tryton is told of both, with amounts, days and the order")
    func invoiced() async throws {
        let bench = try TrytonBench()
        let customer = try await bench.customer("Invoiced", ["customer_payment_term": "30 days"])
        let order = try await bench.create("sale.sale", bench.order(customer, try await bench.product("I"), quantity: 2), "invoiced")
        #expect(order.fields["invoiced_amount"] == 0)
        let start = try await bench.present()
        let id = try #require(order.fields["invoices"]?.array?.first?["id"])
        try await bench.person("account.invoice", "post", [[id]])
        let told = try await bench.changes(after: start).changes
        let sale = try #require(told.last { $0.event.key == order.key && $0.event.type == "sale.sale" }?.fields)
        #expect(
            sale["invoiced_amount"] == 60 && sale["invoice_state"] == (LiveTryton.version == "6.0" ? "waiting" : "awaiting payment"),
            "\(sale)")
        let invoice = try #require(told.last { $0.event.type == "account.invoice" }?.fields)
        #expect(invoice["state"] == "posted" && invoice["total_amount"] == 60 && invoice["paid_amount"] == 0)
        let (posted, due) = (try #require(invoice["invoice_date"]?.text), try #require(invoice["due_date"]?.text))
        #expect(posted.utf8.count == 10 && due.precedesInBytes(posted) == false && due != posted)
        #expect(invoice["sale"] == order.fields["id"])
    }
}
