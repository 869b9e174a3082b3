import HubDriver

extension ODataModel {
    /// The type that a recipe means: by the name of an entity set, of the type, or of a navigation property that leads to it.
    func type(_ name: String) -> String? {
        if let type = sets[name] { return type }
        if structures[name] != nil { return name }
        let named = structures.keys.filter { $0.hasSuffix(".\(name)") }.sorted()
        if let first = named.first { return named.count == 1 ? first : nil }
        // A set that only exists below another entity.
        let targets = Set(
            structures.values.flatMap(\.properties).filter { $0.isNavigation && $0.isCollection && $0.name == name }.map(\.type))
        return targets.count == 1 ? targets.first : nil
    }

    func label(_ type: String) -> String? { structures[type]?.label }

    /// A type's fields, and those of its parts.
    ///
    /// - Parameter expanded: navigation properties whose entities are part of the document.
    func fields(_ type: String, expanded: Set<String>) -> FieldList {
        var fields = FieldList()
        add(type, below: "", expanded, within: [], to: &fields)
        return fields
    }

    private func add(_ type: String, below prefix: String, _ expanded: Set<String>, within: [String], to fields: inout FieldList) {
        guard let structure = structures[type], !within.contains(type), within.count < FieldList.mostDepth else { return }
        let within = within + [type]
        if let base = structure.base { add(base, below: prefix, expanded, within: within, to: &fields) }
        for property in structure.properties where !property.isNavigation || expanded.contains(property.name) {
            // Keys are mostly given by the service; where they are not, a recipe maps them anyway.
            let isKey = structure.keys.contains(property.name)
            let path = prefix + property.name
            fields.add(
                DiscoveredField(
                    path: path, kind: kind(property), nativeKind: nativeKind(property), label: property.label,
                    isRequired: property.isRequired && !isKey && !property.isComputed, isReadOnly: property.isComputed,
                    codes: property.isCollection ? nil : enumerations[property.type].flatMap { $0.isEmpty ? nil : $0 }))
            // What an expanded entity refers to is not part of the document.
            add(property.type, below: path + ".", [], within: within, to: &fields)
        }
    }

    private func nativeKind(_ property: Property) -> String {
        let one = property.type + (property.size.isEmpty ? "" : "(\(property.size))")
        return property.isCollection ? "Collection(\(one))" : one
    }

    private func kind(_ property: Property) -> DiscoveredField.Kind {
        if property.isCollection { return .list }
        if structures[property.type] != nil { return .object }
        if enumerations[property.type] != nil { return .code }
        return switch definitions[property.type] ?? property.type {
        case "Edm.String", "Edm.Guid", "Edm.Duration", "Edm.TimeOfDay": .text
        case "Edm.Boolean": .boolean
        case "Edm.Byte", "Edm.SByte", "Edm.Int16", "Edm.Int32", "Edm.Int64", "Edm.Decimal", "Edm.Double", "Edm.Single": .number
        case "Edm.Date": .date
        case "Edm.DateTimeOffset": .instant
        case "Edm.Binary", "Edm.Stream": .binary
        case "Edm.ComplexType", "Edm.EntityType", "Edm.Untyped": .object
        default: .other
        }
    }
}
