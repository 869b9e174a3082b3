/// The members of an object: unique names, sorted by their bytes, so that two objects are equal, merged and compared in one pass.
public struct Fields: Sendable, Hashable {
    public typealias Member = (name: String, value: Value)

    @usableFromInline
    struct Entry: Sendable, Hashable {
        @usableFromInline var name: String
        @usableFromInline var value: Value

        @usableFromInline
        init(name: String, value: Value) {
            self.name = name
            self.value = value
        }

        @usableFromInline
        static func == (a: Entry, b: Entry) -> Bool { a.name.hasSameBytes(as: b.name) && a.value == b.value }
        @usableFromInline
        func hash(into hasher: inout Hasher) {
            hasher.combineBytes(of: name)
            hasher.combine(value)
        }
    }

    @usableFromInline var entries: [Entry]

    public init() { entries = [] }

    /// From members in any order; the last of a repeated name wins.
    public init(_ members: some Sequence<(String, Value)>) {
        self.init()
        for (name, value) in members { self[name] = value }
    }

    public var isEmpty: Bool { entries.isEmpty }
    public var count: Int { entries.count }
    public var names: [String] { entries.map(\.name) }

    public mutating func reserveCapacity(_ n: Int) { entries.reserveCapacity(n) }

    /// The place of `name`, or the place where it would stand.
    func place(of name: String) -> (index: Int, found: Bool) {
        // Members mostly arrive in order: look at the end first.
        guard let last = entries.last else { return (0, false) }
        if last.name.precedesInBytes(name) { return (entries.count, false) }
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].name.precedesInBytes(name) { low = middle + 1 } else { high = middle }
        }
        return (low, low < entries.count && entries[low].name.hasSameBytes(as: name))
    }

    /// The value under that name; setting nil removes the member.
    public subscript(name: String) -> Value? {
        get {
            let (index, found) = place(of: name)
            // Not `found ? … : nil`: a bare nil there would be the value null, not "no member".
            return found ? .some(entries[index].value) : Value?.none
        }
        set {
            let (index, found) = place(of: name)
            switch (newValue, found) {
            case (let value?, true): entries[index].value = value
            case (let value?, false): entries.insert(Entry(name: name, value: value), at: index)
            case (nil, true): entries.remove(at: index)
            case (nil, false): break
            }
        }
    }

    /// The value under that name, looked for first where `hint` says, which then moves behind it: for walks through two sets of members,
    /// which mostly have the same names.
    public func value(of name: String, hint: inout Int) -> Value? {
        if hint < entries.count, entries[hint].name.hasSameBytes(as: name) {
            hint += 1
            return .some(entries[hint - 1].value)
        }
        let (index, found) = place(of: name)
        guard found else { return Value?.none }
        hint = index + 1
        return .some(entries[index].value)
    }

    /// The member at a dotted path through nested objects: `address.city`.
    public subscript(path path: some Collection<String>) -> Value? {
        get {
            guard let first = path.first, let value = self[first] else { return nil }
            let rest = path.dropFirst()
            return rest.isEmpty ? value : value.object?[path: rest]
        }
        set {
            guard let first = path.first else { return }
            let rest = path.dropFirst()
            if rest.isEmpty {
                self[first] = newValue
            } else {
                var inner = self[first]?.object ?? Fields()
                inner[path: rest] = newValue
                self[first] = .object(inner)
            }
        }
    }

    /// This with every member of `other` laid over it; nested objects are replaced, not merged.
    public func overlaid(with other: Fields) -> Fields {
        if other.isEmpty { return self }
        if isEmpty { return other }
        var result = Fields()
        result.reserveCapacity(Swift.max(count, other.count))
        var i = 0
        var j = 0
        while i < entries.count || j < other.entries.count {
            if j == other.entries.count {
                result.entries.append(entries[i])
                i += 1
            } else if i == entries.count || other.entries[j].name.precedesInBytes(entries[i].name) {
                result.entries.append(other.entries[j])
                j += 1
            } else if entries[i].name.precedesInBytes(other.entries[j].name) {
                result.entries.append(entries[i])
                i += 1
            } else {
                result.entries.append(other.entries[j])
                i += 1
                j += 1
            }
        }
        return result
    }

    /// The same names with other values.
    public func mapValues(_ transform: (Value) throws -> Value) rethrows -> Fields {
        var result = Fields()
        result.entries = try entries.map { Entry(name: $0.name, value: try transform($0.value)) }
        return result
    }

    /// The members for which the test holds.
    public func filter(_ keep: (Member) throws -> Bool) rethrows -> Fields {
        var result = Fields()
        result.entries = try entries.filter { try keep(($0.name, $0.value)) }
        return result
    }
}

extension Fields: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, Value)...) { self.init(elements) }
}

extension Fields: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { entries.count }
    public subscript(position: Int) -> Member { (entries[position].name, entries[position].value) }
}
