import HubDriver

/// The fields of a discovered type, by path.
struct FoundType {
    /// What is known of a path.
    enum Presence {
        case field(DiscoveredField)
        /// It is there, and only what stands in it has been told.
        case container
        /// It stands in something whose members the application does not tell.
        case unknowable
        case missing
    }

    let type: DiscoveredType
    private let fields: [String: DiscoveredField]
    private let containers: Set<String>

    init(_ type: DiscoveredType) {
        self.type = type
        fields = Dictionary(type.fields.map { ($0.path, $0) }) { first, _ in first }
        containers = Set(type.fields.flatMap { Self.prefixes(of: $0.path) })
    }

    /// A mapping's path without positions in lists: `addresses.0.city` is discovered as `addresses.city`.
    static func path(_ parts: [String]) -> String { parts.filter { Int($0) == nil }.joined(separator: ".") }

    /// `a`, `a.b` of `a.b.c`.
    static func prefixes(of path: String) -> [String] {
        path.indices.filter { path[$0] == "." }.map { String(path[..<$0]) }
    }

    func presence(_ path: String) -> Presence {
        if let field = fields[path] { return .field(field) }
        if containers.contains(path) { return .container }
        for prefix in Self.prefixes(of: path).reversed() {
            if containers.contains(prefix) { return .missing }
            guard let field = fields[prefix] else { continue }
            return [.object, .list, .reference, .other].contains(field.kind) ? .unknowable : .missing
        }
        return .missing
    }
}

extension DiscoveredField.Kind {
    /// For people: `a number`.
    var words: String {
        switch self {
        case .text: "text"
        case .number: "a number"
        case .boolean: "a truth value"
        case .date: "a date"
        case .instant: "a moment"
        case .code: "a code"
        case .reference: "a reference"
        case .list: "a list"
        case .object: "an object"
        case .binary: "binary"
        case .other: "of a kind of its own"
        }
    }
}
