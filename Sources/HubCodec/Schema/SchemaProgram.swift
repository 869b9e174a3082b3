import HubModel

/// A compiled schema: nodes that refer to each other by index.
struct SchemaProgram: Sendable {
    var nodes: [SchemaNode] = []
    /// Per resource, the nodes that a `$dynamicRef` can land on, by the anchor's name.
    var dynamicAnchors: [[String: Int]] = []
    var root = 0
}

/// One schema or subschema.
struct SchemaNode: Sendable {
    /// The schema resource that it stands in: what the dynamic scope is made of.
    var resource: Int
    var rules: [SchemaRule] = []
    var unevaluatedMembers: Int?
    var unevaluatedItems: Int?

    var needsEvaluated: Bool { unevaluatedMembers != nil || unevaluatedItems != nil }
}

/// One keyword, or some that only make sense together.
enum SchemaRule: Sendable {
    /// The schema `false`.
    case never
    case assertion(SchemaAssertion)
    case reference(Int)
    /// Where the first resource in scope that has the anchor takes precedence; the index is what it means without a scope.
    case dynamicReference(anchor: String, Int)
    case all([Int])
    case any([Int])
    case one([Int])
    case not(Int)
    case condition(if: Int, then: Int?, else: Int?)
    case members(SchemaMembers)
    case names(Int)
    case dependents([(name: String, node: Int)])
    case items(prefix: [Int], rest: Int?)
    case contains(Int, min: Int, max: Int?)
}

/// `properties`, `patternProperties` and `additionalProperties`.
struct SchemaMembers: Sendable {
    /// Sorted by the names' bytes, as a document's members are.
    var named: [(name: String, node: Int)] = []
    var patterns: [(pattern: Pattern, node: Int)] = []
    var additional: Int?
}

/// A keyword that looks at one value and at no subschema.
enum SchemaAssertion: Sendable {
    case types(SchemaTypes)
    case values(Set<Value>, [Value])
    case constant(Value)
    case multipleOf(DecimalParts, Number)
    case maximum(Number)
    case exclusiveMaximum(Number)
    case minimum(Number)
    case exclusiveMinimum(Number)
    case maxLength(Int)
    case minLength(Int)
    case pattern(Pattern)
    case format(SchemaFormat)
    case maxItems(Int)
    case minItems(Int)
    case uniqueItems
    case maxMembers(Int)
    case minMembers(Int)
    case required([String])
    case dependentRequired([(name: String, required: [String])])
}

/// The types that a value may have.
struct SchemaTypes: OptionSet, Sendable {
    let rawValue: UInt8

    static let null = SchemaTypes(rawValue: 1)
    static let boolean = SchemaTypes(rawValue: 2)
    static let object = SchemaTypes(rawValue: 4)
    static let array = SchemaTypes(rawValue: 8)
    static let number = SchemaTypes(rawValue: 16)
    static let string = SchemaTypes(rawValue: 32)
    static let integer = SchemaTypes(rawValue: 64)

    private static let table: [(name: String, words: String, type: SchemaTypes)] = [
        ("null", "null", .null), ("boolean", "true or false", .boolean), ("object", "an object", .object), ("array", "a list", .array),
        ("number", "a number", .number), ("string", "text", .string), ("integer", "a whole number", .integer),
    ]

    /// The type that the schema's word means; nil for any other word.
    init?(name: String) {
        guard let entry = Self.table.first(where: { $0.name == name }) else { return nil }
        self = entry.type
    }

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// For people: `text or null`.
    var words: String { Self.table.filter { contains($0.type) }.map(\.words).joined(separator: " or ") }

    static func of(_ value: Value) -> SchemaTypes {
        switch value {
        case .null: .null
        case .bool: .boolean
        case .number: .number
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }

    func allow(_ value: Value) -> Bool {
        if contains(Self.of(value)) { return true }
        guard contains(.integer), case .number(let number) = value else { return false }
        return number.integer != nil || DecimalParts(number).isWhole
    }
}
