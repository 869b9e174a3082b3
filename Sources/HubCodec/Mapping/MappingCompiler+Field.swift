import HubModel

extension MappingCompiler {
    /// A field in short form (`name: path`) or long form (a map); nil where nothing can be made of it.
    mutating func field(_ entry: YAMLTree.Entry) -> FieldMapping? {
        var field = FieldMapping(name: entry.name)
        field.hasNumericKey = hasNumericKeys
        field.empty = empty
        switch entry.value {
        case .scalar(let value, let place):
            guard case .string(let text) = value else {
                report(
                    place,
                    "\(entry.name) needs the path of a native field: write \(entry.name): path, "
                        + "or { constant: … } for a fixed value")
                return nil
            }
            guard let path = path(of: text, at: place) else { return nil }
            field.path = path
            return field
        case .list(_, let place):
            report(
                place,
                "\(entry.name) is a list, but a field has one path: write \(entry.name): path; "
                    + "a list of documents goes under lists:")
            return nil
        case .map(let options, _):
            let before = problems.count
            var isEmptyDeclared = false
            for option in options {
                read(option, into: &field)
                isEmptyDeclared = isEmptyDeclared || option.name == "empty"
            }
            if field.kind == .boolean {
                for index in field.rows.indices {
                    let word = field.rows[index].canonical
                    if word == "true" || word == "false" {
                        field.rows[index].canonical = .bool(word == "true")
                    } else {
                        report(entry.place, "the values of a boolean are true and false: write values: { true: Y, false: N }")
                    }
                }
            }
            // What the whole mapping calls empty is a value of its own where truth is meant, or a table or the field speaks of it.
            if !isEmptyDeclared {
                field.empty.removeAll { value in
                    if field.kind == .boolean, case .bool = value { return true }
                    return field.rows.contains { $0.natives.contains(value) }
                }
            }
            check(field, options, entry.place)
            return problems.count == before ? field : nil
        }
    }

    private mutating func read(_ option: YAMLTree.Entry, into field: inout FieldMapping) {
        switch option.name {
        case "path": field.path = path(option) ?? []
        case "as":
            if let word = choice(option, FieldMapping.Kind.allCases.map(\.rawValue).filter { $0 != "any" }) {
                field.kind = FieldMapping.Kind(rawValue: word) ?? .any
            }
        case "scale":
            if let scale = option.value.scalar?.integer, (0...18).contains(scale) {
                field.scale = Int(scale)
            } else {
                report(option.value.place, "scale: is the number of decimals, 0 to 18: write scale: 2")
            }
        case "round": field.rounds = flag(option)
        case "float": field.isFloat = flag(option)
        case "soft": field.isSoft = flag(option)
        case "quoted": field.writesText = flag(option)
        case "writeConstant": field.writesConstant = flag(option)
        case "ref": field.reference = text(option, "ref: customer").map { EntityName($0) }
        case "keys": field.hasNumericKey = choice(option, ["text", "integer"]) == "integer"
        case "values": field.rows = rows(option)
        case "default": field.fallback = scalar(option)
        case "constant": field.constant = scalar(option)
        case "empty": field.empty = scalars(option)
        case "direction":
            if let word = choice(option, FieldMapping.Direction.allCases.map(\.rawValue)) {
                field.direction = FieldMapping.Direction(rawValue: word) ?? .both
            }
        case "normalise":
            field.normalisations = option.value.elements.compactMap { element in
                if let word = element.scalar?.text.flatMap({ FieldMapping.Normalisation(rawValue: $0) }) { return word }
                let words = FieldMapping.Normalisation.allCases.map(\.rawValue)
                let given = element.scalar?.text ?? element.kind
                report(
                    element.place,
                    "\(given) is no normalisation\(MappingWords.hint(for: given, among: words)): "
                        + "write normalise: [\(words.joined(separator: ", "))], those that apply")
                return nil
            }
        case "unit":
            if let word = choice(option, FieldMapping.Unit.allCases.map(\.rawValue)) { field.unit = FieldMapping.Unit(rawValue: word) }
        case "form":
            if let word = choice(option, FieldMapping.MomentForm.allCases.map(\.rawValue)) {
                field.momentForm = FieldMapping.MomentForm(rawValue: word)
            }
        default:
            report(
                option.place,
                "\(option.name) is no option of a field\(MappingWords.hint(for: option.name, among: MappingWords.field)): "
                    + "write one of \(MappingWords.field.joined(separator: ", "))")
        }
    }

    /// Options that have no meaning together.
    private mutating func check(_ field: FieldMapping, _ options: [YAMLTree.Entry], _ place: YAMLTree.Place) {
        let given = Dictionary(options.map { ($0.name, $0.place) }) { first, _ in first }
        func needs(_ name: String, _ holds: Bool, _ text: String, _ problems: inout [MappingProblem]) {
            if let place = given[name], !holds { problems.append(place.problem(text)) }
        }
        let isNumber = field.kind == .decimal || field.kind == .any && field.scale != nil
        needs("scale", field.kind == .decimal || field.kind == .any, "scale: goes with numbers: write as: decimal", &problems)
        needs("round", field.scale != nil, "round: needs the number of decimals: write scale: 2 beside it", &problems)
        needs("float", field.scale != nil, "float: needs the number of decimals: write scale: 2 beside it", &problems)
        needs("soft", field.reference != nil, "soft: goes with references: write ref: and the entity beside it", &problems)
        needs("keys", field.reference != nil, "keys: goes with references: write ref: and the entity beside it", &problems)
        needs("quoted", isNumber || field.kind == .integer, "quoted: goes with numbers: write as: decimal or as: integer", &problems)
        let isTime = field.kind == .instant || field.kind == .date
        needs("unit", isTime, "unit: goes with moments and dates: write as: instant or as: date", &problems)
        needs("form", isTime && field.unit == nil, "form: goes with as: instant or as: date, and without unit:", &problems)
        needs("writeConstant", !field.path.isEmpty, "writeConstant: needs the native place: write path: beside it", &problems)
        for other in ["as", "scale", "ref"] where other != "as" || field.kind != .boolean {
            if given["values"] != nil, let place = given[other] {
                report(place, "\(other): has no meaning beside values:, which says what every value is: leave it out")
            }
        }
        for other in ["as", "scale"] {
            if given["ref"] != nil, let place = given[other] {
                report(place, "\(other): has no meaning beside ref:, a reference is a key: leave it out (keys: integer for whole numbers)")
            }
        }
        if given["constant"] != nil, given["default"] != nil { report(place, "\(field.name) has constant: and default:: keep one") }
        if given["constant"] != nil, given["path"] != nil, !field.writesConstant {
            report(place, "\(field.name) is constant and has a path: write writeConstant: true to write it there, or leave path: out")
        }
    }

    private mutating func rows(_ option: YAMLTree.Entry) -> [FieldMapping.Row] {
        guard let entries = option.value.entries, !entries.isEmpty else {
            report(option.place, "values: is a table, canonical: native: write values: { confirmed: sale, done: [done, locked] }")
            return []
        }
        var result: [FieldMapping.Row] = []
        for entry in entries {
            let natives = scalars(entry)
            if natives.contains(.null) || natives.isEmpty {
                report(entry.place, "\(entry.name) has no native value: write \(entry.name): value; for what null means write default:")
            }
            for native in natives {
                if let other = result.first(where: { $0.natives.contains(native) }) {
                    report(
                        entry.place,
                        "\(TranslationError.excerpt(of: native)) means both \(TranslationError.excerpt(of: other.canonical)) "
                            + "and \(entry.name): " + "leave it out at one of them")
                }
            }
            result.append(FieldMapping.Row(canonical: .string(entry.name), natives: natives))
        }
        return result
    }

    // MARK: Words

    mutating func text(_ option: YAMLTree.Entry, _ example: String) -> String? {
        if let text = option.value.scalar?.text, !text.isEmpty { return text }
        report(option.value.place, "\(option.name): is \(option.value.kind), but has to be one word: write \(example)")
        return nil
    }

    mutating func scalar(_ option: YAMLTree.Entry) -> Value? {
        if let value = option.value.scalar, !value.isNull { return value }
        report(option.value.place, "\(option.name): is \(option.value.kind), but has to be one value: write \(option.name): value")
        return nil
    }

    mutating func scalars(_ option: YAMLTree.Entry) -> [Value] {
        option.value.elements.compactMap { element in
            if let value = element.scalar { return value }
            report(element.place, "\(option.name): takes single values, this is \(element.kind): write \(option.name): [one, two]")
            return nil
        }
    }

    mutating func flag(_ option: YAMLTree.Entry) -> Bool {
        if let flag = option.value.scalar?.bool { return flag }
        report(option.value.place, "\(option.name): is true or false: write \(option.name): true")
        return false
    }

    mutating func choice(_ option: YAMLTree.Entry, _ words: [String]) -> String? {
        let given = option.value.scalar?.text ?? option.value.kind
        if words.contains(given) { return given }
        report(
            option.value.place,

            "\(option.name): cannot be \(given)\(MappingWords.hint(for: given, among: words)): "
                + "write one of \(words.joined(separator: ", "))")
        return nil
    }

    mutating func path(_ option: YAMLTree.Entry) -> [String]? {
        guard let text = option.value.scalar?.text else {
            report(
                option.value.place,
                "\(option.name): is \(option.value.kind), but has to be a path: write \(option.name): name, or outer.name")
            return nil
        }
        return path(of: text, at: option.value.place)
    }

    mutating func path(of text: String, at place: YAMLTree.Place) -> [String]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard !parts.contains(""), parts.count <= 16 else {
            report(place, "'\(text)' is no path: write names with single dots between them, such as address.city")
            return nil
        }
        return parts
    }
}
