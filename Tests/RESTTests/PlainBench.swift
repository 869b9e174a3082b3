import Foundation
import HubDriver
import HubModel
import HubTestKit
import Synchronization

@testable import REST
@testable import StandIns

/// The service of the tests' own, with people in it and the kit's proxy before it.
struct PlainBench: DriverBench {
    let service = PlainService()
    let server: StrictServer
    let proxy: TCPProxy
    let recipe: RecipeFile
    var faults: any FaultInjector { proxy }

    init(_ text: String = PlainRecipe.text) async throws {
        server = try await StrictServer { [service] in service.answer($0) }
        proxy = try TCPProxy(to: "127.0.0.1", server.port)
        recipe = try RecipeFile(text)
    }

    var values: [String: String] {
        ["url": "http://127.0.0.1:\(proxy.port)", "clientId": "hub", "clientSecret": PlainService.client.secret]
    }

    func makeDriver() async throws -> any Driver { try recipe.made(values) }

    var samples: [Sample] {
        get async throws {
            // The customer that orders name is made without the driver.
            let customer = service.state.withLock { state -> String in
                let row = try? state.tables["customers"]?.insert(
                    ["code": .string(UUID().uuidString)], key: { "c\($0)" }, exists: { _, _ in true })
                return row?.key ?? ""
            }
            return [customers, products, orders(customer)]
        }
    }

    private func finished(_ sample: Sample, _ table: String, _ member: String) -> Sample {
        sample.altered { sample in
            sample.edit = { [service] key, mark in
                try service.edit(table, key.rawValue, [member: .string(mark)])
                return [member: .string(mark)]
            }
            sample.whileBusy = { [service] key, body in
                service.state.withLock { _ = $0.locked.insert(key.rawValue) }
                defer { service.state.withLock { _ = $0.locked.remove(key.rawValue) } }
                try await body()
            }
        }
    }

    private var customers: Sample {
        let sample = Sample("customer") { mark in
            ["code": .string(mark), "name": .string("Customer \(mark)"), "limit": number("100.50"), "since": "2026-01-31"]
        } change: { mark in
            ["name": .string("Name \(mark)")]
        }
        .with([.text("name"), .decimal("limit", scale: 2), .date("since")])
        .with([
            setting("unknown-field", ["nonsense": 1]), setting("invalid-value", ["limit": "much"]),
            setting("too-long", ["city": .string(String(repeating: "x", count: 201))]), setting("required", ["code": .null]),
            setting("scale", ["limit": number("1.005")]), setting("read-only", ["updated_at": "2026-01-01T00:00:00Z"]),
            Breach("duplicate") { [service] delivery, mark in
                _ = try service.state.withLock {
                    try $0.tables["customers"]?.insert(["code": .string(mark)], key: { "c\($0)" }, exists: { _, _ in true })
                }
                delivery.fields["code"] = .string(mark)
            }, unbreakable,
        ])
        return finished(sample, "customers", "city")
    }

    private var products: Sample {
        let sample = Sample("product") { mark in
            ["code": .string(mark), "name": .string("Product \(mark)"), "price": number("9.9950")]
        } change: { mark in
            ["name": .string("Name \(mark)")]
        }
        .with([.text("name"), .decimal("price", scale: 4)])
        .with([
            setting("unknown-field", ["nonsense": 1]), setting("invalid-value", ["price": "much"]),
            setting("too-long", ["note": .string(String(repeating: "x", count: 501))]), setting("required", on: .update, ["code": .null]),
            setting("scale", ["price": number("1.00005")]), setting("read-only", ["id": "7"]),
            setting("invalid-text", ["name": "a\u{0}b"]),
            Breach("duplicate") { [service] delivery, mark in
                _ = try service.state.withLock {
                    try $0.tables["products"]?.insert(["code": .string(mark)], key: { "p\($0)" }, exists: { _, _ in true })
                }
                delivery.fields["code"] = .string(mark)
            }, unbreakable,
        ])
        return finished(sample, "products", "note")
    }

    private func orders(_ customer: String) -> Sample {
        let sample = Sample("order") { mark in
            [
                "customer": .string(customer), "remark": .string(mark),
                "lines": [["id": "1", "quantity": number("2.500")], ["id": "2", "quantity": 1]],
            ]
        } change: { mark in
            ["remark": .string("Remark \(mark)"), "lines": [["id": "1", "quantity": 3]]]
        }
        .with([.text("remark")])
        .with([
            setting("unknown-field", ["nonsense": 1]), setting("invalid-value", ["lines": "none"]),
            setting("too-long", ["remark": .string(String(repeating: "x", count: 501))]), setting("required", ["customer": .null]),
            setting("unknown-reference", ["customer": "c0"]), setting("read-only", ["total": 1]), unbreakable,
        ])
        return finished(sample, "orders", "place").altered { $0.whileBusy = nil }
    }
}
