import HubModel

/// Keywords that look into objects and lists.
extension SchemaRun {
    mutating func checkMembers(_ members: SchemaMembers, _ value: Value, _ own: inout SchemaEvaluated?) -> Bool {
        guard case .object(let fields) = value else { return true }
        var isValid = true
        var named = members.named[...]
        for place in fields.indices {
            let (name, member) = fields[place]
            var isKnown = false
            // Both sides are sorted: one pass.
            while let first = named.first, first.name.precedesInBytes(name) { named.removeFirst() }
            if let first = named.first, first.name.hasSameBytes(as: name) {
                isKnown = true
                if !check(first.node, member: name, member) { isValid = false }
            }
            for (pattern, node) in members.patterns {
                guard let matches = pattern.matches(name) else { return giveUp() }
                guard matches else { continue }
                isKnown = true
                if !check(node, member: name, member) { isValid = false }
            }
            if !isKnown, let additional = members.additional {
                isKnown = true
                if !check(additional, unknown: name, member, keyword: "additionalProperties") { isValid = false }
            }
            if isKnown { own?.members[place] = true }
            if !isValid && !isReporting { return false }
        }
        return isValid
    }

    /// A member that nothing else names; where none may be, says so by its name.
    private mutating func check(_ node: Int, unknown name: String, _ value: Value, keyword: String) -> Bool {
        if case .never? = program.nodes[node].rules.first { return fail(keyword, "has a member \"\(name)\" that is not allowed") }
        return check(node, member: name, value)
    }

    mutating func checkUnevaluatedMembers(_ node: Int, _ value: Value, _ own: inout SchemaEvaluated?) -> Bool {
        guard case .object(let fields) = value, let seen = own?.members else { return true }
        var isValid = true
        for place in fields.indices where !seen[place] {
            if !check(node, unknown: fields[place].name, fields[place].value, keyword: "unevaluatedProperties") {
                isValid = false
                if !isReporting { return false }
            }
            own?.members[place] = true
        }
        return isValid
    }

    mutating func checkNames(_ node: Int, _ value: Value) -> Bool {
        guard case .object(let fields) = value else { return true }
        var isValid = true
        for (name, _) in fields {
            var nothing: SchemaEvaluated?
            if !attempt(node, .string(name), &nothing) {
                isValid = fail("propertyNames", "has a member whose name \"\(name)\" is not allowed")
            }
            if !isValid && !isReporting { return false }
        }
        return isValid
    }

    mutating func checkDependents(_ dependents: [(name: String, node: Int)], _ value: Value, _ own: inout SchemaEvaluated?) -> Bool {
        guard case .object(let fields) = value else { return true }
        var isValid = true
        for (name, node) in dependents where fields[name] != nil {
            if !check(node, value, &own) { isValid = false }
            if !isValid && !isReporting { return false }
        }
        return isValid
    }

    mutating func checkItems(_ prefix: [Int], _ rest: Int?, _ value: Value, _ own: inout SchemaEvaluated?) -> Bool {
        guard case .array(let elements) = value else { return true }
        var isValid = true
        for place in elements.indices {
            guard let node = place < prefix.count ? prefix[place] : rest else { break }
            if !check(node, item: place, elements[place]) { isValid = false }
            own?.items[place] = true
            if !isValid && !isReporting { return false }
        }
        return isValid
    }

    mutating func checkContains(_ node: Int, _ min: Int, _ max: Int?, _ value: Value, _ own: inout SchemaEvaluated?) -> Bool {
        guard case .array(let elements) = value else { return true }
        var found = 0
        for place in elements.indices {
            var nothing: SchemaEvaluated?
            guard attempt(node, elements[place], &nothing) else { continue }
            found += 1
            own?.items[place] = true
        }
        if found < min {
            return fail(min == 1 ? "contains" : "minContains", "must hold at least \(min) of the elements asked for, holds \(found)")
        }
        if let max, found > max { return fail("maxContains", "may hold at most \(max) of the elements asked for, holds \(found)") }
        return true
    }

    mutating func checkUnevaluatedItems(_ node: Int, _ value: Value, _ own: inout SchemaEvaluated?) -> Bool {
        guard case .array(let elements) = value, let seen = own?.items else { return true }
        var isValid = true
        for place in elements.indices where !seen[place] {
            if !check(node, item: place, elements[place]) {
                isValid = false
                if !isReporting { return false }
            }
            own?.items[place] = true
        }
        return isValid
    }
}
