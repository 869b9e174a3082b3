import HubModel

/// Keywords that look at one value.
extension SchemaRun {
    mutating func test(_ assertion: SchemaAssertion, _ value: Value) -> Bool {
        switch assertion {
        case .types(let types):
            return types.allow(value) || fail("type", "must be \(types.words), is \(SchemaTypes.of(value).words)")
        case .values(let set, let list):
            return set.contains(value) || fail("enum", "must be one of \(Self.shown(list)), is \(Self.shown(value))")
        case .constant(let constant):
            return constant == value || fail("const", "must be \(Self.shown(constant)), is \(Self.shown(value))")
        default: break
        }
        switch value {
        case .number(let number): return test(assertion, number)
        case .string(let text): return test(assertion, text)
        case .array(let elements): return test(assertion, elements)
        case .object(let fields): return test(assertion, fields)
        case .null, .bool: return true
        }
    }

    private mutating func test(_ assertion: SchemaAssertion, _ number: Number) -> Bool {
        switch assertion {
        case .multipleOf(let parts, let step):
            return parts.divides(number) || fail("multipleOf", "must be a multiple of \(step), is \(number)")
        case .maximum(let limit): return number <= limit || fail("maximum", "must be at most \(limit), is \(number)")
        case .exclusiveMaximum(let limit): return number < limit || fail("exclusiveMaximum", "must be less than \(limit), is \(number)")
        case .minimum(let limit): return number >= limit || fail("minimum", "must be at least \(limit), is \(number)")
        case .exclusiveMinimum(let limit): return number > limit || fail("exclusiveMinimum", "must be more than \(limit), is \(number)")
        default: return true
        }
    }

    private mutating func test(_ assertion: SchemaAssertion, _ text: String) -> Bool {
        switch assertion {
        case .maxLength(let limit):
            // Code points are never more than bytes.
            if text.utf8.count <= limit { return true }
            let length = text.unicodeScalars.count
            return length <= limit || fail("maxLength", "must have at most \(Self.counted(limit, "character")), has \(length)")
        case .minLength(let limit):
            if limit == 0 { return true }
            let length = text.unicodeScalars.count
            if length >= limit { return true }
            return fail(
                "minLength", length == 0 ? "must not be empty" : "must have at least \(Self.counted(limit, "character")), has \(length)")
        case .pattern(let pattern):
            guard let matches = pattern.matches(text) else { return giveUp() }
            return matches || fail("pattern", "must match \(pattern.source), is \(Self.shown(.string(text)))")
        case .format(let format):
            return format.accepts(text) || fail("format", "must be \(format.words), is \(Self.shown(.string(text)))")
        default: return true
        }
    }

    private mutating func test(_ assertion: SchemaAssertion, _ elements: [Value]) -> Bool {
        switch assertion {
        case .maxItems(let limit):
            return elements.count <= limit || fail("maxItems", "must have at most \(Self.counted(limit, "element")), has \(elements.count)")
        case .minItems(let limit):
            return elements.count >= limit
                || fail("minItems", "must have at least \(Self.counted(limit, "element")), has \(elements.count)")
        case .uniqueItems:
            count(elements.count)
            var places: [Value: Int] = [:]
            for (place, element) in elements.enumerated() {
                if let first = places.updateValue(place, forKey: element) {
                    return fail("uniqueItems", "must not repeat elements; elements \(first) and \(place) are the same")
                }
            }
            return true
        default: return true
        }
    }

    private mutating func test(_ assertion: SchemaAssertion, _ fields: Fields) -> Bool {
        switch assertion {
        case .maxMembers(let limit):
            return fields.count <= limit || fail("maxProperties", "must have at most \(Self.counted(limit, "member")), has \(fields.count)")
        case .minMembers(let limit):
            return fields.count >= limit
                || fail("minProperties", "must have at least \(Self.counted(limit, "member")), has \(fields.count)")
        case .required(let names):
            var isValid = true
            for name in names where fields[name] == nil { isValid = fail("required", "has no \"\(name)\", which is required") }
            return isValid
        case .dependentRequired(let dependents):
            var isValid = true
            for (present, names) in dependents where fields[present] != nil {
                for name in names where fields[name] == nil {
                    isValid = fail("dependentRequired", "has \"\(present)\" but no \"\(name)\", which goes with it")
                }
            }
            return isValid
        default: return true
        }
    }

    // MARK: Words

    private static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    /// A value for people, cut to a line.
    private static func shown(_ value: Value) -> String {
        let text = String(decoding: value.json.prefix(400), as: UTF8.self)
        return text.unicodeScalars.count <= 80 ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(77))) + "..."
    }

    private static func shown(_ values: [Value]) -> String {
        values.prefix(10).map(shown).joined(separator: ", ") + (values.count > 10 ? " and \(values.count - 10) more" : "")
    }
}
