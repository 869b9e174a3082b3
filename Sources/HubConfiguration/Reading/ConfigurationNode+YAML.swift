import HubModel
import Yams

extension ConfigurationNode {
    /// Reads a YAML text; what is no YAML, or no map, is a mistake.
    static func read(_ text: String, file: String, mistakes: MistakeList) -> ConfigurationNode? {
        let start = Place(file: file, line: 1, column: 1)
        do {
            guard let node = try Yams.compose(yaml: text) else {
                mistakes.add(start, "", "the file is empty", "begin with hub: and a name")
                return nil
            }
            var budget = 100_000
            let tree = convert(node, file, start, key: "", &budget, mistakes)
            guard tree.isMap else {
                tree.mistake("expected a map, found \(tree.kind)", "begin with hub: and a name")
                return nil
            }
            return tree
        } catch let error as YamlError {
            note(error, start, mistakes)
        } catch {
            mistakes.add(start, "", "not readable as YAML: \(error)")
        }
        return nil
    }

    private static func convert(
        _ node: Node, _ file: String, _ outer: Place, key: String, _ budget: inout Int, _ mistakes: MistakeList
    ) -> ConfigurationNode {
        let place = node.mark.map { Place(file: file, line: $0.line, column: $0.column) } ?? outer
        var result = ConfigurationNode(
            content: .scalar(.null, text: "", isQuoted: false, isBlock: false), place: place, key: key, mistakes: mistakes)
        budget -= 1
        guard budget > 0 else {
            // Aliases can blow a small file up without bound.
            if budget == 0 { result.mistake("the file is too large once its aliases (*name) are written out") }
            return result
        }
        switch node {
        case .scalar(let scalar):
            let isQuoted = scalar.style == .singleQuoted || scalar.style == .doubleQuoted
            let isBlock = scalar.style == .literal || scalar.style == .folded
            let value = isQuoted || isBlock ? .string(scalar.string) : plain(scalar.string)
            result.content = .scalar(value, text: scalar.string, isQuoted: isQuoted, isBlock: isBlock)
        case .sequence(let sequence):
            result.content = .list(sequence.map { convert($0, file, place, key: key, &budget, mistakes) })
        case .mapping(let mapping):
            var members: [Member] = []
            for (name, value) in mapping {
                let at = name.mark.map { Place(file: file, line: $0.line, column: $0.column) } ?? place
                guard let text = name.scalar?.string else {
                    mistakes.add(at, key, "a key has to be a word, not a list or a map")
                    continue
                }
                let inner = convert(value, file, at, key: result.path(text), &budget, mistakes)
                let style = name.scalar?.style
                members.append(
                    Member(name: text, place: at, isQuoted: style == .singleQuoted || style == .doubleQuoted, node: inner))
            }
            result.content = .map(members)
        case .alias:
            result.mistake("this alias has no meaning here", "write the value out")
        }
        return result
    }

    private static func plain(_ text: String) -> Value {
        switch text {
        case "", "~", "null": .null
        case "true": .bool(true)
        case "false": .bool(false)
        default: Number(text).map { .number($0) } ?? .string(text)
        }
    }

    private static func note(_ error: YamlError, _ start: Place, _ mistakes: MistakeList) {
        func at(_ mark: Mark) -> Place { Place(file: start.file, line: mark.line, column: mark.column) }
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let around = context.map { " " + $0.text } ?? ""
            mistakes.add(at(mark), "", "not readable as YAML: \(problem)\(around)", "look at the indentation, colons and quotes here")
        case .duplicatedKeysInMapping(let names, let context):
            mistakes.add(
                at(context.mark), names.joined(separator: ", "), "stands twice in one map, so it would have two owners or values",
                "keep one of them")
        case .reader(let problem, _, _, _):
            mistakes.add(start, "", "not readable as YAML: \(problem)")
        default:
            mistakes.add(start, "", "not readable as YAML: \(error)")
        }
    }
}
