import HubCodec
public import HubModel

/// A YAML file that a driver reads besides its settings, every part with its place: what is wrong is told with file, line and entry.
public struct Declaration: Sendable {
    private let tree: YAMLTree
    /// For people: `entities[1].read`; empty at the top.
    public let entry: String

    /// Reads a file's text, which has to be a map.
    ///
    /// - Parameters:
    ///   - file: the file's name, as people should read it in an error.
    ///   - what: what the file is, for errors: `a recipe`.
    ///   - needs: what it has to begin with, for errors: `url: and entities:`.
    public init(_ text: String, file: String, as what: String, needs: String) throws(DriverError) {
        var problems: [MappingProblem] = []
        let tree = YAMLTree.read(MappingSource(name: file, text: text), as: what, needs: needs, problems: &problems)
        guard let tree, problems.isEmpty else {
            throw DriverError(.configuration, problems.map(\.description).joined(separator: "; "))
        }
        self.tree = tree
        entry = ""
    }

    private init(_ tree: YAMLTree, _ entry: String) {
        self.tree = tree
        self.entry = entry
    }

    /// An error with this part's place.
    public func mistake(_ text: String) -> DriverError {
        let place = tree.place
        return DriverError(.configuration, "\(place.file):\(place.line): \(entry.isEmpty ? "" : "\(entry): ")\(text)")
    }

    private func wrong(_ expected: String) -> DriverError { mistake("it has to be \(expected), not \(tree.kind)") }

    // MARK: Maps

    /// The member of that name; nil where there is none or it is empty.
    public func optional(_ name: String) throws(DriverError) -> Declaration? {
        guard let entries = tree.entries else { throw wrong("a map") }
        guard let found = entries.first(where: { $0.name == name }) else { return nil }
        if case .null = found.value.value { return nil }
        return Declaration(found.value, entry.isEmpty ? name : "\(entry).\(name)")
    }

    /// The member of that name.
    public func member(_ name: String) throws(DriverError) -> Declaration {
        guard let member = try optional(name) else { throw mistake("\(name) is missing") }
        return member
    }

    /// All members, in the file's order.
    public func members() throws(DriverError) -> [(name: String, value: Declaration)] {
        guard let entries = tree.entries else { throw wrong("a map") }
        return entries.map { ($0.name, Declaration($0.value, entry.isEmpty ? $0.name : "\(entry).\($0.name)")) }
    }

    /// Refuses members of other names: a misspelt one would silently have no effect.
    public func check(only names: [String]) throws(DriverError) {
        for (name, member) in try members() where !names.contains(name) {
            throw member.mistake("there is no \(name) here; there are \(names.sorted().joined(separator: ", "))")
        }
    }

    public var isMap: Bool { tree.entries != nil }

    // MARK: Lists and single values

    /// The elements of a list; a single value counts as a list of itself.
    public var elements: [Declaration] {
        guard case .list(let elements, _) = tree else { return [self] }
        return elements.enumerated().map { Declaration($1, "\(entry)[\($0)]") }
    }

    /// Any value.
    public var value: Value { tree.value }

    /// A text that is not empty; numbers as they are written.
    public func text() throws(DriverError) -> String {
        guard let text = tree.value.keyText, !text.isEmpty else { throw wrong("a text") }
        return text
    }

    public func bool() throws(DriverError) -> Bool {
        guard let bool = tree.value.bool else { throw wrong("true or false") }
        return bool
    }

    public func integer(_ range: ClosedRange<Int64>) throws(DriverError) -> Int64 {
        guard let number = tree.value.integer else { throw wrong("a whole number") }
        guard range.contains(number) else {
            throw mistake("it has to be from \(range.lowerBound) to \(range.upperBound), not \(number)")
        }
        return number
    }

    public func texts() throws(DriverError) -> [String] {
        var texts: [String] = []
        for element in elements { texts.append(try element.text()) }
        return texts
    }

    /// One of the raw values of an enumeration.
    public func word<T: RawRepresentable & CaseIterable>(_ type: T.Type) throws(DriverError) -> T where T.RawValue == String {
        let text = try text()
        guard let word = T(rawValue: text) else {
            throw mistake("it has to be one of \(T.allCases.map(\.rawValue).joined(separator: ", ")), not \(text)")
        }
        return word
    }
}
