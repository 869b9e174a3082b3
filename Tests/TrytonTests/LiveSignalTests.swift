import HubDriver
import HubModel
import SignalTestKit
import Testing

@testable import Tryton

@Suite(
    "Tryton, live: its database signals, its interface tells", .serialized, .enabled(if: LiveTryton.isThere && LiveDatabase.isThere))
struct LiveSignalTests {
    /// Long enough for what would be told twice.
    private static let moment = Duration.milliseconds(500)

    private func quantities(_ fields: Fields?) -> [Value] { fields?["lines"]?.array?.map { $0["quantity"] ?? .null } ?? [] }

    @Test("First all documents are told; then an order whole and once, however many statements its transactions had")
    func orders() async throws {
        let tryton = try TrytonBench()
        let customer = try await tryton.customer("Signalled")
        let product = try await tryton.product("SG")
        try await LiveDatabase.signal(natives: ["product.product"]).run { bench in
            let ear = bench.ear
            try await ear.hear("product.product", product.key, .snapshot) { $0["name"] == "SG" }
            try await ear.present()
            bench.natives = nil
            try await bench.restart()

            // The hub's own order takes a dozen transactions, and is told when the hub has finished it.
            let order = try await tryton.longOrder(customer, product, "signalled")
            let first = try await ear.hear("sale.sale", order.key)
            #expect(first.event.reference == order.reference && first.event.token != nil)
            try await ear.wait(Self.moment)
            let told = ear.changes("sale.sale", order.key)
            #expect(told.allSatisfy { quantities($0.fields) == [1, 2, 3] && $0.fields?["state"] == "processing" }, "\(told.count)")

            // A person's in one call.
            ear.forget()
            let copy = try await tryton.copy(order)
            try await ear.hear("sale.sale", copy)
            try await ear.wait(Self.moment)
            let copies = ear.changes("sale.sale", copy)
            #expect(
                copies.count == 1 && quantities(copies.first?.fields) == [1, 2, 3] && copies.first?.event.reference == nil, "\(copies)")

            // A line that goes by itself, and then the whole.
            ear.forget()
            let line = try #require(copies.first?.fields?["lines"]?.array?.first?["id"])
            try await tryton.person("sale.line", "delete", [[line]])
            let shorter = try await ear.hear("sale.sale", copy)
            #expect(quantities(shorter.fields) == [2, 3])
            let key = Value.id(try #require(Int64(copy.rawValue)))
            try await tryton.person("sale.sale", "cancel", [[key]])
            try await tryton.person("sale.sale", "delete", [[key]])
            #expect(try await ear.hear("sale.sale", copy, .delete).fields == nil)
            #expect(ear.disorder.isEmpty)
        }
    }

    @Test("What SQL does behind Tryton's back is told when its transaction ends")
    func behind() async throws {
        let tryton = try TrytonBench()
        let order = try await tryton.longOrder(try await tryton.customer("Behind"), try await tryton.product("BH"), "behind")
        let copy = try await tryton.copy(order)
        try await LiveDatabase.signal(natives: ["sale.sale"]).run { bench in
            let ear = bench.ear
            try await bench.skipPresent()
            try bench.sql("UPDATE sale_sale SET description = 'By hand' WHERE id = \(copy)")
            let before = try await ear.hear("sale.sale", copy)
            try await ear.wait(Self.moment)
            ear.forget()
            try bench.sql("BEGIN; UPDATE sale_line SET quantity = quantity + 10 WHERE sale = \(copy) AND quantity = 1")
            try await ear.wait(Self.moment)
            #expect(ear.told.isEmpty)
            try bench.sql("UPDATE sale_line SET quantity = quantity + 10 WHERE sale = \(copy) AND quantity < 10; COMMIT")
            let changed = try await ear.hear("sale.sale", copy)
            try await ear.wait(Self.moment)
            #expect(quantities(changed.fields) == [11, 12, 13] && ear.changes("sale.sale", copy).count == 1)
            #expect(changed.event.token == before.event.token, "Tryton's moment of change has not moved")
            #expect(try #require(changed.event.position) > #require(before.event.position), "and the place in the feed has")
        }
    }

    @Test("Whatever belongs to a document tells of it: addresses, templates, prices, an order's invoice and shipment")
    func parts() async throws {
        let tryton = try TrytonBench()
        let customer = try await tryton.customer("Parted")
        let product = try await tryton.product("PT")
        let order = try await tryton.longOrder(customer, product, "parted")
        try await LiveDatabase.signal().run { bench in
            let ear = bench.ear
            try await bench.skipPresent()
            let address = try #require(customer.fields["address"]?["id"]?.integer)
            try await tryton.edit("party.address", NativeKey(String(address)), ["city": "Metz"])
            let edited = try await ear.hear("party.party", customer.key)
            #expect(edited.fields?["address"]?["city"] == "Metz" && edited.event.reference == customer.reference)

            let template = try #require(product.fields["template"]?.keyText)
            try await tryton.edit("product.template", NativeKey(template), ["name": "Renamed"])
            try await ear.hear("product.product", product.key) { $0["name"] == "Renamed" }
            ear.forget()
            try bench.sql("UPDATE product_list_price SET list_price = 26.5 WHERE template = \(template)")
            let priced = try await ear.hear("product.product", product.key)
            #expect(priced.fields?["list_price"]?.number == Number(265, scale: 1), "\(priced)")

            let invoice = try #require(order.fields["invoices"]?.array?.first?["id"])
            let invoiceKey = NativeKey(invoice.keyText ?? "")
            try await tryton.person("account.invoice", "post", [[invoice]])
            let awaiting = LiveTryton.version == "6.0" ? "waiting" : "awaiting payment"
            try await ear.hear("sale.sale", order.key) { $0["invoice_state"] == .string(awaiting) }
            let posted = try await ear.hear("account.invoice", invoiceKey) { $0["state"] == "posted" }
            #expect(posted.fields?["sale"] == order.fields["id"])

            // The invoice alone, behind Tryton's back: both documents are told.
            try await ear.wait(Self.moment)
            ear.forget()
            try bench.sql("UPDATE account_invoice SET description = 'By hand' WHERE id = \(invoiceKey)")
            #expect(try await ear.hear("account.invoice", invoiceKey).fields?["description"] == "By hand")
            try await ear.hear("sale.sale", order.key)
            // So is what leaves for the customer.
            ear.forget()
            let shipment = NativeKey(try #require(order.fields["shipments"]?.array?.first?["id"]?.keyText))
            try bench.sql("UPDATE stock_shipment_out SET reference = 'Parcel 7' WHERE id = \(shipment)")
            #expect(try await ear.hear("stock.shipment.out", shipment).fields?["reference"] == "Parcel 7")
            try await ear.hear("sale.sale", order.key)
            #expect(ear.disorder.isEmpty)
        }
    }

    @Test("A restart in the middle loses nothing; a slot that was dropped is said, and made good by reading and comparing")
    func interrupted() async throws {
        let tryton = try TrytonBench()
        try await LiveDatabase.signal(natives: ["party.party"]).run { bench in
            let ear = bench.ear
            try await bench.skipPresent()
            var parties: [NativeDocument] = []
            for name in ["one", "two", "three", "four", "five", "six"] { parties.append(try await tryton.customer(name)) }
            while ear.told.isEmpty { try await ear.look(2) }
            #expect(ear.told.count < parties.count)
            var made: Value = .null
            try await bench.restart { made = try await tryton.person("party.party", "create", [[["name": "Lonely"]]]) }
            let lonely = NativeKey(String(try #require(made.array?.first?.integer)))
            for party in parties { try await ear.hear("party.party", party.key) }
            try await ear.hear("party.party", lonely)

            ear.forget()
            try await bench.restart {
                try await bench.dropSlot()
                try await tryton.edit("party.party", parties[0].key, ["name": "Missed"])
                try await tryton.person("party.party", "delete", [made])
            }
            let error = await #expect(throws: DriverError.self) { try await ear.look() }
            #expect(
                error?.message.contains("is gone") == true && error?.message.contains("comparing keys") == true, "\(error?.message ?? "")")
            let missed = try await ear.hear("party.party", parties[0].key, .snapshot)
            #expect(missed.fields?["name"] == "Missed")
            try await ear.hear("party.party", lonely, .delete)
            #expect(ear.changes("party.party", lonely).count == 1)
            #expect(ear.disorder.isEmpty)
            ear.forget()
            try await tryton.edit("party.party", parties[1].key, ["name": "Goes on"])
            try await ear.hear("party.party", parties[1].key)
        }
    }

    @Test("A change is told within moments, and a person sees how the slot does")
    func latency() async throws {
        let tryton = try TrytonBench()
        let customer = try await tryton.customer("Quick")
        try await LiveDatabase.signal(natives: ["party.party"]).run { bench in
            try await bench.skipPresent()
            var times: [Duration] = []
            for round in 1...20 {
                let begun = ContinuousClock.now
                try bench.sql("UPDATE party_party SET name = 'Quick \(round)' WHERE id = \(customer.key)")
                try await bench.ear.hear("party.party", customer.key) { $0["name"] == .string("Quick \(round)") }
                times.append(ContinuousClock.now - begun)
            }
            times.sort()
            print("Tryton by signal: from commit to change \(times[times.count / 2]) in the middle, \(times[times.count - 1]) at most")
            #expect(times[times.count / 2] < .milliseconds(1000), "half of what lies between two looks by polling")
            let details = try await bench.ear.feed.probe().details
            #expect(details.contains { $0.hasPrefix("signal: slot \(bench.slot)") && $0.contains("streaming") }, "\(details)")
            #expect(details.contains { $0.hasPrefix("signal: max_slot_wal_keep_size") })
            #expect(!details.contains { $0.contains("no right to") }, "\(details)")
        }
    }
}
