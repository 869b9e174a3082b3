package import HubModel
import Yams

/// A YAML document with the place of everything in it, ready to be merged with another file's.
package indirect enum YAMLTree: Sendable {
    /// Where something stands.
    package struct Place: Sendable, Hashable {
        package var file: String
        package var line: Int
        package var column: Int

        func problem(_ text: String) -> MappingProblem { MappingProblem(file: file, line: line, column: column, text: text) }
    }

    package struct Entry: Sendable {
        package var name: String
        package var place: Place
        package var value: YAMLTree
    }

    case scalar(Value, Place)
    case list([YAMLTree], Place)
    case map([Entry], Place)

    package var place: Place {
        switch self {
        case .scalar(_, let place), .list(_, let place), .map(_, let place): place
        }
    }

    package var entries: [Entry]? { if case .map(let entries, _) = self { entries } else { nil } }
    var isNull: Bool { if case .scalar(.null, _) = self { true } else { false } }
    var scalar: Value? { if case .scalar(let value, _) = self { value } else { nil } }

    subscript(name: String) -> Entry? { entries?.first { $0.name == name } }

    /// One word or several: a scalar counts as a list of itself.
    var elements: [YAMLTree] { if case .list(let elements, _) = self { elements } else { [self] } }

    /// What this is, for errors.
    package var kind: String {
        switch self {
        case .scalar(.null, _): "nothing"
        case .scalar: "a single value"
        case .list: "a list"
        case .map: "a map"
        }
    }

    /// This as a value, names sorted: what a mapping's version is made of.
    package var value: Value {
        switch self {
        case .scalar(let value, _): value
        case .list(let elements, _): .array(elements.map(\.value))
        case .map(let entries, _): .object(Fields(entries.map { ($0.name, $0.value.value) }))
        }
    }

    // MARK: Reading

    /// Reads a file; what is no YAML, or no map, is added to the problems.
    ///
    /// - Parameters:
    ///   - what: what the file is, for errors.
    ///   - needs: what it has to begin with, for errors.
    package static func read(
        _ source: MappingSource, as what: String = "a mapping", needs: String = "native: and fields:", problems: inout [MappingProblem]
    ) -> YAMLTree? {
        let start = Place(file: source.name, line: 1, column: 1)
        do {
            guard let node = try Yams.compose(yaml: source.text) else {
                problems.append(start.problem("the file is empty: \(what) needs at least \(needs)"))
                return nil
            }
            var budget = 100_000
            let tree = convert(node, file: source.name, within: start, budget: &budget, problems: &problems)
            guard case .map = tree else {
                problems.append(tree.place.problem("this is \(tree.kind), but \(what) is a map: write \(needs)"))
                return nil
            }
            return tree
        } catch let error as YamlError {
            problems.append(problem(error, start))
        } catch {
            problems.append(start.problem("not readable as YAML: \(error)"))
        }
        return nil
    }

    private static func convert(
        _ node: Node, file: String, within outer: Place, budget: inout Int, problems: inout [MappingProblem]
    ) -> YAMLTree {
        let place = node.mark.map { Place(file: file, line: $0.line, column: $0.column) } ?? outer
        budget -= 1
        guard budget > 0 else {
            if budget == 0 { problems.append(place.problem("the file is too large once its aliases (*name) are written out")) }
            return .scalar(.null, place)
        }
        switch node {
        case .scalar(let scalar): return .scalar(value(of: scalar), place)
        case .sequence(let sequence):
            return .list(sequence.map { convert($0, file: file, within: place, budget: &budget, problems: &problems) }, place)
        case .mapping(let mapping):
            var entries: [Entry] = []
            for (key, value) in mapping {
                let keyPlace = key.mark.map { Place(file: file, line: $0.line, column: $0.column) } ?? place
                guard let name = key.scalar?.string else {
                    problems.append(keyPlace.problem("a name has to be a word, not a list or a map"))
                    continue
                }
                let converted = convert(value, file: file, within: keyPlace, budget: &budget, problems: &problems)
                entries.append(Entry(name: name, place: keyPlace, value: converted))
            }
            return .map(entries, place)
        case .alias:
            problems.append(place.problem("this alias has no meaning here: write the value out"))
            return .scalar(.null, place)
        }
    }

    /// Quoted is text. Plain is what JSON would read: `true`, `false`, `null`, a number; anything else is text, so that the
    /// country `NO` stays a country.
    private static func value(of scalar: Node.Scalar) -> Value {
        guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
        switch scalar.string {
        case "", "~", "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        default: return Number(scalar.string).map { .number($0) } ?? .string(scalar.string)
        }
    }

    private static func problem(_ error: YamlError, _ start: Place) -> MappingProblem {
        func at(_ mark: Mark, _ text: String) -> MappingProblem {
            Place(file: start.file, line: mark.line, column: mark.column).problem(text)
        }
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let before = context.map { " " + $0.text } ?? ""
            return at(mark, "not readable as YAML: \(problem)\(before); look at the indentation, colons and quotes here")
        case .duplicatedKeysInMapping(let names, let context):
            return at(context.mark, "\(names.joined(separator: ", ")) stands here twice or more: keep one")
        case .reader(let problem, _, _, _): return start.problem("not readable as YAML: \(problem)")
        default: return start.problem("not readable as YAML: \(error)")
        }
    }
}
