import HubModel

/// Which members and elements of one value a schema has looked at: what `unevaluated…` leaves alone.
struct SchemaEvaluated {
    var members: [Bool] = []
    var items: [Bool] = []

    init(of value: Value) {
        switch value {
        case .object(let fields): members = Array(repeating: false, count: fields.count)
        case .array(let elements): items = Array(repeating: false, count: elements.count)
        default: break
        }
    }

    mutating func formUnion(_ other: SchemaEvaluated) {
        for place in members.indices where other.members[place] { members[place] = true }
        for place in items.indices where other.items[place] { items[place] = true }
    }
}

/// One document's way through a schema.
struct SchemaRun {
    let program: SchemaProgram
    private(set) var violations: [SchemaViolation] = []
    /// Off where only the verdict counts: then the first fault ends the work.
    var isReporting: Bool

    /// The resources entered, outermost first: where a `$dynamicRef` looks.
    private var scope: [Int] = []
    private var path: [Step] = []
    private var depth = 0
    private var steps = 0
    /// The work grew past its bounds: no verdict, so the document is refused whatever the rules around say.
    private(set) var isUndecided = false

    /// How deep schemas may apply to each other for one document; the stack then stays within 2 MiB, in unoptimised builds too.
    static let maxDepth = 400
    /// How many schemas may be applied for one document.
    static let maxSteps = 5_000_000

    enum Step {
        case name(String)
        case place(Int)
    }

    init(program: SchemaProgram, isReporting: Bool) {
        self.program = program
        self.isReporting = isReporting
    }

    @discardableResult
    mutating func start(_ value: Value) -> Bool {
        var nothing: SchemaEvaluated?
        let isValid = check(program.root, value, &nothing)
        guard isUndecided else { return isValid }
        violations.append(
            SchemaViolation(instancePath: "", keyword: "", message: "cannot be checked: nested too deep, or too much work for its schema"))
        return false
    }

    /// Applies one schema; adds what it looked at to `evaluated` where that is asked for and the value is valid.
    mutating func check(_ index: Int, _ value: Value, _ evaluated: inout SchemaEvaluated?) -> Bool {
        steps += 1
        guard depth < Self.maxDepth, steps < Self.maxSteps, !isUndecided else {
            isUndecided = true
            return false
        }
        let node = program.nodes[index]
        if node.rules.isEmpty && !node.needsEvaluated { return true }
        depth += 1
        let isNewScope = scope.last != node.resource
        if isNewScope { scope.append(node.resource) }
        var own = evaluated != nil || node.needsEvaluated ? SchemaEvaluated(of: value) : nil
        let isValid = apply(node, value, &own)
        if isValid, let own { evaluated?.formUnion(own) }
        if isNewScope { scope.removeLast() }
        depth -= 1
        return isValid
    }

    private mutating func apply(_ node: SchemaNode, _ value: Value, _ own: inout SchemaEvaluated?) -> Bool {
        var isValid = true
        for rule in node.rules {
            if !apply(rule, value, &own) {
                isValid = false
                if !isReporting || isUndecided { return false }
            }
        }
        // What a broken rule has looked at is not known: nothing sensible can be said of the rest.
        guard isValid, node.needsEvaluated else { return isValid }
        if let rest = node.unevaluatedMembers { isValid = checkUnevaluatedMembers(rest, value, &own) && isValid }
        if let rest = node.unevaluatedItems { isValid = checkUnevaluatedItems(rest, value, &own) && isValid }
        return isValid
    }

    private mutating func apply(_ rule: SchemaRule, _ value: Value, _ own: inout SchemaEvaluated?) -> Bool {
        switch rule {
        case .never: return fail("", "is not allowed here")
        case .assertion(let assertion): return test(assertion, value)
        case .reference(let node): return check(node, value, &own)
        case .dynamicReference(let anchor, let node): return check(landing(of: anchor) ?? node, value, &own)
        case .all(let nodes): return checkAll(nodes, value, &own)
        case .any(let nodes): return checkAny(nodes, value, &own)
        case .one(let nodes): return checkOne(nodes, value, &own)
        case .not(let node):
            var nothing: SchemaEvaluated?
            return !attempt(node, value, &nothing) || fail("not", "is of a kind that is not allowed here")
        case .condition(let condition, let then, let otherwise):
            guard let branch = attempt(condition, value, &own) ? then : otherwise else { return true }
            return check(branch, value, &own)
        case .members(let members): return checkMembers(members, value, &own)
        case .names(let node): return checkNames(node, value)
        case .dependents(let dependents): return checkDependents(dependents, value, &own)
        case .items(let prefix, let rest): return checkItems(prefix, rest, value, &own)
        case .contains(let node, let min, let max): return checkContains(node, min, max, value, &own)
        }
    }

    private func landing(of anchor: String) -> Int? {
        for resource in scope {
            if let node = program.dynamicAnchors[resource][anchor] { return node }
        }
        return nil
    }

    // MARK: Combinations

    /// A schema whose failure is no fault.
    mutating func attempt(_ node: Int, _ value: Value, _ evaluated: inout SchemaEvaluated?) -> Bool {
        let before = isReporting
        isReporting = false
        defer { isReporting = before }
        return check(node, value, &evaluated)
    }

    private mutating func checkAll(_ nodes: [Int], _ value: Value, _ own: inout SchemaEvaluated?) -> Bool {
        var isValid = true
        for node in nodes {
            if !check(node, value, &own) {
                isValid = false
                if !isReporting { break }
            }
        }
        return isValid
    }

    private mutating func checkAny(_ nodes: [Int], _ value: Value, _ own: inout SchemaEvaluated?) -> Bool {
        let mark = violations.count
        var nearest: [SchemaViolation]?
        var isValid = false
        for node in nodes {
            if check(node, value, &own) {
                isValid = true
                // Others still count for what they look at.
                if own == nil { break }
            }
            keepNearest(&nearest, after: mark)
        }
        if violations.count > mark { violations.removeSubrange(mark...) }
        if isValid { return true }
        let words = alternatives(nodes, nearest)
        return fail("anyOf", words)
    }

    private mutating func checkOne(_ nodes: [Int], _ value: Value, _ own: inout SchemaEvaluated?) -> Bool {
        let mark = violations.count
        var nearest: [SchemaViolation]?
        var fitting = 0
        for node in nodes {
            if check(node, value, &own) { fitting += 1 }
            keepNearest(&nearest, after: mark)
            if fitting > 1 { break }
        }
        if violations.count > mark { violations.removeSubrange(mark...) }
        if fitting == 1 { return true }
        let words = fitting == 0 ? alternatives(nodes, nearest) : "fits several of the alternatives, of which exactly one is allowed"
        return fail("oneOf", words)
    }

    /// Keeps the shorter list of faults, and takes those after the mark away again.
    private mutating func keepNearest(_ nearest: inout [SchemaViolation]?, after mark: Int) {
        guard violations.count > mark else { return }
        let found = violations[mark...]
        // Deep inside, an alternative was at least of the right kind.
        func rank(_ list: some Collection<SchemaViolation>) -> (Int, Int) {
            (-(list.first.map { $0.instancePath.utf8.count } ?? 0), list.count)
        }
        if nearest.map({ rank(found) < rank($0) }) ?? true { nearest = Array(found) }
        violations.removeSubrange(mark...)
    }

    private func alternatives(_ nodes: [Int], _ nearest: [SchemaViolation]?) -> String {
        guard isReporting else { return "" }
        return "fits none of the \(nodes.count) allowed alternatives" + (nearest?.first.map { "; the nearest: \($0)" } ?? "")
    }

    // MARK: Faults

    mutating func fail(_ keyword: String, _ message: @autoclosure () -> String) -> Bool {
        if isReporting && violations.count < SchemaValidator.maxViolations {
            violations.append(SchemaViolation(instancePath: pointer, keyword: keyword, message: message()))
        }
        return false
    }

    /// The work grew past its bounds.
    mutating func giveUp() -> Bool {
        isUndecided = true
        return false
    }

    /// Counts work that is not a schema's application.
    mutating func count(_ work: Int) {
        steps += work
        if steps >= Self.maxSteps { isUndecided = true }
    }

    /// A schema for a part of the value.
    mutating func check(_ node: Int, member name: String, _ value: Value) -> Bool {
        path.append(.name(name))
        defer { path.removeLast() }
        var nothing: SchemaEvaluated?
        return check(node, value, &nothing)
    }

    mutating func check(_ node: Int, item place: Int, _ value: Value) -> Bool {
        path.append(.place(place))
        defer { path.removeLast() }
        var nothing: SchemaEvaluated?
        return check(node, value, &nothing)
    }

    private var pointer: String {
        path.reduce(into: "") { result, step in
            switch step {
            case .name(let name): result += "/" + JSONPointer.escaped(name)
            case .place(let place): result += "/\(place)"
            }
        }
    }
}
