package import HubCodec
package import HubModel

/// Finds mapped places that a native type's JSON Schema does not have: a misspelt one would stay empty for ever.
package enum SchemaPaths {
    /// - Parameter schema: of the native type's documents.
    /// - Returns: only what the schema rules out: one that is open to other members rules out nothing.
    package static func mistakes(_ mapping: Mapping, native: String, schema: Value) -> [ConfigurationMistake] {
        MappedPath.all(of: mapping).filter(\.isIn).compactMap { mapped in
            guard let names = ruledOut(mapped.parts[...], in: schema, of: schema) else { return nil }
            return ConfigurationMistake(
                file: mapped.place.file, line: mapped.place.line, column: mapped.place.column, key: mapped.name,
                message: "\(native) has no field \(mapped.path) by its schema", suggestion: Suggestion.text(mapped.parts.last ?? "", names))
        }
    }

    /// The names that would be possible where the path leads nowhere; nil where it leads somewhere, or that cannot be told.
    private static func ruledOut(_ path: ArraySlice<String>, in schema: Value, of root: Value) -> [String]? {
        guard let part = path.first else { return nil }
        let schema = referred(schema, root)
        // A mapping's place inside a list goes on in its elements, with or without a position.
        if let items = schema["items"] { return ruledOut(Int(part) == nil ? path : path.dropFirst(), in: items, of: root) }
        // Here several schemas have a say.
        let joined = ["allOf", "anyOf", "oneOf", "if", "patternProperties", "dependentSchemas"]
        guard case .object(let members) = schema, !joined.contains(where: { members[$0] != nil }) else { return nil }
        let properties = schema["properties"]?.object
        if let next = properties?[part] { return ruledOut(path.dropFirst(), in: next, of: root) }
        guard members["additionalProperties"] == .bool(false) || members["unevaluatedProperties"] == .bool(false) else { return nil }
        return properties?.names ?? []
    }

    /// What a `$ref` inside the same schema stands for.
    private static func referred(_ schema: Value, _ root: Value) -> Value {
        var schema = schema
        // A circle of references ends somewhere.
        for _ in 0..<16 {
            guard let reference = schema["$ref"]?.text, reference.hasPrefix("#/") else { break }
            var next: Value? = root
            for part in reference.dropFirst(2).split(separator: "/") { next = next?[String(part)] }
            guard let next else { break }
            schema = next
        }
        return schema
    }
}
