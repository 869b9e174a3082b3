import HubModel

/// Turns schemas into a ``SchemaProgram``: follows every reference that the root can reach, without recursion.
struct SchemaCompiler {
    var index = SchemaIndex()
    var program = SchemaProgram()
    let assertsFormat: Bool

    private var nodeAtPlace: [SchemaPlace: Int] = [:]
    private var pending: [(node: Int, place: SchemaPlace, schema: Value, resource: Int)] = []
    /// Resources of which at least one schema is in use: only these can be in a dynamic scope.
    private var used: Set<Int> = []
    private var dynamicNames: Set<String> = []
    private var vocabularies: [Int: SchemaVocabulary] = [:]

    static let maxNodes = 100_000

    init(assertsFormat: Bool) { self.assertsFormat = assertsFormat }

    mutating func compile(_ schema: Value, uri: String, resources: [String: Value]) throws(SchemaError) -> SchemaProgram {
        let root = try index.add(schema, uri: uri)
        for (uri, resource) in resources.sorted(by: { $0.key.precedesInBytes($1.key) }) { try index.add(resource, uri: uri) }
        program.root = try node(at: index.resources[root].root, schema, in: root)
        repeat {
            while let next = pending.popLast() { try fill(next.node, next.place, next.schema, in: next.resource) }
            try compileDynamicAnchors()
        } while !pending.isEmpty
        return program
    }

    /// The node of the schema at a place, queued for filling where it is new.
    mutating func node(at place: SchemaPlace, _ schema: Value, in resource: Int) throws(SchemaError) -> Int {
        if let known = nodeAtPlace[place] { return known }
        guard program.nodes.count < Self.maxNodes else {
            throw SchemaError(.tooLarge, at: index.describe(place), "more than \(Self.maxNodes) subschemas")
        }
        let number = program.nodes.count
        program.nodes.append(SchemaNode(resource: resource))
        nodeAtPlace[place] = number
        pending.append((number, place, schema, resource))
        return number
    }

    private mutating func compileDynamicAnchors() throws(SchemaError) {
        while program.dynamicAnchors.count < index.resources.count { program.dynamicAnchors.append([:]) }
        for resource in used {
            for (name, place) in index.resources[resource].dynamicAnchors
            where dynamicNames.contains(name) && program.dynamicAnchors[resource][name] == nil {
                guard let schema = index.value(at: place) else { continue }
                program.dynamicAnchors[resource][name] = try node(at: place, schema, in: resource)
            }
        }
    }

    private mutating func fill(_ node: Int, _ place: SchemaPlace, _ schema: Value, in outer: Int) throws(SchemaError) {
        // A subschema with an address of its own is its own resource.
        let resource = index.resource(rootedAt: place) ?? outer
        used.insert(resource)
        program.nodes[node].resource = resource
        switch schema {
        case .bool(true): break
        case .bool(false): program.nodes[node].rules = [.never]
        case .object(let object):
            let vocabulary = try vocabulary(of: resource)
            var keywords = SchemaKeywords(object: object, place: place, resource: resource, vocabulary: vocabulary)
            program.nodes[node] = try keywords.compile(with: &self)
        default: throw SchemaError(.badKeyword, at: index.describe(place), "a schema is an object, true or false")
        }
    }

    private mutating func vocabulary(of resource: Int) throws(SchemaError) -> SchemaVocabulary {
        if let known = vocabularies[resource] { return known }
        let result = try readVocabulary(of: resource)
        vocabularies[resource] = result
        return result
    }

    private mutating func readVocabulary(of resource: Int) throws(SchemaError) -> SchemaVocabulary {
        guard let dialect = index.resources[resource].dialect else { return .standard }
        let uri = URIReference(dialect).withoutFragment
        if uri.description == MetaSchema.uri { return .standard }
        let place = index.describe(index.resources[resource].root)
        if uri.description.hasPrefix("http://json-schema.org/") || uri.description.hasPrefix("https://json-schema.org/") {
            throw SchemaError(.otherDraft, at: place, "written for \(uri); only draft 2020-12 is read")
        }
        guard let meta = try resourceNumber(at: uri), let declared = index.value(at: index.resources[meta].root)?["$vocabulary"]?.object
        else { return .standard }
        guard let vocabulary = SchemaVocabulary(declared) else {
            throw SchemaError(.otherDraft, at: place, "the meta-schema \(uri) demands a vocabulary that is not known here")
        }
        return vocabulary
    }

    /// The resource at an address, the draft's own meta-schemas among them.
    private mutating func resourceNumber(at uri: URIReference) throws(SchemaError) -> Int? {
        if let known = index.resource(at: uri) { return known }
        guard let meta = try MetaSchema.document(at: uri.withoutFragment.description) else { return nil }
        return try index.add(meta, uri: uri.withoutFragment.description)
    }

    /// The node that a `$ref` or `$dynamicRef` means, and the anchor's name where it is a dynamic one.
    mutating func target(
        of reference: String, from resource: Int, at place: SchemaPlace
    ) throws(SchemaError) -> (node: Int, dynamicAnchor: String?) {
        let uri = URIReference(reference).resolved(against: index.resources[resource].uri)
        guard let found = try resourceNumber(at: uri) else {
            throw SchemaError(
                .unknownReference, at: index.describe(place), "\"\(reference)\" leads to \(uri.withoutFragment), which is not known")
        }
        guard let fragment = URIReference.percentDecoded(uri.fragment ?? "") else {
            throw SchemaError(.badReference, at: index.describe(place), "\"\(reference)\" has a fragment that is no text")
        }
        if fragment.isEmpty || fragment.hasPrefix("/") {
            guard let names = JSONPointer(fragment).names, let schema = index.schema(from: found, along: names) else {
                throw SchemaError(.unknownReference, at: index.describe(place), "\"\(reference)\" leads to nothing")
            }
            return (try node(at: schema.place, schema.schema, in: schema.resource), nil)
        }
        guard let anchored = index.resources[found].anchors[fragment], let schema = index.value(at: anchored) else {
            throw SchemaError(.unknownReference, at: index.describe(place), "\"\(reference)\" names an anchor that is not there")
        }
        let isDynamic = index.resources[found].dynamicAnchors[fragment] == anchored
        return (try node(at: anchored, schema, in: found), isDynamic ? fragment : nil)
    }

    mutating func useDynamicAnchor(_ name: String) { dynamicNames.insert(name) }
}
