import Foundation
import HubDriver
import HubModel
import PostgreSQL
import SignalTestKit
import Testing

@testable import Odoo

/// Odoo's own database, where the environment names it.
private enum LiveDatabase {
    static let url = ProcessInfo.processInfo.environment["MULTIPOINT_ODOO_DATABASE"]

    /// False, and said so, where there is none.
    static let isThere: Bool = {
        if url == nil {
            print("skipped: signals of Odoo's database, as MULTIPOINT_ODOO_DATABASE names none (scripts/apps/odoo prints it)")
        }
        return url != nil
    }()
}

@Suite("Odoo, live: its database signals, its interface tells", .serialized, .enabled(if: LiveOdoo.isThere && LiveDatabase.isThere))
struct LiveSignalTests {
    private static let moment = Duration.milliseconds(500)

    private func signal() throws -> SignalBench {
        let settings = DriverSettings(application: "odoo", values: [:])
        return try SignalBench(
            try #require(LiveDatabase.url), owner: "odoo", publication: "multipoint_odoo",
            map: try #require(try OdooFactory.signal(settings))
        ) {
            try LiveOdoo().driver
        }
    }

    @Test("An order is told whole and once; a line, a template and what SQL does behind Odoo's back tell of their documents")
    func parts() async throws {
        let odoo = try LiveOdoo()
        let (customer, product) = (try await odoo.customer(), try await odoo.product())
        try await signal().run { bench in
            let ear = bench.ear
            try await ear.hear("res.partner", customer.key, .snapshot) { $0["city"] == "Lyon" }
            try await ear.present()
            // What the hub makes takes three transactions of Odoo's.
            let order = try await odoo.order(customer, product)
            try await ear.hear("sale.order", order.key) { $0["state"] == "sale" }
            try await ear.wait(Self.moment)
            #expect(ear.changes("sale.order", order.key).allSatisfy { $0.fields?["order_line"]?.array?.count == 2 })

            ear.forget()
            try bench.sql("BEGIN; UPDATE sale_order_line SET name = 'engraved' WHERE order_id = \(order.key)")
            try await ear.wait(Self.moment)
            #expect(ear.changes("sale.order", order.key).isEmpty)
            try bench.sql("UPDATE sale_order SET client_order_ref = 'By hand' WHERE id = \(order.key); COMMIT")
            let changed = try await ear.hear("sale.order", order.key)
            #expect(changed.fields?["client_order_ref"] == "By hand" && changed.event.reference == order.reference)
            #expect(changed.event.position == nil, "as by polling: the order of telling serves")
            #expect(changed.fields?["order_line"]?.array?.allSatisfy { $0["name"] == "engraved" } == true)
            try await ear.wait(Self.moment)
            #expect(ear.changes("sale.order", order.key).count == 1)

            ear.forget()
            try bench.sql(
                """
                UPDATE product_template SET list_price = 99 WHERE id = (SELECT product_tmpl_id FROM product_product WHERE id = \(product.key))
                """)
            #expect(try await ear.hear("product.product", product.key).fields?["list_price"]?.number == 99)
        }
    }

    @Test("A merge is told as a change of the one that is left, archiving and deletion as deletions")
    func merged() async throws {
        let odoo = try LiveOdoo()
        let (kept, merged, archived) = (try await odoo.customer("kept"), try await odoo.customer("merged"), try await odoo.customer("old"))
        let lead = try await odoo.created("crm.lead", "lead", ["name": "Signalled", "type": "lead"])
        try await signal().run { bench in
            let ear = bench.ear
            try await bench.skipPresent()
            let keys: Value = [kept.fields["id"] ?? .null, merged.fields["id"] ?? .null]
            let wizard = try await odoo.create(
                "base.partner.merge.automatic.wizard",
                ["partner_ids": [[6, 0, keys]], "dst_partner_id": kept.fields["id"] ?? .null, "state": "selection"])
            try await odoo.act("base.partner.merge.automatic.wizard", "action_merge", NativeKey(String(wizard)))
            try await odoo.write("res.partner", archived.key, ["active": false])
            try await odoo.act("crm.lead", "unlink", lead.key)
            try await ear.hear("res.partner", archived.key, .delete)
            try await ear.hear("crm.lead", lead.key, .delete)
            try await ear.hear("res.partner", kept.key)
            try await ear.wait(Self.moment)
            #expect(ear.changes("res.partner", merged.key).isEmpty, "no deletion")
        }
    }

    @Test("The map is taken as it is, knows every type of the driver's, and the owner's part names the same tables")
    func map() throws {
        var values = try #require(try OdooFactory.signal(DriverSettings(application: "odoo", values: [:]))).settings
        values["connection"] = "host=nowhere.invalid"
        let made = try PostgreSQLFactory.make(DriverSettings(application: "odoo", values: values))
        #expect(Set(made.manifest.entities.map(\.native)) == Set(NativeType.all.map(\.model)))
    }
}
