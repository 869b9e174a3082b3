import Foundation
import GRDB
import HubDriver
import HubModel
import Testing

@testable import Files

/// Two folders, one for each direction, which go with the test.
final class Folders: Sendable {
    let root: String
    var inbound: String { root + "/in" }
    var outbound: String { root + "/out" }
    var archive: String { inbound + "/archive" }

    init() throws {
        root = NSTemporaryDirectory() + "files-\(UUID().uuidString)"
        for folder in [inbound, outbound] { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func driver(_ types: String, _ others: [String: String] = [:]) throws -> FilesDriver {
        let values = ["inbound": inbound, "outbound": outbound, "types": types].merging(others) { $1 }
        let made = try FilesFactory.make(DriverSettings(application: "drop", values: values))
        return try #require(made as? FilesDriver)
    }

    /// Puts a file into the inbound folder as another program should: under another name first.
    func drop(_ name: String, _ text: String) throws { try drop(name, Array(text.utf8)) }

    func drop(_ name: String, _ bytes: [UInt8]) throws { try DurableFile.replace(inbound + "/" + name, with: bytes) }

    /// Files that other programs see in a folder.
    func files(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasPrefix(".") && !$0.hasPrefix("archive") }.sorted()
    }

    /// What the only file of the outbound folder holds.
    func written() throws -> String {
        let names = try files(outbound)
        #expect(names.count == 1, "\(names)")
        return String(decoding: try Data(contentsOf: URL(fileURLWithPath: outbound + "/" + (names.first ?? ""))), as: UTF8.self)
    }
}

extension FilesDriver {
    /// Everything that the feed tells behind a place, in looks of that size.
    func told(after start: String? = nil, limit: Int = 7) async throws -> (
        changes: [CapturedChange], malformed: [MalformedEntry], end: String?
    ) {
        var (changes, malformed, position) = ([CapturedChange](), [MalformedEntry](), start)
        while true {
            let batch = try await capture(after: position, limit: limit)
            #expect(batch.changes.count + batch.malformed.count <= limit)
            if batch.changes.isEmpty, batch.malformed.isEmpty { return (changes, malformed, position) }
            changes += batch.changes
            malformed += batch.malformed
            position = batch.position
        }
    }

    func apply(_ delivery: Delivery) async throws -> Answer { try #require(try await apply([delivery]).first) }
}

func delivery(
    _ operation: Delivery.Operation, _ fields: Fields = [:], reference: CanonicalID = "customer-1-1", of document: NativeDocument? = nil,
    native: String = "customer", version: Int = 1
) -> Delivery {
    Delivery(
        target: Target("drop", .shared, reference), version: Version(generation: 1, number: version), operation: operation, native: native,
        key: document?.key, reference: reference, fields: fields,
        expected: document.map { Delivery.Expectation(token: $0.token, fields: [:]) })
}

extension Answer {
    var document: NativeDocument? {
        switch self {
        case .written(let document), .unchanged(let document): document
        default: nil
        }
    }
    var rule: String? { if case .rejected(let rejection) = self { rejection.rule } else { nil } }
}

/// Runs its body while another process, so to speak, holds the write lock of a folder's record.
func whileHeld<T: Sendable>(_ path: String, _ body: @Sendable () async throws -> T) async throws -> T {
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    let other = try DatabaseQueue(path: path, configuration: configuration)
    try await other.writeWithoutTransaction { try $0.beginTransaction(.exclusive) }
    let result: Result<T, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    try await other.writeWithoutTransaction { try $0.rollback() }
    return try result.get()
}
