import HubDriver
import HubModel

/// A type whose documents come into being in Tryton and nowhere else.
protocol ReadOnlyType: DocumentType {
    /// Why nothing is taken, in words for people.
    var refusal: String { get }
}

extension ReadOnlyType {
    var writable: Set<String> { [] }

    static func manifest(
        _ native: String, _ entity: EntityName, _ settings: TrytonSettings, transitions: [String: [String]]
    ) -> EntityManifest {
        EntityManifest(
            native: native, entity: entity, operations: [], createIsRepeatable: false, hasToken: true, hasStamp: true,
            tellsReference: false,
            delete: .refuses, isPerCompany: !settings.companies.isEmpty, transitions: transitions, rules: ["read-only"])
    }

    func references(_ row: Fields) -> [CanonicalID] { [] }
    func referring(to references: [CanonicalID]) -> [Value] { [["id", "in", []]] }
    func isDeleted(_ record: Record) -> Bool { false }

    private var refused: TrytonFailure { .refused(Rejection(rule: "read-only", text: refusal)) }

    func create(_ delivery: Delivery, _ work: inout Work) async throws(TrytonFailure) -> Int64 { throw refused }
    func update(_ record: Record, _ fields: Fields, _ work: inout Work) async throws(TrytonFailure) -> Bool { throw refused }
    func delete(_ record: Record, _ work: inout Work) async throws(TrytonFailure) { throw refused }
}
