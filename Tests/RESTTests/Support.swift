import Foundation
import HTTPApplication
import HubDriver
import HubModel
import Testing

@testable import REST

/// A recipe in a folder of its own.
struct RecipeFile {
    let path: String

    init(_ text: String) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("recipe-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent("recipe.yaml")
        try Data(text.utf8).write(to: file)
        path = file.path
    }

    /// The driver as the hub gets it, with the capabilities of its recipe.
    func made(_ values: [String: String] = [:], companies: [CompanyID: String] = [:]) throws -> any Driver {
        try RESTFactory.make(
            DriverSettings(application: "rest", values: values.merging(["recipe": path]) { $1 }, companies: companies))
    }

    /// The driver underneath.
    func driver(_ values: [String: String] = [:], companies: [CompanyID: String] = [:]) throws -> RESTDriver {
        let made = try made(values, companies: companies)
        return try #require((made as? any RecipeDriver)?.base ?? made as? RESTDriver)
    }

    /// A recipe that comes with the driver.
    static func shipped(_ name: String) throws -> String {
        let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let file = here.appendingPathComponent("../../drivers/REST/recipes/\(name)").standardized
        return try String(contentsOf: file, encoding: .utf8)
    }
}

/// A number as written.
func number(_ text: String) -> Value { Number(text).map { .number($0) } ?? .null }

/// Deliveries as the hub makes them.
func delivery(
    _ operation: Delivery.Operation, _ native: String, _ reference: String, key: NativeKey? = nil, company: String? = nil,
    _ fields: Fields = Fields(), token: VersionToken? = nil, expected: Fields? = nil
) -> Delivery {
    let isConditional = token != nil || expected != nil
    return Delivery(
        target: Target("rest", .shared, CanonicalID(reference)), version: Version(generation: 1, number: 1), operation: operation,
        native: native, company: company, key: key, reference: CanonicalID(reference), fields: fields,
        expected: isConditional ? .init(token: token, fields: expected ?? Fields()) : nil)
}

extension RESTDriver {
    func one(_ delivery: Delivery) async throws -> Answer {
        let answers = try await apply([delivery])
        return try #require(answers.count == 1 ? answers.first : nil)
    }
}

extension Answer {
    var document: NativeDocument? {
        switch self {
        case .written(let document), .unchanged(let document): document
        default: nil
        }
    }

    var rejection: Rejection? { if case .rejected(let rejection) = self { rejection } else { nil } }
}

/// What a call throws.
func failure(_ body: () async throws -> Void) async -> DriverError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? DriverError
    }
}
