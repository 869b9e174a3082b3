import Foundation
import HTTPApplication
import HubDriver
import HubModel
import Testing

@testable import Odoo

/// The Odoo that `scripts/apps/odoo start` made: the driver under test, and a person at its side.
struct LiveOdoo {
    static let url = ProcessInfo.processInfo.environment["MULTIPOINT_ODOO_URL"]
    /// The file with the key.
    static let keyFile = ProcessInfo.processInfo.environment["MULTIPOINT_ODOO_KEY"]
    static let isThere = url != nil && keyFile != nil
    static let absence: Comment = "needs an Odoo: run scripts/apps/odoo start DIR and set MULTIPOINT_ODOO_URL and MULTIPOINT_ODOO_KEY"

    let driver: OdooDriver
    /// Tells this run's documents from those of earlier ones.
    let run = String(UInt64.random(in: 0...(.max)), radix: 36)

    init(_ more: [String: String] = [:], url other: String? = nil, key: String? = nil) throws {
        let file = try #require(Self.keyFile)
        var values = [
            "url": try #require(other ?? Self.url), "key": try key ?? String(contentsOfFile: file, encoding: .utf8),
            "pollMilliseconds": "1",
            "sweepSeconds": "0",
        ]
        values.merge(more) { $1 }
        driver = try #require(try OdooFactory.make(DriverSettings(application: "odoo", values: values)) as? OdooDriver)
    }

    func delivery(
        _ operation: Delivery.Operation, _ native: String, _ reference: String, key: NativeKey? = nil, _ fields: Fields = Fields(),
        expected: Fields? = nil
    ) -> Delivery {
        let id = CanonicalID("\(reference)-\(run)")
        return Delivery(
            target: Target("odoo", .shared, id), version: Version(generation: 1, number: 1), operation: operation, native: native, key: key,
            reference: id, fields: fields, expected: expected.map { Delivery.Expectation(token: nil, fields: $0) })
    }

    func apply(
        _ operation: Delivery.Operation, _ native: String, _ reference: String, key: NativeKey? = nil, _ fields: Fields = Fields(),
        expected: Fields? = nil
    ) async throws -> Answer {
        let answers = try await driver.apply([delivery(operation, native, reference, key: key, fields, expected: expected)])
        return try #require(answers.count == 1 ? answers.first : nil)
    }

    /// Creates a document and expects that it is there afterwards.
    func created(_ native: String, _ reference: String, _ fields: Fields) async throws -> NativeDocument {
        let answer = try await apply(.create, native, reference, fields)
        guard case .written(let document) = answer else { throw Unexpected(answer) }
        return document
    }

    func customer(_ reference: String = "customer") async throws -> NativeDocument {
        try await created("res.partner", reference, ["name": .string("Acme \(run)"), "city": "Lyon"])
    }

    func product(_ reference: String = "product") async throws -> NativeDocument {
        try await created(
            "product.product", reference,
            ["name": .string("Widget \(run)"), "default_code": .string("W-\(run)"), "list_price": number("25.10")])
    }

    func order(_ customer: NativeDocument, _ product: NativeDocument, _ reference: String = "order") async throws -> NativeDocument {
        try await created(
            "sale.order", reference,
            [
                "partner_id": .string(customer.key.rawValue), "client_order_ref": .string("PO \(run)"), "date_order": "2026-03-01 11:00:00",
                "order_line": [line("1", product, "2.00", "24.9900"), line("2", product, "3.13", "10.1234")],
            ])
    }

    func line(_ id: String, _ product: NativeDocument, _ quantity: String, _ price: String) -> Value {
        [
            "id": .string(id), "product_id": .string(product.key.rawValue), "product_uom_qty": number(quantity),
            "price_unit": number(price),
        ]
    }

    // MARK: The person

    func create(_ model: String, _ fields: Fields) async throws -> Int64 {
        let value = try await driver.client.call(model, "create", ["vals_list": [.object(fields)]])
        return try #require(value.array?.first?.integer)
    }

    func write(_ model: String, _ key: NativeKey, _ fields: Fields) async throws {
        try await driver.client.write(model, try #require(Int64(key.rawValue)), fields, company: nil)
    }

    func act(_ model: String, _ method: String, _ key: NativeKey, _ more: Fields = Fields()) async throws {
        let id = try #require(Int64(key.rawValue))
        _ = try await driver.client.call(model, method, more.overlaid(with: ["ids": [.number(Number(id))]]))
    }

    /// All changes from a position on, and the position behind them.
    func changes(after position: String?) async throws -> (changes: [CapturedChange], position: String?, notices: [String]) {
        var all: [CapturedChange] = []
        var notices: [String] = []
        var position = position
        while true {
            let batch = try await driver.capture(after: position, limit: 50)
            all += batch.changes
            notices += batch.notices
            position = batch.position
            if batch.changes.isEmpty { return (all, position, notices) }
        }
    }
}

struct Unexpected: Error, CustomStringConvertible {
    var description: String
    init(_ value: some Any) { description = "unexpected: \(value)" }
}

/// A number as written.
func number(_ text: String) -> Value { Number(text).map { .number($0) } ?? .null }

extension Answer {
    var document: NativeDocument? {
        switch self {
        case .written(let document), .unchanged(let document): document
        default: nil
        }
    }

    var rule: String? { if case .rejected(let rejection) = self { rejection.rule } else { nil } }
    var field: String? { if case .rejected(let rejection) = self { rejection.field } else { nil } }
    var isWritten: Bool { if case .written = self { true } else { false } }
    var isUnchanged: Bool { if case .unchanged = self { true } else { false } }
}
