import Foundation
import HubDriver
import HubModel
import HubTestKit
import Synchronization

@testable import REST
@testable import StandIns

/// A service of Business Central's shape under the driver's recipe for it.
struct BusinessCentralBench: DriverBench {
    let service = ODataService()
    let server: StrictServer
    let proxy: TCPProxy
    let recipe: RecipeFile
    private let customer: String
    private let item: String
    var faults: any FaultInjector { proxy }

    init(_ text: String? = nil) async throws {
        let service = service
        server = try await StrictServer { service.answer($0) }
        proxy = try TCPProxy(to: "127.0.0.1", server.port)
        // Microsoft's token server is the strict one's; times as long as a service takes that answers at once.
        let shipped = try text ?? RecipeFile.shipped("business-central/recipe.yaml")
        recipe = try RecipeFile(
            shipped.replacingOccurrences(of: "https://login.microsoftonline.com", with: server.url)
                .replacingOccurrences(of: "perMinute: 1000", with: "perMinute: 1000000"))
        (customer, item) = try service.state.withLock { state in
            let customer = try state.tables["customers"]?.insert(["displayName": "First"], key: { "c-\($0)" }, exists: { _, _ in true })
            let item = try state.tables["items"]?.insert(["displayName": "First"], key: { "i-\($0)" }, exists: { _, _ in true })
            return (customer?.key ?? "", item?.key ?? "")
        }
    }

    var values: [String: String] {
        [
            "url": "http://127.0.0.1:\(proxy.port)", "clientId": "app", "clientSecret": "secret\n", "tenant": "contoso",
            "environment": "Production", "answerMilliseconds": "900", "settleMilliseconds": "1000", "pollMilliseconds": "20",
            "overlapSeconds": "2", "sweepSeconds": "0",
        ]
    }

    func makeDriver() async throws -> any Driver { try recipe.made(values, companies: ["us": ODataService.company]) }

    var samples: [Sample] { [customers, items, orders] }

    private func finished(_ sample: Sample, _ set: String, _ member: String) -> Sample {
        sample.altered { sample in
            sample.company = ODataService.company
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

    private static let long = Value.string(String(repeating: "x", count: 101))
    private static let noReference = Breach.cannotBeBroken(
        "unknown-reference", because: "the members of the test's service refer to nothing")

    private func duplicate(_ set: String) -> Breach {
        Breach("duplicate") { [service] delivery, mark in
            let number = Value.string(String(mark.suffix(12)))
            _ = try service.state.withLock {
                try $0.tables[set]?.insert(["displayName": "Same", "number": number], key: { "d-\($0)" }, exists: { _, _ in true })
            }
            delivery.fields["number"] = number
        }
    }

    private var customers: Sample {
        let sample = Sample("customer") { mark in
            ["displayName": .string("Customer \(mark)"), "city": "Lyon", "creditLimit": number("100.50")]
        } change: { mark in
            ["displayName": .string("Name \(mark)")]
        }
        .with([.text("displayName"), .decimal("creditLimit", scale: 2)])
        .with([
            setting("unknown-field", ["nonsense": 1]), setting("invalid-value", ["creditLimit": "much"]),
            setting("too-long", ["addressLine1": Self.long]),
            setting("required", ["displayName": .null]), setting("read-only", ["balanceDue": 1]), duplicate("customers"), Self.noReference,
            unbreakable,
        ])
        return finished(sample, "customers", "email")
    }

    private var items: Sample {
        let sample = Sample("item") { mark in
            ["displayName": .string("Item \(mark)"), "unitPrice": number("9.9950"), "baseUnitOfMeasureCode": "PCS"]
        } change: { mark in
            ["displayName": .string("Name \(mark)")]
        }
        .with([.text("displayName"), .decimal("unitPrice", scale: 4)])
        .with([
            setting("unknown-field", ["nonsense": 1]), setting("invalid-value", ["unitPrice": "much"]),
            setting("too-long", ["displayName": Self.long]),
            setting("required", ["displayName": .null]), setting("read-only", ["inventory": 1]), duplicate("items"), Self.noReference,
            unbreakable,
        ])
        return finished(sample, "items", "gtin").altered { sample in
            sample.edit = { [service] key, mark in
                let text = Value.string(String(mark.suffix(14)))
                try service.edit("items", key.rawValue, ["gtin": text])
                return ["gtin": text]
            }
        }
    }

    private func line(_ sequence: Int64, _ quantity: String) -> Value {
        ["sequence": .number(Number(sequence)), "itemId": .string(item), "quantity": number(quantity), "unitPrice": number("24.9900")]
    }

    private var orders: Sample {
        let (customer, first, second, third) = (customer, line(10_000, "2"), line(20_000, "3.125"), line(30_000, "1"))
        let changed = line(10_000, "5")
        let sample = Sample("salesOrder") { mark in
            ["customerId": .string(customer), "email": .string(mark), "orderDate": "2026-03-01", "salesOrderLines": [first, second]]
        } change: { mark in
            let description: Fields = ["description": .string("Line \(mark)")]
            let kept = Value.object((changed.object ?? Fields()).overlaid(with: description))
            return ["email": .string("to \(mark)"), "salesOrderLines": [kept, third]]
        }
        .with([.text("email"), .date("orderDate")])
        .with([
            setting("unknown-field", ["nonsense": 1]), setting("invalid-value", ["orderDate": "soon"]),
            setting("too-long", ["phoneNumber": Self.long]), setting("required", ["customerId": .null]),
            setting("unknown-reference", ["customerId": "nobody"]), setting("read-only", ["status": "Open"]), unbreakable,
        ])
        return finished(sample, "salesOrders", "phoneNumber")
    }
}
