import HubModel
import Yams

/// A place in a YAML file with what stands there. It knows its dotted key, and notes what is wrong with it.
struct ConfigurationNode {
    struct Member {
        var name: String
        /// Where the name stands.
        var place: Place
        var isQuoted = false
        var node: ConfigurationNode

        /// The place of a character (from 1) of the name.
        func place(ofCharacter character: Int) -> Place {
            Place(file: place.file, line: place.line, column: place.column + character - 1 + (isQuoted ? 1 : 0))
        }
    }

    indirect enum Content {
        /// Quoted text is text; plain text is what JSON would read, so that the country `NO` stays a country.
        case scalar(Value, text: String, isQuoted: Bool, isBlock: Bool)
        case list([ConfigurationNode])
        case map([Member])
    }

    var content: Content
    var place: Place
    /// Dotted: `applications.crm.driver`; empty for the whole file.
    var key: String
    let mistakes: MistakeList

    // MARK: Mistakes

    func mistake(_ message: String, _ suggestion: String? = nil) { mistakes.add(place, key, message, suggestion) }

    /// A mistake in what should stand here under a name.
    func mistake(in name: String, _ message: String, _ suggestion: String? = nil) {
        mistakes.add(place, path(name), message, suggestion)
    }

    func path(_ name: String) -> String { key.isEmpty ? name : "\(key).\(name)" }

    // MARK: Shape

    /// What this is, for people.
    var kind: String {
        switch content {
        case .scalar(.null, _, _, _): "nothing"
        case .scalar: "a single value"
        case .list: "a list"
        case .map: "a map"
        }
    }

    var isNull: Bool { if case .scalar(.null, _, _, _) = content { true } else { false } }
    var isMap: Bool { if case .map = content { true } else { false } }

    subscript(name: String) -> ConfigurationNode? {
        if case .map(let members) = content { members.first { $0.name == name }?.node } else { nil }
    }

    /// The members of a map; nothing under a key counts as an empty one. Anything else is a mistake.
    func members(_ example: String) -> [Member] {
        if case .map(let members) = content { return members }
        if !isNull { mistake("expected a map, found \(kind)", "write \(example)") }
        return []
    }

    /// Names of a map that are not among these are mistakes.
    func check(keys: [String], or more: [String] = []) {
        guard case .map(let members) = content else { return }
        let known = keys + more
        for member in members where !known.contains(member.name) {
            mistakes.add(member.place, path(member.name), "unknown key", Suggestion.text(member.name, known))
        }
    }

    // MARK: Scalars

    /// The text of a single value; anything else is a mistake.
    func text(_ example: String) -> String? {
        if case .scalar(let value, let text, _, _) = content, value != .null { return text }
        mistake("expected a text, found \(kind)", "write \(example)")
        return nil
    }

    /// A value as JSON would have it, lists and maps included.
    var value: Value {
        switch content {
        case .scalar(let value, _, _, _): value
        case .list(let elements): .array(elements.map(\.value))
        case .map(let members): .object(Fields(members.map { ($0.name, $0.node.value) }))
        }
    }

    /// A whole number within bounds; anything else is a mistake.
    func integer(_ range: ClosedRange<Int>) -> Int? {
        if case .scalar(.number(let number), _, false, _) = content, let integer = number.integer, range.contains(Int(integer)) {
            return Int(integer)
        }
        mistake("expected a whole number from \(range.lowerBound) to \(range.upperBound)", "write \(range.lowerBound) or more")
        return nil
    }

    func bool() -> Bool? {
        if case .scalar(.bool(let bool), _, _, _) = content { return bool }
        mistake("expected true or false", "write true")
        return nil
    }

    /// `500ms`, `30s`, `5m`, `2h` or `1d`; anything else is a mistake.
    func duration() -> Duration? {
        let units: [(suffix: String, milliseconds: Int64)] = [
            ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
        ]
        if case .scalar(_, let text, _, _) = content {
            for unit in units where text.hasSuffix(unit.suffix) {
                guard let count = Int64(text.dropLast(unit.suffix.count)), (1...1_000_000).contains(count) else { continue }
                return .milliseconds(count * unit.milliseconds)
            }
        }
        mistake("expected a time with its unit", "write 30s, 5m, 2h or 500ms")
        return nil
    }

    /// Texts of a list, or of one single value, each with its node.
    func texts(_ example: String) -> [(text: String, node: ConfigurationNode)] {
        switch content {
        case .list(let elements): elements.compactMap { node in node.text(example).map { ($0, node) } }
        default: text(example).map { [($0, self)] } ?? []
        }
    }

    /// The place of a character (from 1) of a single value that stands on one line.
    func place(ofCharacter character: Int) -> Place {
        guard case .scalar(_, _, let isQuoted, false) = content else { return place }
        return Place(file: place.file, line: place.line, column: place.column + character - 1 + (isQuoted ? 1 : 0))
    }
}
