import HTTPApplication
import HubDriver
import HubModel
import HubTestKit
import Testing

@testable import Tryton

@Suite("Tryton, live: conformance", .serialized, .enabled(if: LiveTryton.isThere))
struct ConformanceTests {
    @Test("The driver keeps the contract", arguments: LiveTryton.kitTypes)
    func contract(native: String) async throws {
        var options = ConformanceOptions()
        options.requestLimit = 12
        if let checks = LiveTryton.kitChecks { options.checks = checks }
        options.progress = { print($0) }
        let report = try await DriverConformance(TrytonConformanceBench(orders: .processing, natives: [native]), options).run()
        report.print()
        #expect(report.hasPassed)
    }

    @Test("The driver keeps the contract with drafts")
    func drafts() async throws {
        var options = ConformanceOptions()
        options.checks = [.redelivery, .conditionalWrite, .halfDone, .decimals, .dates, .delete]
        options.requestLimit = 6
        options.progress = { print($0) }
        let report = try await DriverConformance(TrytonConformanceBench(orders: .draft, natives: ["sale.sale"]), options).run()
        report.print()
        #expect(report.hasPassed)
    }
}

/// A Tryton with people in it, and the kit's proxy before it.
private struct TrytonConformanceBench: DriverBench {
    let proxy: TCPProxy
    let people: TrytonBench
    let orders: TrytonSettings.OrderState
    let natives: Set<String>
    private let address: (host: String, port: Int)
    private let customer: NativeDocument
    private let product: NativeDocument

    var faults: any FaultInjector { proxy }

    init(orders: TrytonSettings.OrderState, natives: Set<String>) async throws {
        self.orders = orders
        self.natives = natives
        people = try TrytonBench()
        let base = people.driver.settings.http.base
        let place = try #require(base.split(separator: "/").last).split(separator: ":")
        address = (String(try #require(place.first)), try #require(place.last.flatMap { Int($0) }))
        proxy = try TCPProxy(to: address.host, address.port)
        customer = try await people.customer("Kit")
        product = try await people.product("KIT")
    }

    func makeDriver() async throws -> any Driver {
        // An order takes a dozen calls.
        let (patience, calls) = natives.contains("sale.sale") ? ("4", "2") : ("2", "4")
        let values = ["orders": orders.rawValue, "answerSeconds": patience, "settleSeconds": "2", "pollMilliseconds": "20", "calls": calls]
        return try LiveTryton.driver(values, url: "http://127.0.0.1:\(proxy.port)/\(people.driver.settings.database)")
    }

    var samples: [Sample] { [parties, products, sales].filter { natives.contains($0.native) } }

    // MARK: What people do

    private func editing(_ sample: inout Sample, _ member: String) {
        let (people, native) = (people, sample.native)
        sample.edit = { key, mark in
            try await people.edit(native, key, [member: .string(mark)])
            return [member: .string(mark)]
        }
    }

    private static func setting(_ rule: String, on operation: Delivery.Operation = .create, _ changes: Fields) -> Breach {
        Breach(rule, on: operation) { delivery, _ in delivery.fields = delivery.fields.overlaid(with: changes) }
    }

    private static let untold = Breach("missing-token", on: .update) { delivery, _ in delivery.expected = nil }

    private static let unbreakable = [
        Breach.cannotBeBroken("no-right", because: "the kit's user is an administrator"),
        .cannotBeBroken("warning", because: "no module here warns of anything but credit limits"),
        .cannotBeBroken("internal-error", because: "the driver names no field that Tryton does not have"),
        .cannotBeBroken("refused", because: "it stands for what no other rule says"),
    ]

    /// A text that no index of PostgreSQL can hold, as it cannot be compressed.
    private static func long() -> Value {
        .string(String((0..<20_000).map { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement() ?? "x" }))
    }

    // MARK: Parties

    private var parties: Sample {
        let people = people
        let sample = Sample("party.party") { mark in
            [
                "name": .string("Party \(mark)"), "address": ["street": "1 Road", "city": "Paris", "country": "FR"],
                "email": .string("\(mark)@example.com"), "credit_limit_amount": 500, "customer_payment_term": "30 days",
            ]
        } change: { mark in
            ["address": ["city": .string("City \(mark)")], "email": .string("\(mark)@example.org")]
        }
        let breaches = [
            Self.setting("unknown-field", ["nonsense": 1]), Self.setting("read-only", ["lang": "fr"]),
            Self.setting("invalid-text", ["name": "a\u{0}b"]), Self.setting("invalid-value", ["credit_limit_amount": "much"]),
            Self.setting("required", on: .update, ["code": ""]),
            Self.setting("too-many-digits", ["credit_limit_amount": .number(Number(1005, scale: 3))]),
            Self.setting("unknown-payment-terms", ["customer_payment_term": "never"]),
            Self.setting("unknown-price-list", ["sale_price_list": "none"]),
            Self.setting("unknown-country", ["address": ["country": "XX"]]),
            Self.setting("invalid-identifier", ["tax_identifier": "FR1"]), Self.setting("too-long", ["name": Self.long()]),
            Breach("not-unique") { delivery, mark in
                try await people.person("party.party", "create", [[["name": "First", "code": .string(mark)]]])
                delivery.fields["code"] = .string(mark)
            },
            Self.untold,
        ]
        let probes: [FieldProbe] = [
            .text("name"), .text("address.street"), .decimal("credit_limit_amount", scale: 2),
        ]
        return sample.with(probes).with(breaches + Self.unbreakable).altered { sample in
            editing(&sample, "name")
            sample.remove = { key in try await people.edit("party.party", key, ["active": false]) }
        }
    }

    // MARK: Products

    private var products: Sample {
        let people = people
        let sample = Sample("product.product") { mark in
            ["code": .string(mark), "name": .string("Product \(mark)"), "list_price": .number(Number(199_500, scale: 4)), "salable": true]
        } change: { mark in
            ["name": .string("Name \(mark)")]
        }
        let breaches = [
            Self.setting("unknown-field", ["nonsense": 1]), Self.setting("read-only", ["currency": "XXX"]),
            Self.setting("invalid-text", ["name": "a\u{0}b"]), Self.setting("invalid-value", ["list_price": "much"]),
            Self.setting("required", ["name": .null]), Self.setting("unknown-unit", ["unit": "Elephant"]),
            Self.setting("too-many-digits", ["list_price": .number(Number(1_234_567, scale: 6))]),
            Self.setting("not-allowed", ["type": "nonsense"]),
            Breach("not-unique") { delivery, mark in
                _ = try await people.product(mark)
                delivery.fields["code"] = .string("\(mark)-\(people.run)")
            },
            .cannotBeBroken("too-long", because: "no text of a product is indexed"),
            .cannotBeBroken("unknown-category", because: "it tells a mistake of the settings"), Self.untold,
        ]
        let probes: [FieldProbe] = [.text("name", isTrimmed: true), .decimal("list_price", scale: 4)]
        return sample.with(probes).with(breaches + Self.unbreakable).altered { sample in
            editing(&sample, "description")
            sample.remove = { key in try await people.edit("product.product", key, ["active": false]) }
        }
    }

    // MARK: Orders

    private var sales: Sample {
        let (people, customer, product) = (people, customer, product)
        let sample = Sample("sale.sale") { mark in
            people.order(customer, product, quantity: 2).overlaid(with: ["reference": .string(mark)])
        } change: { mark in
            ["reference": .string(mark)]
        }
        @Sendable func lines(_ product: NativeKey, _ quantity: Value) -> Fields {
            ["lines": [["key": "a", "product": .string(product.rawValue), "quantity": quantity, "unit_price": 25]]]
        }
        let buyer = { (rule: String, fields: Fields) in
            Breach(rule) { delivery, mark in
                delivery.fields["party"] = try await people.create("party.party", fields, mark).fields["id"] ?? .null
            }
        }
        let breaches = [
            Self.setting("unknown-field", ["nonsense": 1]), Self.setting("read-only", ["number": "7"]),
            Self.setting("invalid-text", ["reference": "a\u{0}b"]), Self.setting("invalid-value", ["sale_date": "2026-02-30"]),
            Self.setting("required", lines(product.key, .null)),
            Self.setting("too-many-digits", lines(product.key, .number(Number(15, scale: 1)))),
            Self.setting("unknown-customer", ["party": "999999999"]), Self.setting("unknown-product", lines("999999999", 1)),
            Self.setting("unknown-payment-terms", ["payment_term": "never"]),
            Self.setting("illegal-transition", on: .update, ["state": "done"]),
            buyer("credit-limit", ["name": "Poor", "credit_limit_amount": 1, "address": ["city": "Paris"]]),
            buyer("missing-address", ["name": "Nowhere"]),
            Breach("missing-account") { delivery, mark in
                let bare = try await people.person(
                    "product.template", "create",
                    [
                        [
                            [
                                "name": .string(mark), "default_uom": 1, "sale_uom": 1, "salable": true, "type": "service",
                                "products": [["create", [[:]]]],
                            ]
                        ]
                    ])
                let template = try #require(bare.array?.first)
                let made = try await people.work().rows("product.product", [["template", "=", template]], ["code"])
                delivery.fields = delivery.fields.overlaid(with: lines(NativeKey(String(try #require(made.first).id)), 1))
            },
            .cannotBeBroken("too-long", because: "no text of a sale is indexed"),
            .cannotBeBroken("closed-period", because: "Tryton looks at periods when an invoice is posted"),
            .cannotBeBroken("not-processed", because: "it needs a queue that fails"), Self.untold,
        ]
        let price = FieldProbe("lines.unit_price", .decimal(scale: 4)) { value in
            ["lines": [["key": "a", "product": product.fields["id"] ?? .null, "quantity": 1, "unit_price": value]]]
        } read: {
            $0["lines"]?.array?.first?["unit_price"]
        }
        let probes: [FieldProbe] = orders == .draft ? [price, .date("sale_date")] : [.text("reference", isTrimmed: true)]
        return sample.with(probes).with(breaches + Self.unbreakable).altered { editing(&$0, "comment") }
    }
}
