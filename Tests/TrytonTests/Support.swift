import Foundation
import HubDriver
import HubModel
import HubTestKit
import Synchronization
import Testing

@testable import Tryton

/// The Tryton that tests run against, where there is one.
enum LiveTryton {
    static let url = ProcessInfo.processInfo.environment["MULTIPOINT_TRYTON_URL"]
    static let password = ProcessInfo.processInfo.environment["MULTIPOINT_TRYTON_PASSWORD"] ?? "admin"
    static let version = ProcessInfo.processInfo.environment["MULTIPOINT_TRYTON_VERSION"] ?? "8.0"

    /// One log-in for all tests that do not try log-ins themselves.
    static let acquaintance = Acquaintance(isShared: true)

    /// The types that the conformance kit tries; each takes minutes.
    static let kitTypes =
        ProcessInfo.processInfo.environment["MULTIPOINT_TRYTON_KIT"].map { $0.split(separator: ",").map(String.init) }
        ?? ["party.party", "product.product", "sale.sale"]

    /// Only these checks of it; nil: all.
    static let kitChecks = ProcessInfo.processInfo.environment["MULTIPOINT_TRYTON_CHECKS"].map { names in
        Set(names.split(separator: ",").compactMap { Check(rawValue: String($0)) })
    }

    /// The kit is left whole.
    static let triesAll = kitChecks == nil && kitTypes.count == 3

    /// False, and said so, where no Tryton is given.
    static let isThere: Bool = {
        if url == nil { print("skipped: Tryton tests, as MULTIPOINT_TRYTON_URL names no server (scripts/apps/tryton starts one)") }
        return url != nil
    }()

    /// - Parameter acquaintance: a log-in to share; nil: one of its own.
    static func driver(
        _ values: [String: String] = [:], url: String? = nil, _ acquaintance: Acquaintance? = nil, companies: [CompanyID: String] = [:]
    ) throws -> TrytonDriver {
        var all = [
            "url": url ?? Self.url ?? "http://127.0.0.1:1/none", "user": "admin", "password": password, "version": version,
            "pollMilliseconds": "20", "accountCategory": "Goods (accounting)",
        ]
        all.merge(values) { $1 }
        let settings = DriverSettings(application: "tryton", values: all, companies: companies)
        if let acquaintance { return TrytonDriver(try TrytonSettings(settings), acquaintance) }
        return try #require(try TrytonFactory.make(settings) as? TrytonDriver)
    }
}

/// A driver, and people who work in the same Tryton beside it.
struct TrytonBench {
    let driver: TrytonDriver
    let run = String(UInt32.random(in: .min ... .max), radix: 36)

    init(_ driver: TrytonDriver) { self.driver = driver }

    init(_ values: [String: String] = [:], _ acquaintance: Acquaintance? = LiveTryton.acquaintance) throws {
        driver = try LiveTryton.driver(values, acquaintance)
    }

    func reference(_ name: String) -> CanonicalID { CanonicalID("\(name)-\(run)") }

    // MARK: The hub

    func delivery(
        _ operation: Delivery.Operation, _ native: String, _ fields: Fields = [:], reference: CanonicalID, key: NativeKey? = nil,
        token: VersionToken? = nil
    ) -> Delivery {
        Delivery(
            target: Target("tryton", .shared, reference), version: Version(generation: 1, number: 1), operation: operation, native: native,
            key: key, reference: reference, fields: fields, expected: token.map { Delivery.Expectation(token: $0, fields: [:]) })
    }

    func apply(_ delivery: Delivery) async throws -> Answer { try #require(try await driver.apply([delivery]).first) }

    func create(_ native: String, _ fields: Fields, _ name: String) async throws -> NativeDocument {
        let answer = try await apply(delivery(.create, native, fields, reference: reference(name)))
        guard case .written(let document) = answer else {
            Issue.record("created nothing: \(answer)")
            throw CancellationError()
        }
        return document
    }

    func update(_ native: String, _ document: NativeDocument, _ fields: Fields) async throws -> Answer {
        try await apply(
            delivery(.update, native, fields, reference: document.reference ?? "none", key: document.key, token: document.token))
    }

    func customer(_ name: String, _ fields: Fields = [:]) async throws -> NativeDocument {
        let whole: Fields = ["name": .string("\(name) \(run)"), "address": ["street": "1 Road", "city": "Paris", "country": "FR"]]
        return try await create("party.party", whole.overlaid(with: fields), name)
    }

    func product(_ code: String, _ price: Number = Number(2500, scale: 2)) async throws -> NativeDocument {
        try await create(
            "product.product", ["code": .string("\(code)-\(run)"), "name": .string(code), "list_price": .number(price)], "product-\(code)")
    }

    func order(_ customer: NativeDocument, _ product: NativeDocument, quantity: Value, price: Value = 25) -> Fields {
        [
            "party": customer.fields["id"] ?? .null, "reference": "PO-1", "sale_date": "2026-11-20",
            "lines": [["key": "a", "product": product.fields["id"] ?? .null, "quantity": quantity, "unit_price": price]],
        ]
    }

    // MARK: People

    func work() async throws -> Work { try await driver.work(nil) }

    /// What a person does in Tryton's own client.
    @discardableResult
    func person(_ model: String, _ method: String, _ parameters: [Value]) async throws -> Value {
        var work = try await work()
        return try await work.write(model, method, parameters)
    }

    func edit(_ model: String, _ key: NativeKey, _ fields: Fields) async throws {
        try await person(model, "write", [[.id(try #require(Int64(key.rawValue)))], .object(fields)])
    }

    /// The feed's end. What stands before it is told once for all tests: every document takes its time.
    func present() async throws -> String {
        let kind = "\(driver.settings.hasAccounts)"
        let known = Self.reached.withLock { $0[kind] }
        let position = try #require(try await changes(after: known).position ?? known)
        Self.reached.withLock { $0[kind] = position }
        return position
    }

    private static let reached = Mutex<[String: String]>([:])

    /// Everything that the feed tells after a position.
    func changes(after position: String?) async throws -> (changes: [CapturedChange], position: String?) {
        var all: [CapturedChange] = []
        var position = position
        while true {
            let batch = try await driver.capture(after: position, limit: 50)
            if batch.changes.isEmpty { return (all, position) }
            all += batch.changes
            position = batch.position
        }
    }
}

extension Answer {
    var document: NativeDocument? {
        switch self {
        case .written(let document), .unchanged(let document): document
        default: nil
        }
    }
    var isWritten: Bool { if case .written = self { true } else { false } }
    var isUnchanged: Bool { if case .unchanged = self { true } else { false } }
    var rule: String? { if case .rejected(let rejection) = self { rejection.rule } else { nil } }
}
