import HubModel

/// A mapping file in normal form: every field under its dotted name, `lines` as one of the lists; ready to lie over another.
struct MappingDeclaration {
    struct List {
        var name: String
        var place: YAMLTree.Place
        var options: [YAMLTree.Entry]
        var fields: [YAMLTree.Entry]
    }

    var place: YAMLTree.Place
    var options: [YAMLTree.Entry] = []
    /// Long and short forms, and null for what is to be removed.
    var fields: [YAMLTree.Entry] = []
    var lists: [List] = []
    /// Lists to be removed from what this lies over.
    var removedLists: [YAMLTree.Entry] = []

    init(_ tree: YAMLTree, problems: inout [MappingProblem]) {
        place = tree.place
        for entry in tree.entries ?? [] {
            switch entry.name {
            case "fields": fields = Self.fields(of: entry, problems: &problems)
            case "lines": add(YAMLTree.Entry(name: "lines", place: entry.place, value: entry.value), problems: &problems)
            case "lists":
                guard let lists = entry.value.entries else {
                    problems.append(entry.place.problem("lists: is a map of names: write lists: { payments: { path: …, fields: … } }"))
                    continue
                }
                for list in lists { add(list, problems: &problems) }
            default: options.append(entry)
            }
        }
    }

    private mutating func add(_ entry: YAMLTree.Entry, problems: inout [MappingProblem]) {
        if entry.value.isNull {
            removedLists.append(entry)
            return
        }
        guard let members = entry.value.entries else {
            problems.append(
                entry.place.problem(
                    "\(entry.name) is \(entry.value.kind), but a list is a map: write path: …, key: …, fields: …"))
            return
        }
        if lists.contains(where: { $0.name == entry.name }) {
            problems.append(entry.place.problem("the list \(entry.name) stands twice: keep one (lines: is the list named lines)"))
            return
        }
        let fields = members.first { $0.name == "fields" }.map { Self.fields(of: $0, problems: &problems) } ?? []
        lists.append(
            List(name: entry.name, place: entry.place, options: members.filter { $0.name != "fields" }, fields: fields))
    }

    // MARK: Fields

    /// The declared fields under their dotted names.
    private static func fields(of entry: YAMLTree.Entry, problems: inout [MappingProblem]) -> [YAMLTree.Entry] {
        guard let members = entry.value.entries else {
            if !entry.value.isNull {
                problems.append(entry.place.problem("fields: is \(entry.value.kind), but has to be a map: write fields: { name: path }"))
            }
            return []
        }
        var result: [YAMLTree.Entry] = []
        for member in members { flatten(member, prefix: "", into: &result, problems: &problems) }
        var seen: [String: YAMLTree.Place] = [:]
        for field in result {
            if let first = seen[field.name] {
                problems.append(field.place.problem("\(field.name) is declared twice, first in line \(first.line): keep one"))
            }
            seen[field.name] = field.place
        }
        return result
    }

    private static func flatten(
        _ entry: YAMLTree.Entry, prefix: String, into result: inout [YAMLTree.Entry], problems: inout [MappingProblem]
    ) {
        let name = prefix.isEmpty ? entry.name : prefix + "." + entry.name
        let members = entry.value.entries ?? []
        let isLongForm = members.contains { $0.name == "path" || $0.name == "constant" }
        if members.isEmpty || isLongForm {
            result.append(YAMLTree.Entry(name: name, place: entry.place, value: entry.value))
            return
        }
        for member in members {
            if MappingWords.field.contains(member.name) {
                problems.append(
                    member.place.problem(
                        "\(member.name) is an option, but \(name) has no path: write \(name): { path: …, \(member.name): … }; "
                            + "for a canonical member of that name write \(name).\(member.name): …"))
            } else {
                flatten(member, prefix: name, into: &result, problems: &problems)
            }
        }
    }

    // MARK: One over another

    /// This laid over what it extends: options and fields replace those of the same name, null removes.
    func laid(over base: MappingDeclaration, problems: inout [MappingProblem]) -> MappingDeclaration {
        var result = base
        result.place = place
        result.options = Self.overlay(base.options, options.filter { $0.name != "extends" })
        result.fields = Self.overlayFields(base.fields, fields, problems: &problems)
        for removed in removedLists {
            let before = result.lists.count
            result.lists.removeAll { $0.name == removed.name }
            if result.lists.count == before {
                problems.append(removed.place.problem("there is no list \(removed.name) to remove: leave the line out"))
            }
        }
        for list in lists {
            if let index = result.lists.firstIndex(where: { $0.name == list.name }) {
                result.lists[index].place = list.place
                result.lists[index].options = Self.overlay(result.lists[index].options, list.options)
                result.lists[index].fields = Self.overlayFields(result.lists[index].fields, list.fields, problems: &problems)
            } else {
                result.lists.append(list)
            }
        }
        return result
    }

    private static func overlay(_ base: [YAMLTree.Entry], _ over: [YAMLTree.Entry]) -> [YAMLTree.Entry] {
        base.filter { below in !over.contains { $0.name == below.name } } + over.filter { !$0.value.isNull }
    }

    private static func overlayFields(
        _ base: [YAMLTree.Entry], _ over: [YAMLTree.Entry], problems: inout [MappingProblem]
    ) -> [YAMLTree.Entry] {
        var result = base
        for field in over {
            let before = result.count
            if field.value.isNull {
                result.removeAll { $0.name == field.name || $0.name.hasPrefix(field.name + ".") }
                if result.count == before {
                    problems.append(field.place.problem("there is no field \(field.name) to remove: leave the line out"))
                }
            } else {
                result.removeAll { $0.name == field.name }
                result.append(field)
            }
        }
        return result
    }

    /// All that has a meaning, in an order of its own: what the version is made of.
    var value: Value {
        func object(_ entries: [YAMLTree.Entry]) -> Value { .object(Fields(entries.map { ($0.name, $0.value.value) })) }
        return .object([
            "options": object(options), "fields": object(fields),
            "lists": .object(
                Fields(lists.map { ($0.name, .object(["options": object($0.options), "fields": object($0.fields)])) })),
        ])
    }
}

/// The words that a mapping file may use.
enum MappingWords {
    static let mapping = ["entity", "native", "when", "key", "company", "extends", "fields", "lines", "lists", "keys", "empty"]
    static let list = ["path", "key", "fields", "direction"]
    static let field = [
        "path", "as", "scale", "round", "float", "ref", "soft", "values", "default", "constant", "writeConstant", "direction",
        "normalise", "empty", "quoted", "unit", "form", "keys",
    ]

    /// ` (did you mean scale?)`, or nothing where no word is near.
    static func hint(for word: String, among words: [String]) -> String {
        let near = words.map { (distance(word, $0), $0) }.filter { $0.0 <= 2 }.min { $0.0 < $1.0 }
        return near.map { " (did you mean \($0.1)?)" } ?? ""
    }

    /// How many letters have to change.
    private static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.lowercased().unicodeScalars.prefix(40))
        let b = Array(b.lowercased().unicodeScalars)
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let next = min(row[j] + 1, row[j + 1] + 1, diagonal + (x == y ? 0 : 1))
                diagonal = row[j + 1]
                row[j + 1] = next
            }
        }
        return row[b.count]
    }
}
