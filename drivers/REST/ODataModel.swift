import HubModel

/// What an OData service says of its types in `$metadata` (CSDL 4.0 and 4.01, in XML).
struct ODataModel: Sendable {
    /// A property, or a navigation property.
    struct Property: Sendable {
        var name: String
        /// With its namespace, without `Collection(…)`.
        var type: String
        var isCollection: Bool
        var isNavigation: Bool
        /// What stands in brackets behind the type's name: a text's length, a number's digits.
        var size: String
        /// Not nullable, and nothing gives it a value.
        var isRequired: Bool
        /// The service computes it.
        var isComputed: Bool
        var label: String?
    }

    /// An entity type or a complex type.
    struct Structure: Sendable {
        var base: String?
        /// Names of the key's properties.
        var keys: Set<String>
        var label: String?
        var properties: [Property]
    }

    /// By name with namespace, as everything below.
    private(set) var structures: [String: Structure] = [:]
    /// An enumeration's members.
    private(set) var enumerations: [String: [String]] = [:]
    /// What types of other names are underneath.
    private(set) var definitions: [String: String] = [:]
    /// Entity sets and singletons, and the types of their entities.
    private(set) var sets: [String: String] = [:]
    private var namespaces: [String: String] = [:]

    init(_ bytes: [UInt8]) throws(MarkupMistake) {
        let root = try MarkupReader.element(bytes)
        let schemas = root.all("DataServices").flatMap { $0.all("Schema") }
        guard root.name == "Edmx", !schemas.isEmpty else { throw MarkupMistake(text: "it holds no edmx:Edmx with a Schema") }
        for schema in schemas {
            if let alias = schema["Alias"], let namespace = schema["Namespace"] { namespaces[alias] = namespace }
        }
        let annotations = annotations(schemas)
        for schema in schemas { take(schema, annotations) }
    }

    /// Annotations that stand apart from what they are about, by that.
    private func annotations(_ schemas: [MarkupElement]) -> [String: [MarkupElement]] {
        var annotations: [String: [MarkupElement]] = [:]
        for group in schemas.flatMap({ $0.all("Annotations") }) {
            guard let target = group["Target"] else { continue }
            // `NS.Type/Property`: the namespace may be an alias.
            let steps = target.split(separator: "/", maxSplits: 1).map(String.init)
            let path = ([resolved(steps.first ?? target)] + steps.dropFirst()).joined(separator: "/")
            annotations[path, default: []] += group.all("Annotation")
        }
        return annotations
    }

    private mutating func take(_ schema: MarkupElement, _ annotations: [String: [MarkupElement]]) {
        let namespace = schema["Namespace"] ?? ""
        for element in schema.children {
            let name = "\(namespace).\(element["Name"] ?? "")"
            switch element.name {
            case "EntityType", "ComplexType": structures[name] = structure(element, name, annotations)
            case "EnumType": enumerations[name] = element.all("Member").compactMap { $0["Name"] }
            case "TypeDefinition": definitions[name] = element["UnderlyingType"]
            case "EntityContainer":
                for set in element.all("EntitySet") { sets[set["Name"] ?? ""] = set["EntityType"].map(resolved) }
                for single in element.all("Singleton") { sets[single["Name"] ?? ""] = single["Type"].map(resolved) }
            default: break
            }
        }
    }

    private func structure(_ element: MarkupElement, _ name: String, _ annotations: [String: [MarkupElement]]) -> Structure {
        let keys = Set(element.all("Key").flatMap { $0.all("PropertyRef") }.compactMap { $0["Name"] })
        let properties = element.children.compactMap { child -> Property? in
            guard ["Property", "NavigationProperty"].contains(child.name), let own = child["Name"] else { return nil }
            return property(child, own, annotations["\(name)/\(own)"] ?? [])
        }
        let notes = Notes(element.all("Annotation") + (annotations[name] ?? []))
        return Structure(base: element["BaseType"].map(resolved), keys: keys, label: notes.label, properties: properties)
    }

    private func property(_ element: MarkupElement, _ name: String, _ more: [MarkupElement]) -> Property {
        let notes = Notes(element.all("Annotation") + more)
        let written = element["Type"] ?? ""
        let isCollection = written.hasPrefix("Collection(") && written.hasSuffix(")")
        let type = isCollection ? String(written.dropFirst("Collection(".count).dropLast()) : written
        let isNavigation = element.name == "NavigationProperty"
        return Property(
            name: name, type: resolved(type), isCollection: isCollection, isNavigation: isNavigation,
            size: [element["MaxLength"] ?? element["Precision"], element["Scale"]].compactMap { $0 }.joined(separator: ","),
            isRequired: !isNavigation && !isCollection && element["Nullable"] == "false" && element["DefaultValue"] == nil,
            isComputed: notes.isComputed, label: notes.label)
    }

    /// A name with its namespace in the place of an alias.
    private func resolved(_ name: String) -> String {
        guard let dot = name.lastIndex(of: "."), let namespace = namespaces[String(name[..<dot])] else { return name }
        return namespace + name[dot...]
    }

    /// What annotations say that matters here; their terms by their last names, as namespaces have aliases.
    private struct Notes {
        var label: String?
        var isComputed = false

        init(_ annotations: [MarkupElement]) {
            for annotation in annotations {
                let term = annotation["Term"]?.split(separator: ".").last.map(String.init)
                func value(_ kind: String) -> String? { annotation[kind] ?? annotation.all(kind).first?.text }
                switch term {
                case "Label": label = value("String") ?? label
                case "Description": label = label ?? value("String")
                case "Computed": isComputed = value("Bool") != "false"
                case "Permissions": if value("EnumMember")?.hasSuffix("/Read") == true { isComputed = true }
                default: break
                }
            }
        }
    }
}
