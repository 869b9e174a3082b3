import HubDriver
import HubModel
import HubTestKit
import ReferenceApplication
import ReferenceERP
import Testing

struct ERPConformanceTests {
    @Test func theDriverKeepsTheContract() async throws {
        let report = try await DriverConformance(ERPConformanceBench(), conformanceOptions).run()
        report.print()
        #expect(report.hasPassed)
        #expect(report.absences.contains { $0.subject == "invoice" })
    }
}

/// The ERP with people in it, for the kit.
private struct ERPConformanceBench: DriverBench {
    let temporary = TemporaryFile()
    let erp: ERPApplication
    let faults: any FaultInjector
    private let partner: NativeKey
    private let article: NativeKey

    init() async throws {
        erp = try ERPApplication(path: temporary.path)
        faults = FileFaults(erp.file)
        partner = try await erp.createPartner(["name": "Acme"])
        article = try await erp.createArticle(["code": "WID-1", "name": "Widget", "price": 25, "stock": 1_000_000_000])
    }

    func makeDriver() async throws -> any Driver {
        try ReferenceERPFactory.make(
            DriverSettings(
                application: "erp",
                values: ["file": temporary.path, "settleMilliseconds": "300", "answerMilliseconds": "400"]))
    }

    var samples: [Sample] { [partners, articles, orders] }

    var questions: [QuestionSample] {
        let product = Value.string(article.rawValue)
        let customer = Value.string(partner.rawValue)
        return [
            QuestionSample("price", unknown: ["product": "999999999"]) { ["product": product, "customer": customer, "quantity": 3] },
            QuestionSample("stock", unknown: ["product": "999999999"]) { ["product": product, "quantity": 3] },
            QuestionSample("credit", unknown: ["customer": "999999999"]) { ["customer": customer, "amount": 100] },
            QuestionSample("validate") { ["order": ["partner": customer, "lines": []]] },
        ]
    }

    private static let withoutToken = Breach("missing-token", on: .update) { delivery, _ in delivery.expected = nil }

    // MARK: Partners

    private var partners: Sample {
        let erp = erp
        let sample = Sample("partner") { mark in
            ["code": .string(mark.uppercased()), "name": .string("Partner \(mark)"), "credit_limit": 1000, "on_hold": false]
        } change: { mark in
            ["city": .string("City \(mark)")]
        }
        let breaches = [
            Breach("missing-field") { delivery, _ in delivery.fields["name"] = .null },
            Breach("invalid-field") { delivery, _ in delivery.fields["credit_limit"] = "much" },
            Breach("duplicate-code") { delivery, mark in
                _ = try await erp.createPartner(["code": .string(mark), "name": "First"])
                delivery.fields["code"] = .string(mark)
            },
            Breach("unknown-payment-terms", on: .update) { delivery, _ in delivery.fields["payment_terms"] = "90D" },
            Breach("in-use", on: .delete) { [article] delivery, _ in
                guard let key = delivery.key else { return }
                _ = try await erp.createOrder(Self.order(partner: key, article: article))
            },
            Self.withoutToken,
        ]
        return sample.with([.text("email"), .decimal("credit_limit", scale: 2)]).with(breaches).altered {
            editing(&$0) { mark in ["phone": .string(mark)] }
        }
    }

    private func editing(_ sample: inout Sample, _ changes: @escaping @Sendable (String) -> Fields) {
        let (erp, native) = (erp, sample.native)
        sample.edit = { key, mark in
            try await erp.edit(native, key, changes(mark))
            return changes(mark)
        }
        sample.remove = { try await erp.delete(native, $0) }
        sample.whileBusy = { _, body in try await whileFailing(erp.file, body) }
    }

    // MARK: Articles

    private var articles: Sample {
        let erp = erp
        let sample = Sample("article") { mark in
            [
                "code": .string(mark.uppercased()), "name": .string("Article \(mark)"), "price": .number(Number(1995, scale: 2)),
                "currency": "EUR", "stock": 10,
            ]
        } change: { mark in
            ["name": .string("Name \(mark)")]
        }
        let breaches = [
            Breach("missing-field") { delivery, _ in delivery.fields["name"] = .null },
            Breach("invalid-field", on: .update) { delivery, _ in delivery.fields["price"] = -1 },
            Breach("duplicate-code") { delivery, _ in delivery.fields["code"] = "wid-1" },
            Breach("in-use", on: .delete) { [partner] delivery, _ in
                guard let key = delivery.key else { return }
                _ = try await erp.createOrder(Self.order(partner: partner, article: key))
            },
            Self.withoutToken,
        ]
        return sample.with([.text("unit"), .decimal("price", scale: 2), .decimal("stock", scale: 3)]).with(breaches).altered {
            editing(&$0) { mark in ["unit": .string(mark)] }
        }
    }

    // MARK: Orders

    private static func order(partner: NativeKey, article: NativeKey, _ changes: Fields = [:]) -> Fields {
        let fields: Fields = [
            "partner": .string(partner.rawValue), "order_date": "2026-09-20",
            "lines": [["line_no": "1", "article": .string(article.rawValue), "quantity": 2, "unit_price": 25]],
        ]
        return fields.overlaid(with: changes)
    }

    private var orders: Sample {
        let (partner, article) = (partner, article)
        let sample = Sample("sales_order") { mark in
            Self.order(partner: partner, article: article, ["customer_reference": .string(mark)])
        } change: { mark in
            ["customer_reference": .string(mark)]
        }
        let price = FieldProbe("lines.unit_price", .decimal(scale: 4)) { value in
            ["lines": [["line_no": "1", "article": .string(article.rawValue), "quantity": 1, "unit_price": value]]]
        } read: {
            $0["lines"]?.array?.first?["unit_price"]
        }
        return sample.with([.text("customer_reference"), .date("order_date"), price]).with(orderBreaches).altered {
            editing(&$0) { _ in ["sales_person": "ANNA"] }
        }
    }

    private var orderBreaches: [Breach] {
        let (erp, article) = (erp, article)
        func setting(_ rule: String, _ changes: Fields) -> Breach {
            Breach(rule) { delivery, _ in delivery.fields = delivery.fields.overlaid(with: changes) }
        }
        @Sendable func lines(_ article: NativeKey, _ quantity: Value) -> Fields {
            ["lines": [["line_no": "1", "article": .string(article.rawValue), "quantity": quantity, "unit_price": 25]]]
        }
        func customer(_ rule: String, _ fields: Fields) -> Breach {
            Breach(rule) { delivery, mark in
                let key = try await erp.createPartner(fields.overlaid(with: ["name": .string(mark)]))
                delivery.fields["partner"] = .string(key.rawValue)
            }
        }
        /// Brings the order to an invoice, and names its newest version.
        let invoice: @Sendable (inout Delivery) async throws -> Void = { delivery in
            guard let key = delivery.key else { return }
            try await erp.confirm(key)
            try await erp.ship(key)
            _ = try await erp.invoice(key)
            delivery.expected?.token = try erp.file.documents(native: "sales_order").first { $0.key == key }?.token
        }
        return [
            setting("missing-field", ["partner": .null]), setting("invalid-field", ["order_date": "2026-02-30"]),
            setting("read-only", ["total": 5]), setting("unknown-customer", ["partner": "999999999"]),
            customer("customer-on-hold", ["on_hold": true]), customer("credit-limit", ["credit_limit": 1]),
            setting("unknown-sales-person", ["sales_person": "NOBODY"]), setting("unknown-shipping-method", ["shipping_method": "SLED"]),
            setting("unknown-payment-terms", ["payment_terms": "90D"]), setting("unknown-product", lines("999999999", 1)),
            Breach("product-not-saleable") { delivery, mark in
                let key = try await erp.createArticle(["code": .string(mark), "name": "Old", "saleable": false, "stock": 9])
                delivery.fields = delivery.fields.overlaid(with: lines(key, 1))
            },
            setting("insufficient-stock", lines(article, 2_000_000_000)),
            Breach("closed-period") { delivery, _ in
                try await erp.closePeriod(until: "1999-12-31")
                delivery.fields["order_date"] = "1999-12-31"
            } mend: {
                try await erp.closePeriod(until: nil)
            },
            Breach("posted-invoice", on: .update) { delivery, _ in
                try await invoice(&delivery)
                delivery.fields = ["order_date": "2026-09-21"]
            },
            Breach("illegal-transition", on: .update) { delivery, _ in delivery.fields["status"] = "paid" },
            Breach("in-use", on: .delete) { delivery, _ in try await invoice(&delivery) },
            Self.withoutToken,
        ]
    }
}
