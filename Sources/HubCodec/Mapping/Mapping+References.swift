package import HubModel

/// A reference for which there was no link.
package struct UnresolvedReference: Sendable, Hashable {
    /// The canonical field, dotted; inside a list with the element's id or position: `lines[7].product`.
    package var field: String
    package var entity: EntityName
    /// The native key, or on the way out the canonical id.
    package var key: String
    package var isSoft: Bool

    package init(field: String, entity: EntityName, key: String, isSoft: Bool) {
        self.field = field
        self.entity = entity
        self.key = key
        self.isSoft = isSoft
    }
}

extension Mapping {
    /// Puts canonical ids where translated fields hold native keys of references, inside lists too. A soft reference without
    /// a link is taken out of the fields; a hard one keeps its native key, and the document has to wait.
    package func resolveReferences<E: Error>(
        in fields: inout Fields, lookUp: (EntityName, NativeKey) throws(E) -> CanonicalID?
    ) throws(E) -> [UnresolvedReference] {
        var unresolved: [UnresolvedReference] = []
        for field in self.fields {
            guard let entity = field.reference, field.isIn, let key = fields[field.name]?.keyText else { continue }
            if let id = try lookUp(entity, NativeKey(key)) {
                fields[field.name] = .string(id.rawValue)
            } else {
                unresolved.append(UnresolvedReference(field: field.name, entity: entity, key: key, isSoft: field.isSoft))
                if field.isSoft { fields[field.name] = nil }
            }
        }
        for list in lists {
            let references = list.fields.filter { $0.reference != nil && $0.isIn }
            guard !references.isEmpty, var elements = fields[list.name]?.array else { continue }
            for place in elements.indices {
                guard var element = elements[place].object?.flattened() else { continue }
                for field in references {
                    guard let entity = field.reference, let key = element[field.name]?.keyText else { continue }
                    if let id = try lookUp(entity, NativeKey(key)) {
                        element[field.name] = .string(id.rawValue)
                    } else {
                        let name = list.name(of: element, at: place, field: field.name)
                        unresolved.append(UnresolvedReference(field: name, entity: entity, key: key, isSoft: field.isSoft))
                        if field.isSoft { element[field.name] = nil }
                    }
                }
                elements[place] = .object(element.nested())
            }
            fields[list.name] = .array(elements)
        }
        return unresolved
    }
}

extension ListMapping {
    /// What people call an element's field: `lines[7].product`.
    func name(of element: Fields, at place: Int, field: String) -> String {
        "\(name)[\(element[Self.idName]?.keyText ?? "#\(place + 1)")].\(field)"
    }
}
