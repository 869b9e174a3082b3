package import FoundationEssentials
package import HubModel

extension Mapping {
    /// What to write to the application so that it holds these canonical fields: nested native members for whichever of them
    /// the mapping writes. A reference without a link is left out and listed.
    ///
    /// - Parameter creates: the document is made: constants that are written only (`direction: out`) go with it, though no canonical
    ///   document holds them.
    ///
    /// Throws a ``TranslationError`` where a value has no native form, and whatever `lookUp` throws.
    package func native(
        from canonical: Fields, creates: Bool = false, timeZone: TimeZone? = nil, lookUp: (EntityName, CanonicalID) throws -> NativeKey?
    ) throws -> (native: Fields, unresolved: [UnresolvedReference]) {
        var native = Fields()
        var unresolved: [UnresolvedReference] = []
        for field in fields where field.isOut {
            guard let value = canonical[field.name] ?? (creates && field.direction == .out ? field.constant : nil) else { continue }
            if let written = try written(field, value, field.name, timeZone, &unresolved, lookUp) {
                native[path: field.path] = written
            }
        }
        for list in lists where list.direction != .in {
            guard let value = canonical[list.name] else { continue }
            var elements: [Value] = []
            for (place, element) in try list.canonicalElements(value).enumerated() {
                var result = Fields()
                if let key = list.key, let id = element[ListMapping.idName]?.keyText {
                    let idField = FieldMapping(name: ListMapping.idName)
                    do throws(TranslationError) {
                        result[path: key] = try FieldMapping.key(id, isNumber: list.hasNumericKey, idField)
                    } catch {
                        throw list.placed(error)
                    }
                }
                for field in list.fields where field.isOut {
                    guard let value = element[field.name] else { continue }
                    let name = list.name(of: element, at: place, field: field.name)
                    do {
                        if let written = try written(field, value, name, timeZone, &unresolved, lookUp) {
                            result[path: field.path] = written
                        }
                    } catch let error as TranslationError {
                        throw list.placed(error)
                    }
                }
                elements.append(.object(result))
            }
            native[path: list.path] = .array(elements)
        }
        return (native, unresolved)
    }

    /// The native value of one field; nil where it is a reference without a link, which is listed under `name`.
    private func written(
        _ field: FieldMapping, _ value: Value, _ name: String, _ timeZone: TimeZone?,
        _ unresolved: inout [UnresolvedReference], _ lookUp: (EntityName, CanonicalID) throws -> NativeKey?
    ) throws -> Value? {
        if let constant = field.constant { return try field.native(of: constant, timeZone: timeZone) }
        guard let entity = field.reference, !value.isNull else { return try field.native(of: value, timeZone: timeZone) }
        guard let id = value.keyText else { throw TranslationError(field, value, "a reference is a canonical id") }
        guard let key = try lookUp(entity, CanonicalID(id)) else {
            unresolved.append(UnresolvedReference(field: name, entity: entity, key: id, isSoft: field.isSoft))
            return nil
        }
        return try field.native(of: .string(key.rawValue), timeZone: timeZone)
    }
}

extension ListMapping {
    /// The elements of a canonical list, each with dotted leaf names.
    func canonicalElements(_ value: Value) throws(TranslationError) -> [Fields] {
        if value.isNull { return [] }
        guard let elements = value.array else { throw error("no list", value) }
        var result: [Fields] = []
        for element in elements {
            guard let members = element.object else { throw error("an element that is no object", element) }
            result.append(members.flattened())
        }
        return result
    }
}
