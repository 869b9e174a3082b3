import HubDriver
import HubModel

/// One native type: how its documents are read, told and written.
protocol DocumentType: Sendable {
    var manifest: EntityManifest { get }
    /// The model whose records the documents are; the native type itself, unless it says otherwise.
    var model: String { get }
    /// What makes a record of the model a document of this type: the company's only, where they belong to one.
    func domain(_ work: Work) -> [Value]
    /// A record is a document in each company, and each company's changes are told apart.
    var hasFeedPerCompany: Bool { get }
    /// Nested parts that count for the version, and their models.
    var parts: [String: String] { get }
    /// Where changes of a document can be seen: the model, and the field that leads to the document (nil: the document itself).
    var sources: [ChangeSource] { get }
    /// The fields to read, dotted for nested ones, of those that the installation has.
    func fields(_ profile: Profile) -> [String]
    /// Members that the hub may write.
    var writable: Set<String> { get }
    /// Where members stand in Tryton, for those who want to know what an installation has.
    var members: [Member] { get }
    /// The document's members.
    func told(_ record: Record, _ work: Work) -> Fields
    /// Where the reference is an identifier, which a person's duplicate of the document carries too.
    var identifiers: HubIdentifier? { get }
    /// The hub's reference in a record.
    func references(_ row: Fields) -> [CanonicalID]
    /// The domain of records that carry a reference.
    func referring(to references: [CanonicalID]) -> [Value]
    /// False for a document that the hub has begun to make and not finished: nobody is told of it.
    func isWhole(_ record: Record, _ work: Work) -> Bool
    func isDeleted(_ record: Record) -> Bool

    /// Records as they were read, with what it takes further questions to know.
    func completed(_ records: [Record], _ work: Work) async throws(TrytonFailure) -> [Record]

    /// Makes the document and gives its key.
    func create(_ delivery: Delivery, _ work: inout Work) async throws(TrytonFailure) -> Int64
    /// Finishes what an earlier call began.
    func resume(_ record: Record, _ delivery: Delivery, _ work: inout Work) async throws(TrytonFailure)
    /// Makes the members so; false where they are so already.
    func update(_ record: Record, _ fields: Fields, _ work: inout Work) async throws(TrytonFailure) -> Bool
    func delete(_ record: Record, _ work: inout Work) async throws(TrytonFailure)
}

/// A model whose records belong to documents.
struct ChangeSource: Sendable, Hashable {
    var model: String
    /// The field that holds the document's key, or keys; nil where the record is the document.
    var link: String?
    /// The field of the document's model whose presence shows that this model is installed; nil: always there.
    var needs: String?
    /// Which of the model's records count; all of them where it is empty.
    var domain: [Value] = []
    /// Where its records name no document: those that each of them may be about, of the document's model. Who may not read such records is
    /// not told of them.
    var holders: [Value]?
}

extension DocumentType {
    var native: String { manifest.native }
    var model: String { native }
    var hasFeedPerCompany: Bool { false }
    var identifiers: HubIdentifier? { nil }
    func domain(_ work: Work) -> [Value] { manifest.isPerCompany ? work.ofCompanies : [] }
    func isWhole(_ record: Record, _ work: Work) -> Bool { true }
    func completed(_ records: [Record], _ work: Work) async throws(TrytonFailure) -> [Record] { records }
    func isDeleted(_ record: Record) -> Bool { !record.row.isActive }
    func resume(_ record: Record, _ delivery: Delivery, _ work: inout Work) async throws(TrytonFailure) {}

    /// Members of a delivery that the type does not have, or that only Tryton sets.
    func check(_ fields: Fields, readable: Set<String>, before: Fields?) throws(TrytonFailure) {
        for (name, value) in fields {
            if let place = Self.unreadable(value, name) {
                throw .refused(Rejection(rule: "invalid-text", field: place, text: "\(place) holds a NUL, which Tryton cannot keep."))
            }
            if writable.contains(name) || before?[name] == value { continue }
            guard readable.contains(name) else {
                throw .refused(Rejection(rule: "unknown-field", field: name, text: "\(native) has no member \(name)."))
            }
            throw .refused(Rejection(rule: "read-only", field: name, text: "\(name) of \(native) is set by Tryton itself."))
        }
    }

    private static func unreadable(_ value: Value, _ place: String) -> String? {
        switch value {
        case .string(let text): return text.utf8.contains(0) ? place : nil
        case .array(let elements): return elements.lazy.compactMap { unreadable($0, place) }.first
        case .object(let fields): return fields.lazy.compactMap { unreadable($0.value, "\(place).\($0.name)") }.first
        default: return nil
        }
    }
}

/// What makes Tryton's values from the hub's, or says why not.
enum Given {
    static func text(_ value: Value, _ name: String) throws(TrytonFailure) -> Value {
        switch value {
        case .null: return .null
        case .string: return value
        case .number(let number): return .string(number.description)
        default: throw invalid(name, value, "a text")
        }
    }

    static func decimal(_ value: Value, _ name: String) throws(TrytonFailure) -> Value {
        switch value {
        case .null: return .null
        case .number(let number): return Wire.decimal(number)
        default: throw invalid(name, value, "a number")
        }
    }

    static func number(_ value: Value, _ name: String) throws(TrytonFailure) -> Value {
        switch value {
        case .null, .number: return value
        default: throw invalid(name, value, "a number")
        }
    }

    static func bool(_ value: Value, _ name: String) throws(TrytonFailure) -> Value {
        switch value {
        case .null: return false
        case .bool: return value
        default: throw invalid(name, value, "true or false")
        }
    }

    static func date(_ value: Value, _ name: String) throws(TrytonFailure) -> Value {
        if value.isNull { return .null }
        guard let date = value.text.flatMap(Wire.date) else { throw invalid(name, value, "a day such as 2026-02-28") }
        return date
    }

    /// A key of Tryton's, which comes as text or number.
    static func key(_ value: Value, _ name: String, rule: String) throws(TrytonFailure) -> Int64 {
        guard let key = value.keyText.flatMap({ Int64($0) }), key > 0 else {
            throw .refused(Rejection(rule: rule, field: name, text: "\(name): there is no \(JSONText.text(value))."))
        }
        return key
    }

    /// The key of what people name so.
    static func named(
        _ value: Value, _ name: String, _ model: String, by fields: [String], rule: String, _ work: Work
    ) async throws(TrytonFailure) -> Value {
        if value.isNull { return .null }
        guard let text = value.keyText, let key = try await work.key(model, text, by: fields) else {
            throw .refused(Rejection(rule: rule, field: name, text: "\(name): Tryton has no \(JSONText.text(value))."))
        }
        return .id(key)
    }

    private static func invalid(_ name: String, _ value: Value, _ wanted: String) -> TrytonFailure {
        .refused(Rejection(rule: "invalid-value", field: name, text: "\(name) is \(wanted), not \(JSONText.text(value))."))
    }
}
