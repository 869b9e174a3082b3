import Foundation
import HubDriver
import HubModel
import ReferenceApplication
import ReferenceCRM
import ReferenceERP
import Synchronization
import Testing

/// A clock that stands still until a test moves it.
final class ManualTime: Sendable {
    private let milliseconds = Mutex<Int64>(1_790_000_000_000)  // 2026-09-21

    func advance(_ duration: Duration) { milliseconds.withLock { $0 += duration.milliseconds } }
    var now: Instant { Instant(milliseconds: milliseconds.withLock { $0 }) }
}

/// A path for one test's file, which goes with it.
final class TemporaryFile: Sendable {
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("reference-\(UUID().uuidString).db").path
    }

    deinit { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
}

/// An ERP with its driver, one customer and two articles.
struct ERPBench {
    let temporary = TemporaryFile()
    let time = ManualTime()
    let erp: ERPApplication
    let driver: ReferenceDriver
    let partner: NativeKey
    let article: NativeKey
    let retired: NativeKey

    init() async throws {
        let time = time
        erp = try ERPApplication(path: temporary.path, now: { time.now })
        driver = ReferenceDriver(manifest: try erpManifest(temporary.path), file: erp.file)
        partner = try await erp.createPartner(["code": "acme", "name": "Acme", "credit_limit": 1000])
        article = try await erp.createArticle(["code": "wid-1", "name": "Widget", "price": 25, "currency": "EUR", "stock": 100])
        retired = try await erp.createArticle(["code": "old-1", "name": "Old", "price": 5, "saleable": false, "stock": 100])
    }

    func order(_ changes: Fields = [:], quantity: Value = 2) -> Fields {
        let fields: Fields = [
            "partner": .string(partner.rawValue), "order_date": "2026-09-20",
            "lines": [["article": .string(article.rawValue), "quantity": quantity]],
        ]
        return fields.overlaid(with: changes)
    }

    func document(_ native: String, _ key: NativeKey) throws -> NativeDocument {
        try #require(try erp.file.documents(native: native).first { $0.key == key })
    }
}

/// A CRM with its driver, one account and one item.
struct CRMBench {
    let temporary = TemporaryFile()
    let time = ManualTime()
    let crm: CRMApplication
    let driver: ReferenceDriver
    let account: NativeKey
    let item: NativeKey

    init() async throws {
        let time = time
        crm = try CRMApplication(path: temporary.path, now: { time.now })
        let made = try ReferenceCRMFactory.make(DriverSettings(application: "crm", values: ["file": temporary.path]))
        driver = ReferenceDriver(manifest: made.manifest, file: crm.file)
        account = try await crm.createAccount(["name": "Acme", "territory": "north"])
        item = try await crm.createItem(["code": "wid-1", "name": "Widget", "price": 25])
    }

    func deal(_ changes: Fields = [:]) -> Fields {
        let fields: Fields = [
            "account": .string(account.rawValue), "lines": [["item": .string(item.rawValue), "quantity": 2]],
        ]
        return fields.overlaid(with: changes)
    }

    func document(_ native: String, _ key: NativeKey) throws -> NativeDocument {
        try #require(try crm.file.documents(native: native).first { $0.key == key })
    }
}

func erpManifest(_ path: String) throws -> Manifest {
    try ReferenceERPFactory.make(DriverSettings(application: "erp", values: ["file": path])).manifest
}

func delivery(
    _ operation: Delivery.Operation, _ native: String, _ fields: Fields = [:], reference: CanonicalID = "x-1", key: NativeKey? = nil,
    token: VersionToken? = nil
) -> Delivery {
    Delivery(
        target: Target("app", .shared, reference), version: Version(generation: 1, number: 1), operation: operation, native: native,
        key: key, reference: reference, fields: fields, expected: token.map { Delivery.Expectation(token: $0, fields: [:]) })
}

extension Answer {
    /// The document of an answer that has one.
    var document: NativeDocument? {
        switch self {
        case .written(let document), .unchanged(let document): document
        default: nil
        }
    }
    var rule: String? { if case .rejected(let rejection) = self { rejection.rule } else { nil } }
    var isNoAnswer: Bool { if case .noAnswer = self { true } else { false } }
    var isRetry: Bool { if case .retry = self { true } else { false } }
}

extension ReferenceDriver {
    func apply(_ delivery: Delivery) async throws -> Answer { try #require(try await apply([delivery]).first) }

    func changes() async throws -> [CapturedChange] {
        var all: [CapturedChange] = []
        var position: String?
        while true {
            let batch = try await capture(after: position, limit: 7)
            if batch.changes.isEmpty { return all }
            all += batch.changes
            position = batch.position
        }
    }
}

/// Expects that a step breaks the rule of that name.
func expectRefused(_ rule: String, sourceLocation: SourceLocation = #_sourceLocation, _ step: () async throws -> Void) async {
    do {
        try await step()
        Issue.record("nothing refused, expected \(rule)", sourceLocation: sourceLocation)
    } catch {
        #expect((error as? Refused)?.rule == rule, "\(error)", sourceLocation: sourceLocation)
    }
}
