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
    private let customer: NativeDocument
    private let product: NativeDocument

    private let times: [String: String]

    /// - Parameters: how long the driver waits for an answer, and until an unanswered call has settled, in milliseconds.
    init(answer: Int, settle: Int) async throws {
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

    var samples: [Sample] { [partners, products, orders] }

    // MARK: Rules of every type

    private static func common(_ text: String, _ decimal: String) -> [Breach] {
        [
            Breach("unknown-field") { delivery, mark in delivery.fields["nothing"] = .string(mark) },
            Breach("invalid-text") { delivery, _ in delivery.fields[text] = "a\u{0}b" },
            Breach("invalid-value") { delivery, _ in delivery.fields[text] = 7 },
            Breach("precision") { delivery, _ in delivery.fields[decimal] = number("12345678901234.567") },
            .cannotBeBroken("access", because: "the bench's user may do everything"),
            .cannotBeBroken("validation", because: "it stands for rules of modules that are not installed here"),
        ]
    }

    private func editing(_ sample: inout Sample, _ member: String) {
        let (odoo, native) = (odoo, sample.native)
        sample.edit = { key, mark in
            try await odoo.write(native, key, [member: .string(mark)])
            return [member: .string(mark)]
        }
    }

    // MARK: Partners

    private var partners: Sample {
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

    private var products: Sample {
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

    // MARK: Orders

    private func lines(_ price: Value) -> Value {
        [
            [
                "id": "1", "product_id": .string(product.key.rawValue), "product_uom_qty": number("2.5"), "price_unit": price,
            ],
            odoo.line("c-2", product, "3.13", "10.1234"),
        ]
    }

    private var orders: Sample {
        let (odoo, customer, lines) = (odoo, customer, lines)
        let sample = Sample("sale.order") { _ in
            ["partner_id": .string(customer.key.rawValue), "date_order": "2026-03-01 11:00:00", "order_line": lines(number("24.99"))]
        } change: { mark in
            ["client_order_ref": .string("PO \(mark)"), "x_hub_status": .string(mark), "x_hub_refusal": .string("Because of \(mark)")]
        }
        let breaches = [
            Breach("missing-field") { delivery, _ in delivery.fields["partner_id"] = nil },
            Breach("unknown-reference") { delivery, _ in delivery.fields["partner_id"] = 2_000_000_000 },
            Breach("unknown-code") { delivery, _ in delivery.fields["payment_term_id"] = "Some day" },
            Breach("read-only") { delivery, _ in delivery.fields["amount_total"] = 5 },
            Breach("confirmed-line", on: .update) { delivery, _ in
                delivery.fields["order_line"] = .array(Array((lines(number("24.99")).array ?? []).prefix(1)))
            },
            Breach("locked-order", on: .update) { delivery, _ in
                try await odoo.act("sale.order", "action_lock", delivery.key ?? "")
                delivery.fields["order_line"] = lines(number("1"))
            },
            Breach("kept", on: .delete) { _, _ in },
            .cannotBeBroken("unprepared", because: "the bench's Odoo is prepared"),
            .cannotBeBroken("duplicate", because: "orders may be alike"),
            .cannotBeBroken("refused", because: "it stands for rules of modules that are not installed here"),
        ]
        let price = FieldProbe("order_line.price_unit", .decimal(scale: 4)) {
            ["order_line": lines($0)]
        } read: {
            $0["order_line"]?.array?.first?["price_unit"]
        }
        let date = FieldProbe("commitment_date", .date) {
            ["commitment_date": .string("\($0.text ?? "") 00:00:00")]
        } read: {
            $0["commitment_date"]?.text.map { .string(String($0.prefix(10))) }
        }
        return sample.with([.text("client_order_ref"), price, date]).with(breaches + Self.common("origin", "x_hub_invoiced")).altered {
            sample in
            editing(&sample, "origin")
            sample.remove = { key in
                try await odoo.act("sale.order", "action_cancel", key)
                try await odoo.act("sale.order", "unlink", key)
            }
            // Odoo's documents are told by number, which the hub may write as text.
            sample.isSame = { name, sent, told in
                name == "partner_id" ? sent.keyText == told.keyText : Self.isContained(sent, told)
            }
        }
    }

    /// Like the kit's own comparison; keys inside lines may be text or numbers.
    private static func isContained(_ sent: Value, _ told: Value) -> Bool {
        switch (sent, told) {
        case (.object(let sent), .object(let told)):
            sent.allSatisfy { name, value in
                name == "product_id" ? value.keyText == told[name]?.keyText : isContained(value, told[name] ?? .null)
            }
        case (.array(let sent), .array(let told)): sent.count == told.count && zip(sent, told).allSatisfy { isContained($0, $1) }
        default: Sample.isContained(sent, told)
        }
    }
}
