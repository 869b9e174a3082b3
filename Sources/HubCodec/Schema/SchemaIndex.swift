import HubModel

/// Where a schema stands: a document by number, and the way into it.
struct SchemaPlace: Hashable, Sendable {
    var document: Int
    var pointer: JSONPointer
}

/// A schema with an address of its own.
struct SchemaResource: Sendable {
    /// Absolute where the documents' addresses are, without a fragment.
    var uri: URIReference
    var root: SchemaPlace
    var anchors: [String: SchemaPlace] = [:]
    var dynamicAnchors: [String: SchemaPlace] = [:]
    /// The meta-schema's address, where the resource names one.
    var dialect: String?
}

/// Every address, anchor and place that references can lead to.
struct SchemaIndex {
    private(set) var documents: [Value] = []
    private(set) var resources: [SchemaResource] = []
    private var resourceAtURI: [String: Int] = [:]
    private var resourceAtRoot: [SchemaPlace: Int] = [:]

    /// No schema that people write nests this deep.
    static let maxDepth = 256

    /// Takes a document in, with all resources inside it. An address that is known already keeps its first meaning.
    @discardableResult
    mutating func add(_ document: Value, uri: String) throws(SchemaError) -> Int {
        let number = documents.count
        documents.append(document)
        let place = SchemaPlace(document: number, pointer: .root)
        let address = URIReference(uri).withoutFragment
        let resource = resources.count
        resources.append(SchemaResource(uri: address, root: place))
        resourceAtRoot[place] = resource
        if resourceAtURI[address.description] == nil { resourceAtURI[address.description] = resource }
        try index(document, at: place, in: resource, depth: 0)
        return resource
    }

    func resource(at uri: URIReference) -> Int? { resourceAtURI[uri.withoutFragment.description] }

    /// The resource that starts exactly there; nil where none does.
    func resource(rootedAt place: SchemaPlace) -> Int? { resourceAtRoot[place] }

    private static let single = [
        "additionalProperties", "items", "contains", "propertyNames", "not", "if", "then", "else", "unevaluatedItems",
        "unevaluatedProperties", "contentSchema",
    ]
    private static let lists = ["allOf", "anyOf", "oneOf", "prefixItems"]
    private static let maps = ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions", "dependencies"]

    private mutating func index(_ schema: Value, at place: SchemaPlace, in outer: Int, depth: Int) throws(SchemaError) {
        guard let object = schema.object else { return }
        guard depth < Self.maxDepth else {
            throw SchemaError(.tooLarge, at: describe(place), "schemas stand inside each other more than \(Self.maxDepth) deep")
        }
        let resource = try resource(of: object, at: place, in: outer)
        for (keyword, isDynamic) in [("$anchor", false), ("$dynamicAnchor", true)] {
            guard let name = object[keyword]?.text else { continue }
            resources[resource].anchors[name] = place
            if isDynamic { resources[resource].dynamicAnchors[name] = place }
        }
        for name in Self.single {
            guard let child = object[name] else { continue }
            try index(child, at: place.child(name), in: resource, depth: depth + 1)
        }
        for name in Self.lists {
            for (number, child) in (object[name]?.array ?? []).enumerated() {
                try index(child, at: place.child(name).child(String(number)), in: resource, depth: depth + 1)
            }
        }
        for name in Self.maps {
            for (key, child) in object[name]?.object ?? [:] {
                try index(child, at: place.child(name).child(key), in: resource, depth: depth + 1)
            }
        }
    }

    private mutating func resource(of object: Fields, at place: SchemaPlace, in outer: Int) throws(SchemaError) -> Int {
        var resource = outer
        if let id = object["$id"]?.text {
            let address = URIReference(id).resolved(against: resources[outer].uri)
            guard address.fragment ?? "" == "" else {
                throw SchemaError(.badReference, at: describe(place), "$id \"\(id)\" has a fragment; an $anchor is what names a part")
            }
            if place.pointer == .root {
                resources[resource].uri = address.withoutFragment
            } else {
                resource = resources.count
                resources.append(SchemaResource(uri: address.withoutFragment, root: place, dialect: resources[outer].dialect))
                resourceAtRoot[place] = resource
            }
            let key = address.withoutFragment.description
            if resourceAtURI[key] == nil { resourceAtURI[key] = resource }
        }
        if let dialect = object["$schema"]?.text, resourceAtRoot[place] == resource { resources[resource].dialect = dialect }
        return resource
    }

    /// The schema at a pointer from a resource's root, and the resource that it belongs to; nil where nothing is there.
    func schema(from resource: Int, along names: [String]) -> (place: SchemaPlace, schema: Value, resource: Int)? {
        var place = resources[resource].root
        guard var schema = value(at: place) else { return nil }
        var owner = resource
        for name in names {
            guard let child = schema.child(name) else { return nil }
            schema = child
            place = place.child(name)
            if let inner = resourceAtRoot[place] { owner = inner }
        }
        return (place, schema, owner)
    }

    /// What stands at a place; nil where nothing does.
    func value(at place: SchemaPlace) -> Value? {
        var value = documents[place.document]
        for name in place.pointer.names ?? [] {
            guard let child = value.child(name) else { return nil }
            value = child
        }
        return value
    }

    /// A place for people: the document's address, then the pointer.
    func describe(_ place: SchemaPlace) -> String {
        let uri = resourceAtRoot[SchemaPlace(document: place.document, pointer: .root)].map { resources[$0].uri.description } ?? ""
        return "\(uri)#\(place.pointer)"
    }
}

extension SchemaPlace {
    func child(_ name: String) -> SchemaPlace { SchemaPlace(document: document, pointer: pointer.appending(name)) }
}
