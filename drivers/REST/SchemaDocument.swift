import HubDriver
import HubModel

/// JSON Schemas in a document: those of OpenAPI 3 and Swagger 2, `$defs`, or the document itself. References to other documents are not
/// followed.
struct SchemaDocument: Sendable {
    let root: Value

    /// Where named schemas stand.
    private static let places = ["#/components/schemas", "#/definitions", "#/$defs"]
    /// References that lead to references, and schemas made of schemas.
    private static let mostSteps = 16

    /// The schema that a recipe means: by its name, or by a pointer (`#/…`; `#` is the document itself).
    func schema(_ name: String) -> Value? {
        if name.hasPrefix("#") { return value(name) }
        return Self.places.lazy.compactMap { value($0)?[name] }.first
    }

    /// What a JSON pointer leads to, in this document.
    private func value(_ pointer: String) -> Value? {
        guard pointer.hasPrefix("#") else { return nil }
        var found = root
        for step in pointer.dropFirst().split(separator: "/") {
            // RFC 6901: a slash and a tilde are written ~1 and ~0.
            let name = step.split(separator: "~1", omittingEmptySubsequences: false).joined(separator: "/")
                .split(separator: "~0", omittingEmptySubsequences: false).joined(separator: "~")
            if let member = found[name] {
                found = member
            } else if let index = Int(name), let list = found.array, list.indices.contains(index) {
                found = list[index]
            } else {
                return Value?.none
            }
        }
        return found
    }

    func label(_ schema: Value) -> String? { shape(schema).label }

    /// The members of a schema's objects, and what stands in them.
    func fields(_ schema: Value) -> FieldList {
        var fields = FieldList()
        add(schema, below: "", depth: 0, to: &fields)
        return fields
    }

    private func add(_ schema: Value, below prefix: String, depth: Int, to fields: inout FieldList) {
        guard depth < FieldList.mostDepth, !fields.isCut else { return }
        let whole = shape(schema)
        for (name, member) in whole.members {
            let shape = shape(member)
            let path = prefix + name
            fields.add(
                DiscoveredField(
                    path: path, kind: shape.kind, nativeKind: shape.words, label: shape.label,
                    isRequired: whole.required.contains(name) && !shape.isReadOnly, isReadOnly: shape.isReadOnly, codes: shape.codes))
            add(shape.items ?? member, below: path + ".", depth: depth + 1, to: &fields)
        }
    }

    // MARK: One schema

    /// What a schema and those that it is made of say together.
    struct Shape {
        var type: String?
        var format: String?
        var label: String?
        var members: [(name: String, schema: Value)] = []
        var required: Set<String> = []
        /// Of a list's elements.
        var items: Value?
        var codes: [String]?
        var isReadOnly = false
        var most: Int64?

        /// The application's own words: `string(date)`, `string(100)`.
        var words: String {
            let more = [format, most.map(String.init)].compactMap { $0 }.joined(separator: ",")
            return (type ?? "any") + (more.isEmpty ? "" : "(\(more))")
        }

        var kind: DiscoveredField.Kind {
            if codes != nil { return .code }
            switch (type, format) {
            case ("string", "date"): return .date
            case ("string", "date-time"): return .instant
            case ("string", "byte"), ("string", "binary"): return .binary
            case ("string", _): return .text
            case ("integer", _), ("number", _): return .number
            case ("boolean", _): return .boolean
            case ("array", _): return .list
            case ("object", _): return .object
            default: return members.isEmpty ? .other : .object
            }
        }
    }

    func shape(_ schema: Value) -> Shape {
        var shape = Shape()
        var left = Self.mostSteps
        collect(schema, &shape, &left)
        return shape
    }

    private func collect(_ schema: Value, _ shape: inout Shape, _ left: inout Int) {
        guard left > 0 else { return }
        left -= 1
        if let reference = schema["$ref"]?.text, let target = value(reference) { collect(target, &shape, &left) }
        for part in schema["allOf"]?.array ?? [] { collect(part, &shape, &left) }
        for word in ["anyOf", "oneOf"] {
            // One of several is nothing that can be told, one or null is.
            let choices = (schema[word]?.array ?? []).filter { $0["type"] != "null" }
            if let only = choices.first, choices.count == 1 { collect(only, &shape, &left) }
        }
        shape.type = Self.type(schema) ?? shape.type
        shape.format = schema["format"]?.text ?? shape.format
        shape.label = schema["title"]?.text ?? shape.label
        shape.items = schema["items"] ?? shape.items
        shape.most = schema["maxLength"]?.integer ?? shape.most
        if schema["readOnly"] == true { shape.isReadOnly = true }
        shape.required.formUnion((schema["required"]?.array ?? []).compactMap(\.text))
        for (name, member) in schema["properties"]?.object ?? Fields() {
            shape.members.removeAll { $0.name == name }
            shape.members.append((name, member))
        }
        // Only texts and numbers are codes; null among them says that there may be none.
        let codes = (schema["enum"]?.array ?? schema["const"].map { [$0] } ?? []).compactMap(\.keyText)
        if !codes.isEmpty { shape.codes = codes }
    }

    /// OpenAPI 3.1 writes `[string, "null"]` where the older ones have `nullable`.
    private static func type(_ schema: Value) -> String? {
        schema["type"]?.text ?? schema["type"]?.array?.compactMap(\.text).first { $0 != "null" }
    }
}
