import HubDriver
import HubModel

/// What a system does not keep of a text as it was sent: such a text is refused before anything is written.
struct TextRule: Sendable, Hashable {
    /// Characters that a system changes, drops or chokes on.
    enum Characters: String, Sendable, CaseIterable {
        /// U+0000.
        case nul
        /// U+0009 to U+000D: tabs and line breaks.
        case lineBreaks
        /// All control characters, those above included.
        case controls
        /// White space at either end.
        case spaceAround
        /// What needs two units in UTF-16 or four bytes in UTF-8: emoji, rare ideographs.
        case supplementary

        /// For people.
        var words: String {
            switch self {
            case .nul: "a NUL character"
            case .lineBreaks: "a tab or line break"
            case .controls: "a control character"
            case .spaceAround: "white space at its beginning or end"
            case .supplementary: "a character beyond U+FFFF"
            }
        }
    }

    /// What a text's length is counted in.
    enum Unit: String, Sendable, CaseIterable {
        /// Unicode code points.
        case characters
        case utf16
        /// Of UTF-8.
        case bytes
    }

    var without: Set<Characters>
    /// The longest text; nil without a limit.
    var most: Int?
    var unit: Unit

    /// Names of the rules that a text can break.
    static let characterRule = "invalid-text"
    static let lengthRule = "too-long"

    /// The name under which a rule holds for all members that have none of their own.
    static let others = "*"

    /// By member, as mappings write it: `name`, `lines.text`.
    static func rules(_ entry: Declaration?) throws(DriverError) -> [String: TextRule] {
        var rules: [String: TextRule] = [:]
        for (name, rule) in try entry?.members() ?? [] {
            try rule.check(only: ["without", "most", "in"])
            var without: Set<Characters> = []
            for word in try rule.optional("without")?.elements ?? [] { without.insert(try word.word(Characters.self)) }
            let most = try rule.optional("most")?.integer(1...Int64(Int32.max)).asInt
            if without.isEmpty, most == nil { throw rule.mistake("it lets everything through: say without or most") }
            if most == nil, let unit = try rule.optional("in") { throw unit.mistake("there is no most that it could count") }
            rules[name] = TextRule(without: without, most: most, unit: try rule.optional("in")?.word(Unit.self) ?? .characters)
        }
        return rules
    }

    /// What is wrong with a text; nil where nothing is.
    func objection(_ text: String, _ place: String) -> Rejection? {
        // In the order of their declaration, so that a text with several mistakes is always refused for the same one.
        if let found = Characters.allCases.first(where: { without.contains($0) && Self.has($0, text) }) {
            return Rejection(rule: Self.characterRule, field: place, text: "\(place) holds \(found.words), which would not be kept.")
        }
        guard let most, length(text) > most else { return nil }
        return Rejection(rule: Self.lengthRule, field: place, text: "\(place) is longer than \(most) \(unit.rawValue).")
    }

    private func length(_ text: String) -> Int {
        switch unit {
        case .characters: text.unicodeScalars.count
        case .utf16: text.utf16.count
        case .bytes: text.utf8.count
        }
    }

    private static func has(_ kind: Characters, _ text: String) -> Bool {
        let scalars = text.unicodeScalars
        switch kind {
        case .nul: return scalars.contains("\0")
        case .lineBreaks: return scalars.contains { ("\t"..."\r").contains($0) }
        case .controls: return scalars.contains { $0.properties.generalCategory == .control }
        case .spaceAround: return scalars.first?.properties.isWhitespace == true || scalars.last?.properties.isWhitespace == true
        case .supplementary: return scalars.contains { $0.value > 0xFFFF }
        }
    }
}

extension EntityRecipe {
    /// What is wrong with the texts of a delivery's member, those within lists and objects too; nil where nothing is.
    func textObjection(_ value: Value, _ place: String) -> Rejection? {
        switch value {
        case .string(let text): return (texts[place] ?? texts[TextRule.others])?.objection(text, place)
        case .array(let elements):
            for element in elements {
                if let objection = textObjection(element, place) { return objection }
            }
            return nil
        case .object(let fields):
            for (name, value) in fields {
                if let objection = textObjection(value, "\(place).\(name)") { return objection }
            }
            return nil
        default: return nil
        }
    }
}
