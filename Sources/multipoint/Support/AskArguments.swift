import Foundation
import HubDriver
import HubModel
import HubRuntime

/// What people type behind a question.
enum AskArguments {
    /// `parameter=value` as arguments; a document is read from the file that is named.
    static func fields(_ texts: [String], _ function: FunctionManifest) throws(QuestionMistake) -> Fields {
        var fields = Fields()
        for text in texts {
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
                throw QuestionMistake(.argument, nil, "\(text): write parameter=value")
            }
            let name = String(text[..<equals])
            let value = String(text[text.index(after: equals)...])
            guard fields[name] == nil else { throw QuestionMistake(.argument, name, "is given twice") }
            let isDocument = function.parameters.contains { $0.name == name && $0.kind == .document }
            fields[name] = isDocument ? try document(value, name) : .string(value)
        }
        return fields
    }

    private static func document(_ file: String, _ name: String) throws(QuestionMistake) -> Value {
        let data = file == "-" ? try? FileHandle.standardInput.readToEnd() : FileManager.default.contents(atPath: file)
        guard let data else { throw QuestionMistake(.argument, name, "the file \(file) cannot be read") }
        do throws(JSONTextError) {
            return try JSONText.value(Array(data))
        } catch {
            throw QuestionMistake(.argument, name, "\(file == "-" ? "standard input" : file): \(error.reason)")
        }
    }

    /// A value on one line, for people.
    static func shown(_ value: Value) -> String {
        switch value {
        case .null: "–"
        case .string(let text): text
        default: JSONText.text(value)
        }
    }
}

extension FunctionManifest {
    /// For people: what it is for, its parameters, and what it answers.
    var lines: [String] {
        let rows = parameters.map { ["  \($0.name)=", $0.kind.words + ($0.isRequired ? ", needed" : ""), $0.help] }
        let answers = results.map { ["  → \($0.name)", "", $0.help] }
        return Table([name, "", summary], rows + answers).lines
    }

    /// For programs.
    var value: Value {
        [
            "function": .string(name), "summary": .string(summary),
            "parameters": .array(
                parameters.map {
                    [
                        "name": .string($0.name), "kind": .string($0.kind.words), "isRequired": .bool($0.isRequired),
                        "help": .string($0.help),
                    ]
                }),
            "results": .array(results.map { ["name": .string($0.name), "help": .string($0.help)] }),
        ]
    }
}

extension FunctionParameter.Kind {
    var words: String {
        switch self {
        case .text: "text"
        case .decimal: "decimal"
        case .date: "date"
        case .company: "company"
        case .reference(let entity): entity.rawValue
        case .document: "document"
        }
    }
}
