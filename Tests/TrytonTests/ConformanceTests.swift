import HTTPApplication
import HubDriver
import HubModel
import HubTestKit
import Testing

@testable import Tryton

@Suite("Tryton, live: conformance", .serialized, .enabled(if: LiveTryton.isThere))
struct ConformanceTests {
    @Test("The driver keeps the contract")
    func contract() async throws {
        var all: ConformanceReport?
        for step in Part.steps {
            // Parts of one step touch different documents, and mostly wait.
            try await withThrowingTaskGroup(of: ConformanceReport.self) { group in
                for part in step { group.addTask { try await part.run() } }
                for try await report in group {
                    var sum = all ?? report
                    if all != nil { sum.entries += report.entries }
                    all = sum
                }
            }
        }
        all?.print()
        let hasPassed = all?.hasPassed
        #expect(hasPassed == true)
        // A driver that loses a capability still passes; what it lacks is known.
        if LiveTryton.triesAll { #expect(all?.absent == Self.absent) }
    }

    private static let absent = [
        "manifest account.invoice",
        "manifest product.product",
        "manifest sale.sale",
        "manifest stock.shipment.out",
        "retryable-and-final party.party for the moment",
        "rules party.party internal-error",
        "rules party.party no-right",
        "rules party.party refused",
        "rules party.party warning",
        "rules product.product internal-error",
        "rules product.product no-right",
        "rules product.product refused",
        "rules product.product too-long",
        "rules product.product unknown-category",
        "rules product.product warning",
        "rules sale.sale closed-period",
        "rules sale.sale internal-error",
        "rules sale.sale no-right",
        "rules sale.sale not-processed",
        "rules sale.sale refused",
        "rules sale.sale too-long",
        "rules sale.sale warning",
    ]
}

/// A few checks of one type, with a proxy of their own.
private struct Part: Sendable {
    var native: String
    var orders = TrytonSettings.OrderState.processing
    var time = TrytonConformanceBench.Time.patient
    var checks: Set<Check>

    /// Those that concern the driver as a whole, and are tried with one type.
    private static let driverWide: Set<Check> = [
        .manifest, .identity, .retryableAndFinal, .unreachable, .slow, .rateLimit, .shutdown, .discovery,
    ]
    /// Those that read everything there is, or measure time: one after another.
    private static let alone: Set<Check> = [.laneConcurrency, .paging, .capture]
    private static let faults: Set<Check> = [.intentRecovery, .halfDone, .editBeforeReadBack]
    /// What only a draft can do.
    private static let drafts: Set<Check> = [.decimals, .dates, .delete]

    /// Each step's parts run side by side.
    static var steps: [[Part]] {
        let rest = Set(Check.allCases).subtracting(alone).subtracting([.lateCompletion, .functions])
        var first = [
            Part(native: "party.party", checks: rest), Part(native: "product.product", checks: rest.subtracting(driverWide)),
            Part(native: "party.party", time: .hurried, checks: [.lateCompletion]),
            Part(native: "product.product", time: .hurried, checks: [.lateCompletion]),
            Part(native: "sale.sale", checks: rest.subtracting(driverWide).subtracting(faults)),
            Part(native: "sale.sale", checks: faults.union([.lateCompletion])),
            Part(native: "sale.sale", orders: .draft, checks: drafts),
        ]
        var others = LiveTryton.kitTypes.flatMap { native in alone.sorted { $0.rawValue < $1.rawValue }.map { (native, $0) } }
            .map { Part(native: $0.0, checks: [$0.1]) }
        // While they are asked, nobody else may write.
        others.append(Part(native: "party.party", checks: [.functions]))
        first = first.filter { LiveTryton.kitTypes.contains($0.native) }
        if let wanted = LiveTryton.kitChecks {
            for index in first.indices { first[index].checks.formIntersection(wanted) }
            others = others.filter { !$0.checks.isDisjoint(with: wanted) }
        }
        return [first.filter { !$0.checks.isEmpty }] + others.map { [$0] }
    }

    func run() async throws -> ConformanceReport {
        var options = ConformanceOptions()
        options.requestLimit = 12
        options.checks = checks
        // A busy machine needs its time to call off what hangs, and to tell what has changed.
        options.patience = .seconds(15)
        options.captureTime = .seconds(30)
        options.progress = { print($0) }
        return try await DriverConformance(TrytonConformanceBench(orders: orders, time: time, natives: [native]), options).run()
    }
}

/// A Tryton with people in it, and the kit's proxy before it.
private struct TrytonConformanceBench: DriverBench {
    let proxy: TCPProxy
    let people: TrytonBench
    let orders: TrytonSettings.OrderState
    let time: Time
    let natives: Set<String>
    private let customer: NativeDocument
    private let product: NativeDocument

    var faults: any FaultInjector { proxy }

    /// How long an answer may take, and until when a call takes effect.
    enum Time {
        /// As long as on a busy machine; what arrives late arrives before the hub has stopped waiting.
        case patient
        /// A call that is late arrives when nobody waits for it any more.
        case hurried

        var settings: [String: String] {
            switch self {
            case .patient: ["answerSeconds": "20", "settleSeconds": "1"]
            case .hurried: ["answerSeconds": "6", "settleSeconds": "8"]
            }
        }
    }

    init(orders: TrytonSettings.OrderState, time: Time, natives: Set<String>) async throws {
        self.orders = orders
        self.time = time
        self.natives = natives
        people = try TrytonBench()
        let base = people.driver.settings.http.base
        let place = try #require(base.split(separator: "/").last).split(separator: ":")
        proxy = try TCPProxy(to: String(try #require(place.first)), try #require(place.last.flatMap { Int($0) }))
        customer = try await people.customer("Kit")
        product = try await people.product("KIT")
    }

    func makeDriver() async throws -> any Driver {
        let values = ["orders": orders.rawValue, "pollMilliseconds": "20"].merging(time.settings) { $1 }
        let url = "http://127.0.0.1:\(proxy.port)/\(people.driver.settings.database)"
        return try LiveTryton.driver(values, url: url, LiveTryton.acquaintance)
    }

    var samples: [Sample] { [parties, products, sales].filter { natives.contains($0.native) } }

    // MARK: Questions

    var questions: [QuestionSample] {
        let (people, customer, product) = (people, customer, product)
        let nobody: Value = "999999999"
        return [
            QuestionSample("price", unknown: ["product": nobody]) { ["product": .string(product.key.rawValue), "quantity": 3] },
            QuestionSample("stock", unknown: ["product": nobody]) { ["product": .string(product.key.rawValue), "quantity": 1] },
            QuestionSample("credit", unknown: ["customer": nobody]) { ["customer": .string(customer.key.rawValue), "amount": 5] },
            QuestionSample("validate") { ["order": .object(people.order(customer, product, quantity: 2))] },
        ]
    }

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
