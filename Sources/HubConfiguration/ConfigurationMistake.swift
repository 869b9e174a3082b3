/// One thing wrong in a configuration: where, what, and what to write instead.
package struct ConfigurationMistake: Sendable, Hashable, CustomStringConvertible {
    /// The file as the person named it, or found from there.
    package var file: String
    /// Counted from 1; 0 where the mistake has no place of its own (a missing file).
    package var line: Int
    /// Counted from 1.
    package var column: Int
    /// The dotted key: `applications.crm.driver`; empty for the file as a whole.
    package var key: String
    /// What is wrong.
    package var message: String
    /// What to write instead; nil where the message says it all.
    package var suggestion: String?

    package init(file: String, line: Int, column: Int, key: String, message: String, suggestion: String? = nil) {
        self.file = file
        self.line = line
        self.column = column
        self.key = key
        self.message = message
        self.suggestion = suggestion
    }

    /// `hub.yaml:12:5: applications.crm.drvier: unknown key; did you mean "driver"?`
    package var description: String {
        var text = line > 0 ? "\(file):\(line):\(column): " : "\(file): "
        if !key.isEmpty { text += "\(key): " }
        return text + message + (suggestion.map { "; \($0)" } ?? "")
    }
}

/// All that is wrong in a configuration, by file and line.
package struct ConfigurationMistakes: Error, Sendable, CustomStringConvertible {
    package var mistakes: [ConfigurationMistake]

    package init(_ mistakes: [ConfigurationMistake]) { self.mistakes = mistakes }

    package var description: String { mistakes.map(\.description).joined(separator: "\n") }
}

/// Where something stands in a file, counted from 1.
struct Place: Hashable {
    var file: String
    var line: Int
    var column: Int
}

/// Mistakes gathered while files are read, so that a person sees all of them at once.
final class MistakeList {
    private(set) var mistakes: [ConfigurationMistake] = []
    private var seen: Set<ConfigurationMistake> = []

    func add(_ place: Place, _ key: String, _ message: String, _ suggestion: String? = nil) {
        let mistake = ConfigurationMistake(
            file: place.file, line: place.line, column: place.column, key: key, message: message, suggestion: suggestion)
        if seen.insert(mistake).inserted { mistakes.append(mistake) }
    }

    var isEmpty: Bool { mistakes.isEmpty }

    /// By line within each file, files in the order in which their first mistake was found.
    var sorted: [ConfigurationMistake] {
        var order: [String: Int] = [:]
        for mistake in mistakes where order[mistake.file] == nil { order[mistake.file] = order.count }
        return mistakes.enumerated().sorted { a, b in
            let x = (order[a.element.file] ?? 0, a.element.line, a.element.column, a.offset)
            let y = (order[b.element.file] ?? 0, b.element.line, b.element.column, b.offset)
            return x < y
        }.map(\.element)
    }
}
