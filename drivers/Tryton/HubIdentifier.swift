import HubModel

/// The hub's reference as an identifier without a type, which parties and products may have any number of: `multipoint:customer-1-42`.
struct HubIdentifier: Sendable, Hashable {
    /// The model of the identifiers and the field that leads from there to the document.
    var model: String
    var link: String

    private static let beginning = "multipoint:"

    static func value(_ reference: CanonicalID) -> Value { ["code": .string(beginning + reference.rawValue)] }

    static func references(_ row: Fields) -> [CanonicalID] {
        row.many("identifiers").compactMap { identifier in
            guard identifier["type"]?.isNull ?? true, let code = identifier["code"]?.text, code.hasPrefix(beginning) else { return nil }
            return CanonicalID(String(code.dropFirst(beginning.count)))
        }
    }

    static func referring(to references: [CanonicalID]) -> [Value] {
        [["identifiers.code", "in", .array(references.map { .string(beginning + $0.rawValue) })]]
    }

    /// The documents that got these references first: later carriers are duplicates that a person has made.
    func holders(of references: [CanonicalID], _ work: Work) async throws(TrytonFailure) -> [CanonicalID: Int64] {
        if references.isEmpty { return [:] }
        let codes = Value.array(references.map { .string(Self.beginning + $0.rawValue) })
        var result: [CanonicalID: Int64] = [:]
        for row in try await work.rows(model, [["code", "in", codes]], ["code", link]) {
            guard let code = row["code"]?.text, let id = row[link]?.integer else { continue }
            let reference = CanonicalID(String(code.dropFirst(Self.beginning.count)))
            result[reference] = min(id, result[reference] ?? id)
        }
        return result
    }
}
