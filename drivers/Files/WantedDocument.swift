import HubDriver
import HubModel

/// What a delivery makes of a document, decided against the record.
struct WantedDocument {
    enum Outcome {
        /// Nothing is to be written.
        case ends(Answer)
        case writes(FolderDocument)
    }

    let outcome: Outcome

    init(_ delivery: Delivery, _ type: TypeDeclaration, _ work: FolderWork) throws(Refusal) {
        switch delivery.operation {
        case .create: outcome = try Self.created(delivery, type, work)
        case .update, .delete: outcome = try Self.changed(delivery, type, work)
        }
    }

    private static func created(_ delivery: Delivery, _ type: TypeDeclaration, _ work: FolderWork) throws(Refusal) -> Outcome {
        let known = try Refusal.passing { try work.documents(type.native, reference: delivery.reference) }
        if let first = known.first { return .ends(first.isDeleted ? .gone : .unchanged(first.told)) }
        var fields = delivery.fields
        if let company = type.company, let name = delivery.company { fields[company] = .string(name) }
        try check(fields, type, except: Fields())
        // Where the mapping gives no key, the hub's reference is one that nobody else has.
        let key = fields[type.key]?.text.flatMap { $0.isEmpty ? nil : $0 } ?? delivery.reference.rawValue
        fields[type.key] = .string(key)
        let other = try Refusal.passing { try work.document(type.native, NativeKey(key)) }
        if let other, !other.isDeleted {
            throw Refusal("duplicate-key", type.key, "There is a \(type.native) \(key) already.")
        }
        return .writes(
            FolderDocument(
                native: type.native, key: NativeKey(key), reference: delivery.reference, stamp: 0, isDeleted: false, fields: fields))
    }

    private static func changed(_ delivery: Delivery, _ type: TypeDeclaration, _ work: FolderWork) throws(Refusal) -> Outcome {
        guard let key = delivery.key, let document = try Refusal.passing({ try work.document(type.native, key) }), !document.isDeleted
        else { return .ends(.gone) }
        guard let token = delivery.expected?.token else {
            throw Refusal("missing-token", nil, "A write has to name the version that it is meant for.")
        }
        guard token.rawValue == String(document.stamp) else { return .ends(.changed) }
        var wanted = document
        if delivery.operation == .delete {
            guard type.operation != nil else {
                throw Refusal("no-delete", nil, "\(type.native) has no operation column that could tell a deletion.")
            }
            wanted.isDeleted = true
            return .writes(wanted)
        }
        try check(delivery.fields, type, except: document.fields)
        wanted.fields = document.fields.overlaid(with: delivery.fields)
        return wanted.fields == document.fields ? .ends(.unchanged(document.told)) : .writes(wanted)
    }

    /// Lets members pass that the type has and its columns can keep.
    /// - Parameter known: the members of the document as it is; empty for a new one.
    private static func check(_ fields: Fields, _ type: TypeDeclaration, except known: Fields) throws(Refusal) {
        for (name, value) in fields {
            guard let column = type.column(name) else {
                throw Refusal("unknown-field", name, "\(type.native) has no column \(name).")
            }
            let isOwn = name == type.operation || name == type.reference
            let isFixed = !known.isEmpty && (name == type.key || name == type.company) && value != known[name] ?? .null
            if isOwn || isFixed { throw Refusal("read-only", name, "\(name) is not the document's to change.") }
            do throws(Column.Mistake) { try column.check(value, type.encoding) } catch {
                throw Refusal("invalid-value", name, "\(name): \(error.text).")
            }
        }
    }
}
