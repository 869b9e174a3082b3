import HubDriver
import HubModel
import HubTestKit
import ReferenceApplication
import ReferenceCRM
import Testing

struct CRMConformanceTests {
    @Test func theDriverKeepsTheContract() async throws {
        let report = try await DriverConformance(CRMConformanceBench(), conformanceOptions).run()
        report.print()
        #expect(report.hasPassed)
        // It has no version tokens, and says so.
        let tokens = report.results(.conditionalWrite)
        #expect(tokens.count == 4 && tokens.allSatisfy { if case .absent = $0 { true } else { false } })
    }
}

/// The CRM with salespeople in it, for the kit.
private struct CRMConformanceBench: DriverBench {
    let temporary = TemporaryFile()
    let crm: CRMApplication
    let faults: any FaultInjector
    private let account: NativeKey
    private let item: NativeKey
    private let deal: NativeKey

    init() async throws {
        crm = try CRMApplication(path: temporary.path)
        faults = FileFaults(crm.file)
        account = try await crm.createAccount(["name": "Acme", "territory": "north"])
        item = try await crm.createItem(["code": "wid-1", "name": "Widget", "price": 25])
        deal = try await crm.createDeal(Self.deal(account: account, item: item))
    }

    func makeDriver() async throws -> any Driver {
        try ReferenceCRMFactory.make(
            DriverSettings(
                application: "crm",
                values: ["file": temporary.path, "settleMilliseconds": "300", "answerMilliseconds": "400"]))
    }

    var samples: [Sample] { [accounts, items, deals, bills] }

    private static let forPeople = "it binds people, and the hub may"

    private func editing(_ sample: inout Sample, _ changes: @escaping @Sendable (String) -> Fields) {
        let (crm, native) = (crm, sample.native)
        sample.edit = { key, mark in
            try await crm.edit(native, key, changes(mark))
            return changes(mark)
        }
        sample.remove = { try await crm.delete(native, $0) }
        sample.whileBusy = { _, body in try await whileFailing(crm.file, body) }
    }

    // MARK: Accounts and items

    private var accounts: Sample {
        let (crm, item) = (crm, item)
        let sample = Sample("account") { mark in
            ["name": .string("Account \(mark)"), "territory": "north", "credit_limit": 500, "on_hold": false]
        } change: { mark in
            ["city": .string("City \(mark)")]
        }
        let breaches = [
            Breach("missing-field") { delivery, _ in delivery.fields["name"] = .null },
            Breach("invalid-field") { delivery, _ in delivery.fields["credit_limit"] = "much" },
            Breach("in-use", on: .delete) { delivery, _ in
                guard let key = delivery.key else { return }
                _ = try await crm.createDeal(Self.deal(account: key, item: item))
            },
            .cannotBeBroken("read-only", because: Self.forPeople), .cannotBeBroken("territory", because: Self.forPeople),
        ]
        return sample.with([.text("street"), .decimal("credit_limit", scale: 2)]).with(breaches).altered {
            editing(&$0) { mark in ["phone": .string(mark)] }
        }
    }

    private var items: Sample {
        let (crm, account) = (crm, account)
        let sample = Sample("item") { mark in
            ["code": .string(mark), "name": .string("Item \(mark)"), "price": .number(Number(1995, scale: 2)), "currency": "EUR"]
        } change: { mark in
            ["name": .string("Name \(mark)")]
        }
        let breaches = [
            Breach("missing-field") { delivery, _ in delivery.fields["name"] = .null },
            Breach("invalid-field", on: .update) { delivery, _ in delivery.fields["price"] = -1 },
            Breach("duplicate-code") { delivery, _ in delivery.fields["code"] = "wid-1" },
            Breach("in-use", on: .delete) { delivery, _ in
                guard let key = delivery.key else { return }
                _ = try await crm.createDeal(Self.deal(account: account, item: key))
            },
        ]
        return sample.with([.text("unit"), .decimal("price", scale: 2)]).with(breaches).altered {
            editing(&$0) { mark in ["unit": .string(mark)] }
        }
    }

    // MARK: Deals and bills

    private static func deal(account: NativeKey, item: NativeKey, _ changes: Fields = [:]) -> Fields {
        let fields: Fields = [
            "account": .string(account.rawValue),
            "lines": [["id": "1", "item": .string(item.rawValue), "quantity": 2, "unit_price": 25]],
        ]
        return fields.overlaid(with: changes)
    }

    private var deals: Sample {
        let (crm, account, item) = (crm, account, item)
        let sample = Sample("deal") { mark in
            Self.deal(account: account, item: item, ["po_reference": .string(mark), "stage": "accepted"])
        } change: { mark in
            ["po_reference": .string(mark)]
        }
        let price = FieldProbe("lines.unit_price", .decimal(scale: 4)) { value in
            ["lines": [["id": "1", "item": .string(item.rawValue), "quantity": 1, "unit_price": value]]]
        } read: {
            $0["lines"]?.array?.first?["unit_price"]
        }
        func setting(_ rule: String, on operation: Delivery.Operation = .create, _ changes: Fields) -> Breach {
            Breach(rule, on: operation) { delivery, _ in delivery.fields = delivery.fields.overlaid(with: changes) }
        }
        let breaches = [
            setting("missing-field", ["account": .null]), setting("invalid-field", ["close_date": "2026-02-30"]),
            setting("read-only", ["updated_on": "2026-01-01T00:00:00Z"]), setting("stage-order", on: .update, ["stage": "quote"]),
            setting("unknown-item", ["lines": [["id": "1", "item": "999999999", "quantity": 1]]]),
            setting("unknown-account", ["account": "999999999"]),
            Breach("in-use", on: .delete) { delivery, mark in
                let bill: Fields = ["number": .string(mark), "deal": delivery.key.map { .string($0.rawValue) } ?? .null]
                try await crm.file.perform { _ = try $0.create("bill", bill, by: .hub) }
            },
            .cannotBeBroken("item-not-saleable", because: "what the ERP has sold may be shown"),
            .cannotBeBroken("territory", because: Self.forPeople),
        ]
        return sample.with([.text("po_reference"), .date("close_date"), price]).with(breaches).altered {
            editing(&$0) { mark in ["sales_person": .string(mark)] }
        }
    }

    private var bills: Sample {
        let deal = deal
        let sample = Sample("bill") { mark in
            ["number": .string(mark), "deal": .string(deal.rawValue), "total": 50, "paid": 0, "status": "posted"]
        } change: { mark in
            ["status": .string(mark)]
        }
        let breaches = [
            Breach("missing-field") { delivery, _ in delivery.fields["number"] = .null },
            Breach("invalid-field") { delivery, _ in delivery.fields["total"] = "much" },
            Breach("unknown-deal") { delivery, _ in delivery.fields["deal"] = "999999999" },
            .cannotBeBroken("read-only", because: Self.forPeople),
        ]
        return sample.with([.text("status"), .decimal("total", scale: 2), .date("due_date")]).with(breaches)
    }
}
