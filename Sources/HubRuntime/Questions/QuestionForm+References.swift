import HubCodec
import HubDriver
import HubModel
import HubRules
import HubStore

extension QuestionForm {
    /// The application's key of a document that people name by its id in the hub, as `native:KEY`, or by what the entity is matched by.
    func key(_ text: String, _ entity: EntityName, _ place: String, _ store: (any StoreTransaction)?) throws -> NativeKey {
        if text.hasPrefix(Self.nativePrefix) {
            let key = text.dropFirst(Self.nativePrefix.count)
            guard !key.isEmpty else { throw QuestionMistake(.argument, place, "names no key: write \(Self.nativePrefix)17") }
            return NativeKey(String(key))
        }
        guard let store else {
            throw QuestionMistake(
                .argument, place, "the hub has no store yet, so that \(text) is not known: write \(Self.nativePrefix)KEY")
        }
        let golden = try golden(text, entity, place, store)
        guard golden.entity == entity else {
            throw QuestionMistake(.argument, place, "\(text) is a document of type \(golden.entity), not \(entity)")
        }
        let target = plan.target(application.id, entity, golden.company, golden.id)
        guard let key = try store.target(target).key else {
            throw QuestionMistake(.argument, place, "\(golden.id) is not in \(application.id): the hub has no link to it there")
        }
        return key
    }

    private func golden(_ text: String, _ entity: EntityName, _ place: String, _ store: any StoreTransaction) throws -> GoldenRecord {
        if let golden = try store.golden(CanonicalID(text)) { return golden }
        let fields = plan.policy(entity).match
        var found: Set<CanonicalID> = []
        if let wanted = Value.string(text).matchText {
            for field in fields { found.formUnion(try store.matches(entity, field, wanted)) }
        }
        if found.count > 1 {
            let ids = found.sorted().prefix(3).map(\.rawValue).joined(separator: ", ")
            throw QuestionMistake(.argument, place, "\(text) stands for \(found.count) documents (\(ids)…): write the id of one of them")
        }
        guard let id = found.first, let golden = try store.golden(id) else {
            let ways = fields.isEmpty ? "" : ", its \(fields.joined(separator: " or "))"
            throw QuestionMistake(
                .argument, place, "the hub knows no \(entity) \(text): give its id in the hub\(ways), or \(Self.nativePrefix)KEY")
        }
        return golden
    }

    /// A canonical document as the application's own mapping writes it.
    func native(
        _ canonical: Fields, _ place: String, _ company: CompanyID?, _ store: (any StoreTransaction)?
    ) throws -> Fields {
        let entity = EntityName(place)
        guard let mapping = plan.binding(application.id, entity)?.mapping else {
            throw QuestionMistake(
                .argument, place,
                "\(application.id) has no mapping of \(entity): give its own members as {\"\(Self.nativeMember)\": {…}}")
        }
        let flat = canonical.flattened()
        for name in flat.names where mapping.field(named: name) == nil && mapping.list(named: name) == nil {
            throw QuestionMistake(
                .argument, "\(place).\(name)",
                "the mapping of \(application.id) has no such field; its own members go into {\"\(Self.nativeMember)\": {…}}")
        }
        do {
            return try mapping.native(from: flat, timeZone: plan.timeZone(company ?? .shared)) { entity, id in
                try key(id.rawValue, entity, place, store)
            }.native
        } catch let error as TranslationError {
            throw QuestionMistake(.argument, "\(place).\(error.field)", error.reason + (error.excerpt.map { ": \($0)" } ?? ""))
        }
    }
}
