import HubModel

/// The keywords of one schema object on their way to a node.
struct SchemaKeywords {
    let object: Fields
    let place: SchemaPlace
    let resource: Int
    let vocabulary: SchemaVocabulary
    private var node: SchemaNode

    init(object: Fields, place: SchemaPlace, resource: Int, vocabulary: SchemaVocabulary) {
        self.object = object
        self.place = place
        self.resource = resource
        self.vocabulary = vocabulary
        node = SchemaNode(resource: resource)
    }

    mutating func compile(with compiler: inout SchemaCompiler) throws(SchemaError) -> SchemaNode {
        if vocabulary.contains(.validation) { try addAssertions(&compiler) }
        try addFormat(&compiler)
        try addReferences(&compiler)
        if vocabulary.contains(.applicator) {
            try addCombinations(&compiler)
            try addMembers(&compiler)
            try addItems(&compiler)
        }
        if vocabulary.contains(.unevaluated) {
            node.unevaluatedMembers = try child("unevaluatedProperties", &compiler)
            node.unevaluatedItems = try child("unevaluatedItems", &compiler)
        }
        return node
    }

    // MARK: Assertions

    private mutating func addAssertions(_ compiler: inout SchemaCompiler) throws(SchemaError) {
        func add(_ assertion: SchemaAssertion) { node.rules.append(.assertion(assertion)) }
        if let types = object["type"] { add(.types(try self.types(types, compiler))) }
        if let value = object["const"] { add(.constant(value)) }
        if let values = object["enum"] {
            guard let values = values.array else { throw bad("enum", "a list", compiler) }
            add(.values(Set(values), values))
        }
        if let number = try number("multipleOf", compiler) {
            let parts = DecimalParts(number)
            guard number > 0, parts.coefficient != nil else { throw bad("multipleOf", "a number over 0 of at most 19 digits", compiler) }
            add(.multipleOf(parts, number))
        }
        if let number = try number("maximum", compiler) { add(.maximum(number)) }
        if let number = try number("exclusiveMaximum", compiler) { add(.exclusiveMaximum(number)) }
        if let number = try number("minimum", compiler) { add(.minimum(number)) }
        if let number = try number("exclusiveMinimum", compiler) { add(.exclusiveMinimum(number)) }
        if let count = try count("maxLength", compiler) { add(.maxLength(count)) }
        if let count = try count("minLength", compiler) { add(.minLength(count)) }
        if let pattern = object["pattern"] {
            guard let text = pattern.text else { throw bad("pattern", "text", compiler) }
            add(.pattern(try self.pattern(text, compiler)))
        }
        if let count = try count("maxItems", compiler) { add(.maxItems(count)) }
        if let count = try count("minItems", compiler) { add(.minItems(count)) }
        if let unique = object["uniqueItems"] {
            guard let isUnique = unique.bool else { throw bad("uniqueItems", "true or false", compiler) }
            if isUnique { add(.uniqueItems) }
        }
        if let count = try count("maxProperties", compiler) { add(.maxMembers(count)) }
        if let count = try count("minProperties", compiler) { add(.minMembers(count)) }
        if let required = object["required"] { add(.required(try names(required, "required", compiler))) }
        if let dependents = object["dependentRequired"] {
            guard let dependents = dependents.object else { throw bad("dependentRequired", "an object", compiler) }
            var list: [(name: String, required: [String])] = []
            for (name, required) in dependents { list.append((name, try names(required, "dependentRequired", compiler))) }
            add(.dependentRequired(list))
        }
    }

    private mutating func addFormat(_ compiler: inout SchemaCompiler) throws(SchemaError) {
        guard let value = object["format"] else { return }
        guard let name = value.text else { throw bad("format", "text", compiler) }
        guard compiler.assertsFormat || vocabulary.contains(.formatAssertion), let format = SchemaFormat(rawValue: name) else { return }
        node.rules.append(.assertion(.format(format)))
    }

    // MARK: Subschemas

    private mutating func addReferences(_ compiler: inout SchemaCompiler) throws(SchemaError) {
        if let reference = object["$ref"] {
            guard let text = reference.text else { throw bad("$ref", "text", compiler) }
            node.rules.append(.reference(try compiler.target(of: text, from: resource, at: place).node))
        }
        if let reference = object["$dynamicRef"] {
            guard let text = reference.text else { throw bad("$dynamicRef", "text", compiler) }
            let target = try compiler.target(of: text, from: resource, at: place)
            if let anchor = target.dynamicAnchor {
                compiler.useDynamicAnchor(anchor)
                node.rules.append(.dynamicReference(anchor: anchor, target.node))
            } else {
                node.rules.append(.reference(target.node))
            }
        }
    }

    private mutating func addCombinations(_ compiler: inout SchemaCompiler) throws(SchemaError) {
        if let all = try children("allOf", &compiler) { node.rules.append(.all(all)) }
        if let any = try children("anyOf", &compiler) { node.rules.append(.any(any)) }
        if let one = try children("oneOf", &compiler) { node.rules.append(.one(one)) }
        if let not = try child("not", &compiler) { node.rules.append(.not(not)) }
        let then = try child("then", &compiler)
        let otherwise = try child("else", &compiler)
        if let condition = try child("if", &compiler) { node.rules.append(.condition(if: condition, then: then, else: otherwise)) }
    }

    private mutating func addMembers(_ compiler: inout SchemaCompiler) throws(SchemaError) {
        var members = SchemaMembers()
        members.named = try map("properties", &compiler) ?? []
        for (text, child) in try map("patternProperties", &compiler) ?? [] {
            members.patterns.append((try pattern(text, compiler), child))
        }
        members.additional = try child("additionalProperties", &compiler)
        if !members.named.isEmpty || !members.patterns.isEmpty || members.additional != nil { node.rules.append(.members(members)) }
        if let names = try child("propertyNames", &compiler) { node.rules.append(.names(names)) }
        if let dependents = try map("dependentSchemas", &compiler) { node.rules.append(.dependents(dependents)) }
        try addDependencies(&compiler)
    }

    /// The earlier drafts' keyword, which the meta-schema still allows: names or a schema.
    private mutating func addDependencies(_ compiler: inout SchemaCompiler) throws(SchemaError) {
        for (name, value) in object["dependencies"]?.object ?? [:] {
            if value.array != nil {
                let required = try names(value, "dependencies", compiler)
                node.rules.append(.assertion(.dependentRequired([(name, required)])))
            } else {
                let child = try compiler.node(at: place.child("dependencies").child(name), value, in: resource)
                node.rules.append(.dependents([(name, child)]))
            }
        }
    }

    private mutating func addItems(_ compiler: inout SchemaCompiler) throws(SchemaError) {
        let prefix = try children("prefixItems", &compiler)
        let rest = try child("items", &compiler)
        if prefix != nil || rest != nil { node.rules.append(.items(prefix: prefix ?? [], rest: rest)) }
        guard let contains = try child("contains", &compiler) else { return }
        let limits = vocabulary.contains(.validation)
        let min = limits ? try count("minContains", compiler) : nil
        node.rules.append(.contains(contains, min: min ?? 1, max: limits ? try count("maxContains", compiler) : nil))
    }

    private func child(_ keyword: String, _ compiler: inout SchemaCompiler) throws(SchemaError) -> Int? {
        guard let schema = object[keyword] else { return nil }
        return try compiler.node(at: place.child(keyword), schema, in: resource)
    }

    private func children(_ keyword: String, _ compiler: inout SchemaCompiler) throws(SchemaError) -> [Int]? {
        guard let value = object[keyword] else { return nil }
        guard let schemas = value.array, !schemas.isEmpty else { throw bad(keyword, "a list of schemas", compiler) }
        var result: [Int] = []
        for (number, schema) in schemas.enumerated() {
            result.append(try compiler.node(at: place.child(keyword).child(String(number)), schema, in: resource))
        }
        return result
    }

    private func map(_ keyword: String, _ compiler: inout SchemaCompiler) throws(SchemaError) -> [(name: String, node: Int)]? {
        guard let value = object[keyword] else { return nil }
        guard let schemas = value.object else { throw bad(keyword, "an object of schemas", compiler) }
        var result: [(name: String, node: Int)] = []
        for (name, schema) in schemas {
            result.append((name, try compiler.node(at: place.child(keyword).child(name), schema, in: resource)))
        }
        return result
    }

    // MARK: Keywords' values

    private func bad(_ keyword: String, _ wanted: String, _ compiler: SchemaCompiler) -> SchemaError {
        SchemaError(.badKeyword, at: compiler.index.describe(place.child(keyword)), "\(keyword) must be \(wanted)")
    }

    private func types(_ value: Value, _ compiler: SchemaCompiler) throws(SchemaError) -> SchemaTypes {
        var types: SchemaTypes = []
        for name in value.array ?? [value] {
            guard let name = name.text, let type = SchemaTypes(name: name) else {
                throw bad("type", "null, boolean, object, array, number, string, integer or a list of these", compiler)
            }
            types.insert(type)
        }
        return types
    }

    private func number(_ keyword: String, _ compiler: SchemaCompiler) throws(SchemaError) -> Number? {
        guard let value = object[keyword] else { return nil }
        guard let number = value.number else { throw bad(keyword, "a number", compiler) }
        return number
    }

    private func count(_ keyword: String, _ compiler: SchemaCompiler) throws(SchemaError) -> Int? {
        guard let value = object[keyword] else { return nil }
        guard let number = value.number, number >= 0, DecimalParts(number).isWhole else {
            throw bad(keyword, "a whole number, 0 or more", compiler)
        }
        return number.integer.map { Int(clamping: $0) } ?? Int.max
    }

    private func names(_ value: Value, _ keyword: String, _ compiler: SchemaCompiler) throws(SchemaError) -> [String] {
        guard let elements = value.array else { throw bad(keyword, "a list of names", compiler) }
        var names: [String] = []
        for element in elements {
            guard let name = element.text else { throw bad(keyword, "a list of names", compiler) }
            names.append(name)
        }
        return names
    }

    private func pattern(_ text: String, _ compiler: SchemaCompiler) throws(SchemaError) -> Pattern {
        do {
            return try Pattern(text)
        } catch {
            throw SchemaError(.badPattern, at: compiler.index.describe(place), "the pattern \(text): \(error.message)")
        }
    }
}
