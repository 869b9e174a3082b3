import HubDriver
import HubModel
import HubTestKit
import Synchronization

@testable import REST
@testable import StandIns

/// A service of SData's shape under the driver's recipe for it.
struct SDataBench: DriverBench {
    let service = SDataService()
    let server: StrictServer
    let proxy: TCPProxy
    let recipe: RecipeFile
    private let account: String
    var faults: any FaultInjector { proxy }

    init() async throws {
        let service = service
        server = try await StrictServer { service.answer($0) }
        proxy = try TCPProxy(to: "127.0.0.1", server.port)
        recipe = try RecipeFile(try RecipeFile.shipped("sdata/recipe.yaml"))
        account = try service.state.withLock { state in
            try state.tables["accounts"]?.insert(["AccountName": "First"], key: { "AEK\($0)" }, exists: { _, _ in true }).key ?? ""
        }
    }

    func makeDriver() async throws -> any Driver {
        try recipe.made([
            "url": "http://127.0.0.1:\(proxy.port)", "user": "admin", "password": "geheim:ü", "answerMilliseconds": "900",
            "settleMilliseconds": "1000", "pollMilliseconds": "20", "overlapSeconds": "2", "sweepSeconds": "0",
        ])
    }

    var samples: [Sample] { [accounts, products, orders] }

    private func finished(_ sample: Sample, _ set: String, _ member: String) -> Sample {
        sample.altered { sample in
            sample.edit = { [service] key, mark in
                try service.edit(set, key.rawValue, [member: .string(mark)])
                return [member: .string(mark)]
            }
            sample.whileBusy = { [service] key, body in
                service.state.withLock { _ = $0.locked.insert(key.rawValue) }
                defer { service.state.withLock { _ = $0.locked.remove(key.rawValue) } }
                try await body()
            }
        }
    }

    private func duplicate(_ set: String, _ member: String, _ other: Fields) -> Breach {
        Breach("duplicate") { [service] delivery, mark in
            _ = try service.state.withLock {
                try $0.tables[set]?.insert(other.overlaid(with: [member: .string(mark)]), key: { "DEK\($0)" }, exists: { _, _ in true })
            }
            delivery.fields[member] = .string(mark)
        }
    }

    private static let long = Value.string(String(repeating: "x", count: 2001))

    private var accounts: Sample {
        let sample = Sample("account") { mark in
            ["AccountName": .string("Account \(mark)"), "ExternalAccountNo": .string(mark), "CreditLimit": number("100.50")]
        } change: { mark in
            ["AccountName": .string("Name \(mark)")]
        }
        .with([.text("AccountName"), .decimal("CreditLimit", scale: 2)])
        .with([
            setting("unknown-field", ["Nonsense": 1]), setting("invalid-value", ["CreditLimit": "much"]),
            setting("too-long", ["Email": Self.long]),
            setting("required", ["AccountName": .null]), setting("read-only", ["ModifyDate": "2026-01-01"]),
            duplicate("accounts", "ExternalAccountNo", ["AccountName": "Same"]), unbreakable,
        ])
        return finished(sample, "accounts", "MainPhone")
    }

    private var products: Sample {
        let sample = Sample("product") { mark in
            ["ActualId": .string(mark), "Name": .string("Product \(mark)"), "Price": number("9.9950")]
        } change: { mark in
            ["Name": .string("Name \(mark)")]
        }
        .with([.text("Name"), .decimal("Price", scale: 4)])
        .with([
            setting("unknown-field", ["Nonsense": 1]), setting("invalid-value", ["Price": "much"]),
            setting("too-long", ["Name": Self.long]),
            setting("required", on: .update, ["ActualId": .null]), setting("read-only", ["ModifyDate": "2026-01-01"]),
            duplicate("products", "ActualId", Fields()), unbreakable,
        ])
        return finished(sample, "products", "Unit").altered { sample in
            sample.edit = { [service] key, mark in
                try service.edit("products", key.rawValue, ["Unit": .string(String(mark.suffix(16)))])
                return ["Unit": .string(String(mark.suffix(16)))]
            }
        }
    }

    private var orders: Sample {
        let account = account
        let sample = Sample("salesOrder") { mark in
            ["AccountId": .string(account), "Comments": .string(mark), "OrderDate": "2026-03-01"]
        } change: { mark in
            ["Comments": .string("Comment \(mark)")]
        }
        .with([.text("Comments"), .date("OrderDate")])
        .with([
            setting("unknown-field", ["Nonsense": 1]), setting("invalid-value", ["OrderDate": "soon"]),
            setting("too-long", ["Comments": Self.long]),
            setting("required", ["AccountId": .null]), setting("unknown-reference", ["AccountId": "nobody"]),
            setting("read-only", ["OrderTotal": 1]), unbreakable,
        ])
        return finished(sample, "salesOrders", "CustomerPurchaseOrderNumber")
    }
}
