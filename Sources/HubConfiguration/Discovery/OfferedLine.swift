import HubDriver
import HubModel

/// One line of a mapping for a field as found: its options are a guess that a person should look at.
struct OfferedLine {
    let name: String
    let path: String
    let field: DiscoveredField
    let references: [String: EntityName]

    /// `creditLimit: { path: credit_limit, as: decimal, scale: 2 }`, with a comment where something is left to decide.
    var text: String {
        let (options, comment) = guess
        let place = Self.quoted(path)
        let all = options + (field.isReadOnly ? ["direction: in"] : [])
        let line = all.isEmpty ? "\(name): \(place)" : "\(name): { path: \(place), \(all.joined(separator: ", ")) }"
        let notes = [comment, field.isRequired ? "required" : nil, field.label.map(Self.plain)].compactMap { $0 }
        let whole = isWritable ? line : "# " + line
        return notes.isEmpty ? whole : whole + "   # " + notes.joined(separator: "; ")
    }

    /// Lists, objects and bytes need more than a line.
    private var isWritable: Bool { ![.list, .object, .binary].contains(field.kind) }

    private var guess: (options: [String], comment: String?) {
        switch field.kind {
        case .text, .other: return ([], field.kind == .other ? Self.plain(field.nativeKind) : nil)
        case .boolean: return (["as: boolean"], nil)
        case .date: return (["as: date"], nil)
        case .instant: return (["as: instant"], nil)
        case .number: return (number, nil)
        case .code: return ([], field.codes.map { "codes: " + $0.prefix(12).map(Self.plain).joined(separator: ", ") })
        case .reference:
            let native = field.nativeKind.split(separator: "(").last.map { String($0.prefix { $0 != ")" }) } ?? ""
            let last = path.split(separator: ".").last.map(String.init) ?? path
            if let entity = references[native] ?? references[last] { return (["ref: \(entity)", "soft: true"], nil) }
            return ([], "a reference (\(Self.plain(field.nativeKind))): the document's key in the application")
        case .list: return ([], "a list: map it under lists:")
        case .object: return ([], "an object: map its members, \(path).…")
        case .binary: return ([], "binary")
        }
    }

    /// By the application's own word: `numeric(12,2)`, `integer`, `float`.
    private var number: [String] {
        let kind = field.nativeKind.lowercased()
        if let open = kind.firstIndex(of: "(") {
            let inside = kind[kind.index(after: open)...].prefix { $0 != ")" }.split(separator: ",")
            if let scale = inside.last.flatMap({ Int($0.filter { $0 != " " }) }), inside.count == 2 {
                return scale == 0 ? ["as: integer"] : ["as: decimal", "scale: \(max(0, min(18, scale)))"]
            }
        }
        if kind.contains("int") || kind.contains("serial") { return ["as: integer"] }
        if ["float", "double", "real"].contains(where: kind.contains) { return ["as: decimal", "scale: 2", "round: true", "float: true"] }
        if kind.contains("monetary") { return ["as: decimal", "scale: 2"] }
        return ["as: decimal"]
    }

    /// Quoted where YAML would read something else.
    private static func quoted(_ text: String) -> String {
        let isPlain = text.allSatisfy { $0.isLetter || $0.isNumber || "._-/".contains($0) }
        let isWord = text.first.map { $0.isLetter || $0 == "_" } ?? false
        if isPlain, isWord, !["true", "false", "null"].contains(text) { return text }
        return "\"" + text.flatMap { "\"\\".contains($0) ? "\\\($0)" : String($0) } + "\""
    }

    /// Without what would end the line.
    private static func plain(_ text: String) -> String { String(text.prefix(60).map { $0.isNewline ? " " : $0 }) }
}
