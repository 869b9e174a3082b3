import FoundationEssentials
import HTTPApplication
import HubDriver
import HubModel

/// A path with variables: `/items?limit={limit}[&cursor={cursor}]`. A part in square brackets is left out where one of its variables has
/// no value. What is written out may hold spaces and quotes; values are percent-encoded. A part in backquotes is JSON with variables that is
/// sent in base64url: `` `[["code", "=", "{reference}"]]` ``.
struct Template: Sendable, Hashable {
    private indirect enum Part: Sendable, Hashable {
        case literal(String)
        case variable(String)
        case optional([Part])
        case encoded([Part])
    }

    struct Mistake: Error {
        var text: String
    }

    let source: String
    private let parts: [Part]
    /// Apostrophes in values are doubled, as texts in OData and SData expressions want them.
    private let doublesQuotes: Bool

    init(_ source: String, doublesQuotes: Bool = false) throws(Mistake) {
        self.source = source
        self.doublesQuotes = doublesQuotes
        var rest = source[...]
        parts = try Self.parts(&rest, isInside: false)
    }

    private static func parts(_ rest: inout Substring, isInside: Bool) throws(Mistake) -> [Part] {
        var parts: [Part] = []
        while let first = rest.first {
            switch first {
            case "{":
                guard let end = rest.firstIndex(of: "}") else { throw Mistake(text: "a { has no }") }
                let name = rest[rest.index(after: rest.startIndex)..<end]
                guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }) else {
                    throw Mistake(text: "{\(name)} is no name of a variable")
                }
                parts.append(.variable(String(name)))
                rest = rest[rest.index(after: end)...]
            case "[":
                if isInside { throw Mistake(text: "square brackets stand within square brackets") }
                rest = rest.dropFirst()
                let inner = try Self.parts(&rest, isInside: true)
                guard rest.first == "]" else { throw Mistake(text: "a [ has no ]") }
                rest = rest.dropFirst()
                parts.append(.optional(inner))
            case "`":
                let text = rest.dropFirst().prefix { $0 != "`" }
                guard text.endIndex < rest.endIndex else { throw Mistake(text: "a backquote has no other") }
                parts.append(.encoded(Self.json(text)))
                rest = rest[rest.index(after: text.endIndex)...]
            case "]" where isInside: return parts
            case "]", "}": throw Mistake(text: "a \(first) has nothing that it closes")
            default:
                let literal = rest.prefix { !"{}[]`".contains($0) }
                parts.append(.literal(escaped(literal)))
                rest = rest[literal.endIndex...]
            }
        }
        return parts
    }

    /// JSON's own braces and brackets are none of a template's: only `{name}` is a variable.
    private static func json(_ text: Substring) -> [Part] {
        var parts: [Part] = []
        var rest = text
        while let open = rest.firstIndex(of: "{") {
            let name = rest[rest.index(after: open)...].prefix { $0.isLetter || $0.isNumber || $0 == "_" }
            guard !name.isEmpty, name.endIndex < rest.endIndex, rest[name.endIndex] == "}" else {
                let end = rest.index(after: open)
                parts.append(.literal(String(rest[..<end])))
                rest = rest[end...]
                continue
            }
            parts += [.literal(String(rest[..<open])), .variable(String(name))]
            rest = rest[rest.index(after: name.endIndex)...]
        }
        return parts + [.literal(String(rest))]
    }

    /// Characters that an address cannot hold, percent-encoded; what is encoded already stays.
    private static func escaped(_ text: Substring) -> String {
        var result = ""
        for character in text {
            let isPlain = character.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } && !"\"<>\\^`|".contains(character)
            result += isPlain ? String(character) : HTTPCall.encoded(String(character))
        }
        return result
    }

    /// The variables' names.
    var variables: Set<String> { Self.variables(parts) }

    private static func variables(_ parts: [Part]) -> Set<String> {
        parts.reduce(into: Set()) { names, part in
            switch part {
            case .literal: break
            case .variable(let name): names.insert(name)
            case .optional(let parts), .encoded(let parts): names.formUnion(variables(parts))
            }
        }
    }

    /// The path; nil where a variable outside square brackets has no value.
    func path(_ values: [String: String]) -> String? { text(parts, values) { HTTPCall.encoded($0) } }

    /// The same with the values as they are: for addresses and header values.
    func plain(_ values: [String: String]) -> String? { text(parts, values) { $0 } }

    /// A value within a JSON text's quotes.
    private static func inJSON(_ value: String) -> String { String(JSONText.text(.string(value)).dropFirst().dropLast()) }

    private static func base64url(_ text: String) -> String {
        String(
            Data(text.utf8).base64EncodedString().map { character in
                switch character {
                case "+": "-"
                case "/": "_"
                default: character
                }
            })
    }

    private func text(_ parts: [Part], _ values: [String: String], _ form: (String) -> String) -> String? {
        var result = ""
        for part in parts {
            switch part {
            case .literal(let text): result += text
            case .variable(let name):
                guard let value = values[name] else { return nil }
                result += form(
                    doublesQuotes ? value.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") : value)
            case .optional(let parts): result += text(parts, values, form) ?? ""
            case .encoded(let parts):
                guard let json = text(parts, values, Self.inJSON) else { return nil }
                result += Self.base64url(json)
            }
        }
        return result
    }
}
