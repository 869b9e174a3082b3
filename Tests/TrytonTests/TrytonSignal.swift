import Foundation
import HubDriver
import HubModel
import SignalTestKit
import Testing

@testable import Tryton

/// Tryton's own database, where the environment names it.
enum LiveDatabase {
    static let url = ProcessInfo.processInfo.environment["MULTIPOINT_TRYTON_DATABASE"]

    /// False, and said so, where there is none.
    static let isThere: Bool = {
        if url == nil {
            print("skipped: signals of Tryton's database, as MULTIPOINT_TRYTON_DATABASE names none (scripts/apps/tryton prints it)")
        }
        return url != nil
    }()

    /// Settings without a server.
    static let settings = DriverSettings(
        application: "tryton", values: ["url": "https://erp.example/tryton", "user": "hub", "password": "x"])

    static func signal(natives: Set<String>? = nil) throws -> SignalBench {
        try SignalBench(
            try #require(url), owner: "tryton", publication: "multipoint_tryton", map: try #require(try TrytonFactory.signal(settings)),
            natives: natives
        ) {
            try LiveTryton.driver([:], LiveTryton.acquaintance)
        }
    }
}

extension TrytonBench {
    /// An order of three lines.
    func longOrder(_ customer: NativeDocument, _ product: NativeDocument, _ name: String) async throws -> NativeDocument {
        var fields = order(customer, product, quantity: 1)
        let quantities: [Value] = [1, 2, 3]
        fields["lines"] = .array(
            zip(["a", "b", "c"], quantities).map { name, quantity in
                ["key": .string(name), "product": product.fields["id"] ?? .null, "quantity": quantity, "unit_price": 25]
            })
        return try await create("sale.sale", fields, name)
    }

    /// A copy that a person makes of an order: one call, one transaction, a draft with all its lines.
    func copy(_ order: NativeDocument) async throws -> NativeKey {
        let made = try await person("sale.sale", "copy", [[.id(try #require(Int64(order.key.rawValue)))]])
        return NativeKey(String(try #require(made.array?.first?.integer)))
    }
}
