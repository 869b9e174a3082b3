/// A JSON value with exact decimals: what documents are made of.
///
/// Equality is exact for text (byte for byte) and numeric for numbers (`1.0` equals `1.00`).
public enum Value: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(Number)
    case string(String)
    case array([Value])
    case object(Fields)

    public static func == (a: Value, b: Value) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let x), .bool(let y)): x == y
        case (.number(let x), .number(let y)): x == y
        case (.string(let x), .string(let y)): x.hasSameBytes(as: y)
        case (.array(let x), .array(let y)): x == y
        case (.object(let x), .object(let y)): x == y
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let x): hasher.combine(x)
        case .number(let x): hasher.combine(x)
        case .string(let x): hasher.combineBytes(of: x)
        case .array(let x): hasher.combine(x)
        case .object(let x): hasher.combine(x)
        }
    }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .number(Number(value)) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: Value...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, Value)...) { self = .object(Fields(elements)) }
}

extension Value {
    /// The text of a string; nil for any other kind.
    public var text: String? { if case .string(let text) = self { text } else { nil } }
    /// The number; nil for any other kind.
    public var number: Number? { if case .number(let number) = self { number } else { nil } }
    /// The truth value; nil for any other kind.
    public var bool: Bool? { if case .bool(let bool) = self { bool } else { nil } }
    /// The elements of an array; nil for any other kind.
    public var array: [Value]? { if case .array(let array) = self { array } else { nil } }
    /// The members of an object; nil for any other kind.
    public var object: Fields? { if case .object(let object) = self { object } else { nil } }
    public var isNull: Bool { if case .null = self { true } else { false } }

    /// The whole number that this is exactly; nil for any other kind or where it does not fit.
    public var integer: Int64? { number?.integer }

    /// The member of that name, where this is an object that has it.
    public subscript(name: String) -> Value? { object?[name] }

    /// What a key looks like as text: strings as they are, whole numbers in digits; nil for anything else.
    public var keyText: String? {
        switch self {
        case .string(let text): text
        case .number(let number): number.integer.map(String.init) ?? number.description
        default: nil
        }
    }
}
