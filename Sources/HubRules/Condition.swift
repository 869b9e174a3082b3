package import HubModel

/// A small test on a document's fields: comparisons joined by `and`, `or`, `not` and parentheses.
///
///     customer.stage == 'customer' and not onHold
///     total >= 1000 or segment in ['A', 'B']
///
/// A field alone holds where it is true, a non-empty text, or a number other than zero. An absent field equals null and is smaller than nothing.
package indirect enum Condition: Sendable, Hashable {
    case always
    case compare(field: String, Comparison, Value)
    case member(field: String, [Value])
    case truth(field: String)
    case not(Condition)
    case and(Condition, Condition)
    case or(Condition, Condition)

    package enum Comparison: String, Sendable, CaseIterable {
        case lessOrEqual = "<="
        case greaterOrEqual = ">="
        case equal = "=="
        case unequal = "!="
        case less = "<"
        case greater = ">"
    }

    package func holds(for fields: Fields) -> Bool {
        switch self {
        case .always: return true
        case .not(let inner): return !inner.holds(for: fields)
        case .and(let a, let b): return a.holds(for: fields) && b.holds(for: fields)
        case .or(let a, let b): return a.holds(for: fields) || b.holds(for: fields)
        case .member(let field, let values): return values.contains(fields[field] ?? .null)
        case .truth(let field):
            switch fields[field] {
            case .bool(let bool): return bool
            case .string(let text): return !text.isEmpty
            case .number(let number): return number != 0
            case .array(let elements): return !elements.isEmpty
            case .object: return true
            case .null, nil: return false
            }
        case .compare(let field, let comparison, let wanted):
            let value = fields[field] ?? .null
            switch comparison {
            case .equal: return value == wanted
            case .unequal: return value != wanted
            default: break
            }
            let order: (less: Bool, equal: Bool)
            switch (value, wanted) {
            case (.number(let a), .number(let b)): order = (a < b, a == b)
            case (.string(let a), .string(let b)): order = (a.precedesInBytes(b), a.hasSameBytes(as: b))
            default: return false
            }
            return switch comparison {
            case .less: order.less
            case .lessOrEqual: order.less || order.equal
            case .greater: !order.less && !order.equal
            default: !order.less
            }
        }
    }

    /// The fields that the condition looks at.
    package var fields: Set<String> {
        switch self {
        case .always: []
        case .compare(let field, _, _), .member(let field, _), .truth(let field): [field]
        case .not(let inner): inner.fields
        case .and(let a, let b), .or(let a, let b): a.fields.union(b.fields)
        }
    }
}
