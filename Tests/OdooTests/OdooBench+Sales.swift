import Foundation
import HubDriver
import HubModel
import HubTestKit

/// Leads, pricelists and orders.
extension OdooBench {
    // MARK: Leads

    var leads: Sample {
        let odoo = odoo
        let sample = Sample("crm.lead") { mark in
            [
                "name": .string("Deal \(mark)"), "type": "opportunity", "expected_revenue": number("1000.10"), "stage_id": "New",
                "date_deadline": "2026-12-31",
            ]
        } change: { mark in
            ["partner_name": .string("Company \(mark)"), "stage_id": "Qualified"]
        }
        let breaches = [
            Breach("missing-field") { delivery, _ in delivery.fields["name"] = nil },
            Breach("unknown-code") { delivery, _ in delivery.fields["stage_id"] = "Nowhere" },
            Breach("unknown-reference") { delivery, _ in delivery.fields["partner_id"] = 2_000_000_000 },
            Breach("read-only") { delivery, _ in delivery.fields["won_status"] = "won" },
            .cannotBeBroken("duplicate", because: "leads may be alike"),
            .cannotBeBroken("refused", because: "it stands for rules of modules that are not installed here"),
        ]
        let probes = [FieldProbe.text("referred"), .decimal("expected_revenue", scale: 2), .date("date_deadline")]
        return sample.with(probes).with(breaches + Self.common("contact_name", "expected_revenue")).altered { sample in
            editing(&sample, "function")
            sample.remove = { try await odoo.act("crm.lead", "unlink", $0) }
        }
    }

    // MARK: Pricelists

    private func rules(_ price: Value) -> Value {
        [
            ["id": "1", "product_id": .string(product.key.rawValue), "min_quantity": number("10.00"), "fixed_price": price],
            ["id": "c-2", "product_id": .null, "min_quantity": number("50.00"), "fixed_price": number("3.1234")],
        ]
    }

    var pricelists: Sample {
        let (odoo, rules) = (odoo, rules)
        let sample = Sample("product.pricelist") { mark in
            ["name": .string("Kit \(mark)"), "currency_id": "USD", "item_ids": rules(number("19.99"))]
        } change: { mark in
            // Of a mark the last places differ.
            ["item_ids": rules(.number(Number(mark.utf8.suffix(4).reduce(0) { ($0 * 37 + Int64($1)) % 9_999_991 }, scale: 4)))]
        }
        let breaches = [
            Breach("missing-field") { delivery, _ in delivery.fields["name"] = nil },
            Breach("unknown-code") { delivery, _ in delivery.fields["currency_id"] = "Thaler" },
            Breach("unknown-reference") { delivery, _ in
                delivery.fields["item_ids"] = [["id": "1", "product_id": 2_000_000_000, "fixed_price": 1]]
            },
            Breach("read-only") { delivery, _ in delivery.fields["company_id"] = 2 },
            Breach("precision") { delivery, _ in delivery.fields["item_ids"] = rules(number("12345678901234.567")) },
            .cannotBeBroken("unprepared", because: "the bench's Odoo is prepared"),
            .cannotBeBroken("duplicate", because: "pricelists may be alike"),
            .cannotBeBroken("refused", because: "it stands for rules of modules that are not installed here"),
        ]
        let price = FieldProbe("item_ids.fixed_price", .decimal(scale: 4)) {
            ["item_ids": rules($0)]
        } read: {
            $0["item_ids"]?.array?.first?["fixed_price"]
        }
        return sample.with([.text("name"), price]).with(breaches + Self.common("name")).altered { sample in
            editing(&sample, "name")
            sample.remove = { try await odoo.act("product.pricelist", "unlink", $0) }
            sample.isSame = { _, sent, told in Self.isContained(sent, told) }
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

    var orders: Sample {
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
