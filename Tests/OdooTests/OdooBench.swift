import Foundation
import HubDriver
import HubModel
import HubTestKit
import Testing

@testable import Odoo

/// The live Odoo, for the conformance kit.
struct OdooBench: DriverBench {
    let proxy: TCPProxy
    var faults: any FaultInjector { proxy }
    /// The person at the side, who does not go through the proxy.
    let odoo: LiveOdoo
    let customer: NativeDocument
    let product: NativeDocument

    private let times: [String: String]
    /// The one type that is tried; nil: all of them.
    private let only: String?
    static let natives = ["res.partner", "product.product", "sale.order", "crm.lead", "product.pricelist"]

    /// - Parameters: how long the driver waits for an answer, and until an unanswered call has settled, in milliseconds.
    init(answer: Int, settle: Int, only: String? = nil) async throws {
        self.only = only
        times = ["answerMilliseconds": "\(answer)", "settleMilliseconds": "\(settle)", "overlapSeconds": "5"]
        let url = try #require(LiveOdoo.url.flatMap { URLComponents(string: $0) })
        proxy = try TCPProxy(to: url.host ?? "127.0.0.1", url.port ?? 80)
        odoo = try LiveOdoo()
        customer = try await odoo.customer("bench-customer")
        product = try await odoo.product("bench-product")
    }

    func makeDriver() async throws -> any Driver {
        try LiveOdoo(times, url: "http://127.0.0.1:\(proxy.port)").driver
    }

    var samples: [Sample] { [partners, products, orders, leads, pricelists].filter { only == nil || $0.native == only } }

    /// How long the slowest of some orders takes to be made, here and now.
    static func pace() async throws -> Duration {
        let odoo = try LiveOdoo()
        let (customer, product) = (try await odoo.customer("pace-customer"), try await odoo.product("pace-product"))
        var slowest = Duration.zero
        for place in 1...3 {
            let begun = ContinuousClock.now
            _ = try await odoo.order(customer, product, "pace-\(place)")
            slowest = max(slowest, ContinuousClock.now - begun)
        }
        await odoo.driver.close()
        return slowest
    }

    // MARK: Questions

    var questions: [QuestionSample] {
        let (odoo, customer, product) = (odoo, customer, product)
        let nobody: Value = "99999999"
        return [
            QuestionSample("price", unknown: ["product": nobody]) { ["product": .string(product.key.rawValue), "quantity": 3] },
            QuestionSample("stock", unknown: ["product": nobody]) {
                // What Odoo does not keep in stock it cannot tell of.
                try await odoo.write("product.product", product.key, ["is_storable": true])
                return ["product": .string(product.key.rawValue), "quantity": 1]
            },
            QuestionSample("credit", unknown: ["customer": nobody]) { ["customer": .string(customer.key.rawValue), "amount": 5] },
            QuestionSample("validate") {
                [
                    "order": [
                        "partner_id": .string(customer.key.rawValue), "date_order": "2026-03-01 11:00:00",
                        "order_line": [odoo.line("1", product, "2.00", "24.99")],
                    ]
                ]
            },
        ]
    }

    // MARK: Rules of every type

    static func common(_ text: String) -> [Breach] {
        [
            Breach("unknown-field") { delivery, mark in delivery.fields["nothing"] = .string(mark) },
            Breach("invalid-text") { delivery, _ in delivery.fields[text] = "a\u{0}b" },
            Breach("invalid-value") { delivery, _ in delivery.fields[text] = 7 },
            .cannotBeBroken("access", because: "the bench's user may do everything"),
            .cannotBeBroken("validation", because: "it stands for rules of modules that are not installed here"),
        ]
    }

    static func common(_ text: String, _ decimal: String) -> [Breach] {
        common(text) + [Breach("precision") { delivery, _ in delivery.fields[decimal] = number("12345678901234.567") }]
    }

    func editing(_ sample: inout Sample, _ member: String) {
        let (odoo, native) = (odoo, sample.native)
        sample.edit = { key, mark in
            try await odoo.write(native, key, [member: .string(mark)])
            return [member: .string(mark)]
        }
    }

    // MARK: Partners

    var partners: Sample {
        let odoo = odoo
        let sample = Sample("res.partner") { mark in
            ["name": .string("Kit \(mark)"), "country_id": "FR", "credit_limit": number("1000.10")]
        } change: { mark in
            ["city": .string("City \(mark)"), "ref": .string(mark)]
        }
        let breaches = [
            Breach("missing-field") { delivery, _ in delivery.fields["name"] = nil },
            Breach("unknown-code") { delivery, _ in delivery.fields["country_id"] = "Atlantis" },
            Breach("unknown-reference") { delivery, _ in delivery.fields["parent_id"] = 2_000_000_000 },
            Breach("circular", on: .update) { delivery, _ in delivery.fields["parent_id"] = .string(delivery.key?.rawValue ?? "") },
            Breach("refused", on: .delete) { delivery, mark in
                // A partner whose user is active cannot be archived.
                let held = try await odoo.driver.read([ReadRequest(native: "res.partner", company: nil, key: delivery.key ?? "")])
                let (id, name) = (held[0]?.fields["id"] ?? .null, held[0]?.fields["name"] ?? .null)
                _ = try await odoo.create("res.users", ["name": name, "login": .string(mark), "partner_id": id])
            },
            .cannotBeBroken("merged", because: "the document is another one afterwards; a test of its own merges partners"),
            .cannotBeBroken("duplicate", because: "partners may be alike"),
            .cannotBeBroken("invalid-vat", because: "the module that checks VAT numbers is not installed here"),
            .cannotBeBroken("read-only", because: "no member of a partner is"),
        ]
        return sample.with([.text("street"), .decimal("credit_limit", scale: 2)]).with(breaches + Self.common("city", "credit_limit"))
            .altered { sample in
                editing(&sample, "phone")
                sample.remove = { try await odoo.act("res.partner", "unlink", $0) }
            }
    }

    // MARK: Products

    var products: Sample {
        let odoo = odoo
        let sample = Sample("product.product") { mark in
            [
                "name": .string("Kit \(mark)"), "default_code": .string(mark), "list_price": number("25.10"), "sale_ok": true,
                "uom_id": "Units",
            ]
        } change: { mark in
            ["name": .string("Name \(mark)"), "sale_ok": false]
        }
        let breaches = [
            Breach("missing-field") { delivery, _ in delivery.fields["name"] = nil },
            Breach("unknown-code") { delivery, _ in delivery.fields["uom_id"] = "Furlongs" },
            Breach("duplicate") { delivery, mark in
                _ = try await odoo.create("product.product", ["name": .string(mark), "barcode": .string(mark)])
                delivery.fields["barcode"] = .string(mark)
            },
            Breach("read-only") { delivery, _ in delivery.fields["currency_id"] = "XAF" },
            .cannotBeBroken("unknown-reference", because: "a product refers to no document"),
            .cannotBeBroken("refused", because: "it stands for rules of modules that are not installed here"),
        ]
        return sample.with([.text("default_code"), .decimal("list_price", scale: 2)]).with(breaches + Self.common("name", "list_price"))
            .altered { sample in
                editing(&sample, "barcode")
                sample.remove = { try await odoo.act("product.product", "unlink", $0) }
            }
    }
}
