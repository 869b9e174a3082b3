package import HubModel

extension Mapping {
    /// Compiles a mapping file together with what it extends.
    ///
    /// - Parameters:
    ///   - entity: the canonical entity, where no file names it (it is usually the file's name).
    ///   - base: the source that a word after `extends:` stands for; nil where there is none.
    /// - Throws: all that is wrong in the files at once, with places.
    package static func compile(
        _ source: MappingSource, application: ApplicationID, entity: EntityName? = nil,
        base: (String) -> MappingSource? = { _ in nil }
    ) throws(MappingErrors) -> Mapping {
        var problems: [MappingProblem] = []
        guard let declaration = resolved(source, base: base, depth: 0, problems: &problems) else {
            throw MappingErrors(problems: problems)
        }
        var compiler = MappingCompiler(problems: problems)
        let mapping = compiler.mapping(declaration, application: application, entity: entity)
        guard let mapping, compiler.problems.isEmpty else { throw MappingErrors(problems: compiler.problems) }
        return mapping
    }

    private static func resolved(
        _ source: MappingSource, base: (String) -> MappingSource?, depth: Int, problems: inout [MappingProblem]
    ) -> MappingDeclaration? {
        guard let tree = YAMLTree.read(source, problems: &problems) else { return nil }
        var declaration = MappingDeclaration(tree, problems: &problems)
        guard let extends = tree["extends"] else {
            let nothing = declaration.removedLists + (declaration.fields + declaration.lists.flatMap(\.fields)).filter(\.value.isNull)
            for entry in nothing {
                problems.append(
                    entry.place.problem(
                        "\(entry.name) has no path: write \(entry.name): path (null removes it only from what extends: names)"))
            }
            declaration.fields.removeAll(where: \.value.isNull)
            return declaration
        }
        guard let name = extends.value.scalar?.text else {
            problems.append(extends.place.problem("extends: names one mapping: write extends: builtin"))
            return declaration
        }
        guard depth < 8 else {
            problems.append(extends.place.problem("mappings extend each other more than 8 deep, or in a circle"))
            return declaration
        }
        guard let below = base(name) else {
            problems.append(extends.place.problem("there is no mapping \(name) to extend: write the name of one, or leave extends: out"))
            return declaration
        }
        guard let under = resolved(below, base: base, depth: depth + 1, problems: &problems) else { return nil }
        return declaration.laid(over: under, problems: &problems)
    }
}

/// Reads a declaration, collecting everything that is wrong with it.
struct MappingCompiler {
    var problems: [MappingProblem]
    /// `keys: integer` of the whole mapping.
    var hasNumericKeys = false
    /// `empty:` of the whole mapping.
    var empty: [Value] = []

    init(problems: [MappingProblem]) { self.problems = problems }

    mutating func report(_ place: YAMLTree.Place, _ text: String) { problems.append(place.problem(text)) }

    mutating func mapping(_ declaration: MappingDeclaration, application: ApplicationID, entity given: EntityName?) -> Mapping? {
        var entity = given
        var natives: [String] = []
        var conditions: [Mapping.Condition] = []
        var keyPath = ["id"]
        var companyPath: [String]?
        for option in declaration.options {
            switch option.name {
            case "entity": entity = text(option, "entity: customer").map { EntityName($0) } ?? entity
            case "native":
                natives = option.value.elements.compactMap(\.scalar?.text).filter { !$0.isEmpty }
                if natives.count != option.value.elements.count || natives.isEmpty {
                    report(option.place, "native: is the application's name of the type: write native: sale.order, or a list of such")
                }
            case "when": conditions = self.conditions(option)
            case "key": keyPath = path(option) ?? keyPath
            case "company": companyPath = path(option)
            case "keys": hasNumericKeys = choice(option, ["text", "integer"]) == "integer"
            case "empty": empty = scalars(option)
            case "extends": break
            default:
                report(
                    option.place,
                    "\(option.name) means nothing here\(MappingWords.hint(for: option.name, among: MappingWords.mapping)): "
                        + "write one of \(MappingWords.mapping.joined(separator: ", "))")
            }
        }
        if natives.isEmpty, !declaration.options.contains(where: { $0.name == "native" }) {
            report(declaration.place, "native: is missing: write native: and the application's name of the type")
        }
        if entity == nil { report(declaration.place, "entity: is missing: write entity: and the canonical entity, such as customer") }
        let fields = declaration.fields.compactMap { field($0) }
        let lists = declaration.lists.compactMap { list($0) }
        if fields.isEmpty, lists.isEmpty, declaration.fields.isEmpty, declaration.lists.isEmpty {
            report(declaration.place, "no field is mapped: write fields: { name: path }")
        }
        checkNames(declaration.fields.map { ($0.name, $0.place) } + declaration.lists.map { ($0.name, $0.place) })
        checkPaths(declaration.fields, fields.filter(\.isOut))
        guard let entity else { return nil }
        return Mapping(
            application: application, entity: entity, natives: natives, version: Self.version(of: declaration, application, entity),
            conditions: conditions, keyPath: keyPath, companyPath: companyPath, fields: fields, lists: lists,
            source: Mapping.Place(declaration.place), places: declaration.places)
    }

    /// FNV-1a over the declaration, 16 hexadecimal digits.
    private static func version(of declaration: MappingDeclaration, _ application: ApplicationID, _ entity: EntityName) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        let whole: Value = [.string(application.rawValue), .string(entity.rawValue), declaration.value]
        for byte in whole.json { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private mutating func conditions(_ option: YAMLTree.Entry) -> [Mapping.Condition] {
        guard let entries = option.value.entries else {
            report(option.place, "when: is a map of native fields: write when: { state: [sale, done] }")
            return []
        }
        return entries.compactMap { entry in
            guard let path = path(of: entry.name, at: entry.place) else { return nil }
            return Mapping.Condition(path: path, values: scalars(entry))
        }
    }

    private mutating func list(_ declaration: MappingDeclaration.List) -> ListMapping? {
        var result = ListMapping(name: declaration.name, path: [], fields: [])
        result.hasNumericKey = hasNumericKeys
        for option in declaration.options {
            switch option.name {
            case "path": result.path = path(option) ?? []
            case "key": result.key = path(option)
            case "direction":
                if let word = choice(option, FieldMapping.Direction.allCases.map(\.rawValue)) {
                    result.direction = FieldMapping.Direction(rawValue: word) ?? .both
                }
            default:
                report(
                    option.place,
                    "\(option.name) is no option of a list\(MappingWords.hint(for: option.name, among: MappingWords.list)): "
                        + "write one of \(MappingWords.list.joined(separator: ", "))")
            }
        }
        if !declaration.options.contains(where: { $0.name == "path" }) {
            report(declaration.place, "the list \(declaration.name) has no path: write path: and the native name of the list")
        }
        for entry in declaration.fields where entry.name == ListMapping.idName {
            report(entry.place, "an element's id is what the list's key: says: write key: \(entry.value.scalar?.text ?? "id") beside path:")
        }
        result.fields = declaration.fields.filter { !$0.value.isNull }.compactMap { field($0) }
        checkNames(declaration.fields.map { ($0.name, $0.place) })
        checkPaths(declaration.fields, result.fields.filter(\.isOut))
        result.fields.sort { $0.name.precedesInBytes($1.name) }
        return result
    }

    /// No name may be a leaf and the beginning of another.
    private mutating func checkNames(_ names: [(String, YAMLTree.Place)]) {
        let all = Set(names.map(\.0))
        for (name, place) in names {
            let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            if parts.contains(where: \.isEmpty) { report(place, "\(name) is no name: write words with single dots between them") }
            for length in 1..<max(parts.count, 1) {
                let prefix = parts.prefix(length).joined(separator: ".")
                if all.contains(prefix) {
                    report(place, "\(name) stands inside \(prefix), which is a field itself: rename one of the two")
                }
            }
        }
    }

    /// No native place may be written twice.
    private mutating func checkPaths(_ entries: [YAMLTree.Entry], _ fields: [FieldMapping]) {
        var writers: [[String]: String] = [:]
        for field in fields {
            let place = entries.first { $0.name == field.name }?.place
            if let place, let other = writers[field.path] {
                report(
                    place,
                    "\(field.path.joined(separator: ".")) would be written by \(other) and by \(field.name): "
                        + "write direction: in at one of them")
            }
            writers[field.path] = field.name
            if let place, field.path.contains(where: { Int($0) != nil }) {
                report(place, "a place inside a native list cannot be written: write direction: in")
            }
        }
    }
}

extension Mapping.Place {
    init(_ place: YAMLTree.Place) { self.init(file: place.file, line: place.line, column: place.column) }
}

extension MappingDeclaration {
    /// Where each field and list stands, elements' fields under `list.field`.
    fileprivate var places: [String: Mapping.Place] {
        var places: [String: Mapping.Place] = [:]
        for list in lists {
            places[list.name] = Mapping.Place(list.place)
            for field in list.fields { places["\(list.name).\(field.name)"] = Mapping.Place(field.place) }
        }
        for field in fields { places[field.name] = Mapping.Place(field.place) }
        return places
    }
}
