package import HubCodec
package import HubModel

extension Mapping {
    /// A canonical reference of a document.
    package struct CanonicalReference: Sendable, Hashable {
        package var field: String
        package var entity: EntityName
        package var id: CanonicalID
        package var isSoft: Bool
    }

    /// Every canonical field that the application tells.
    package var fieldNames: [String] {
        fields.filter { $0.direction != .out }.map(\.name) + lists.filter { $0.direction != .out }.map(\.name)
    }

    package func isReference(_ name: String) -> Bool {
        field(named: name)?.reference != nil
    }

    /// Entities that a document cannot do without.
    package var hardReferences: [EntityName] {
        (fields + lists.flatMap(\.fields)).compactMap { $0.isSoft ? nil : $0.reference }
    }

    /// The references that these canonical fields hold, those in lists too.
    package func references(in canonical: Fields) -> [CanonicalReference] {
        guard hasReferences else { return [] }
        var found: [CanonicalReference] = []
        for field in fields {
            guard let entity = field.reference, let id = canonical[field.name]?.text else { continue }
            found.append(CanonicalReference(field: field.name, entity: entity, id: CanonicalID(id), isSoft: field.isSoft))
        }
        for list in lists {
            let references = list.fields.filter { $0.reference != nil }
            guard !references.isEmpty, let elements = canonical[list.name]?.array else { continue }
            for element in elements {
                for field in references {
                    let path = field.name.split(separator: ".").map(String.init)
                    guard let entity = field.reference, let id = element.object?[path: path]?.text else { continue }
                    found.append(
                        CanonicalReference(field: list.name, entity: entity, id: CanonicalID(id), isSoft: field.isSoft))
                }
            }
        }
        return found
    }
}
