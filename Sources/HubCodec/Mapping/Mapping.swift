package import FoundationEssentials
package import HubModel

/// One native type of one application and the canonical entity that it is, compiled from its declaration.
///
/// Translated documents are flat: one member per leaf, named with dots (`billingAddress.city`), one per list. Only what the
/// native document holds is there: an absent field is unchanged, never null.
///
/// A class, as it never changes and is handed along with every event.
package final class Mapping: Sendable {
    /// A test on a native document: the value at the path is one of these.
    package struct Condition: Sendable, Hashable {
        package var path: [String]
        package var values: [Value]
    }

    /// Where something of the mapping is declared.
    package struct Place: Sendable, Hashable, CustomStringConvertible {
        /// As people should read it.
        package var file: String
        /// Counted from 1.
        package var line: Int
        /// Counted from 1.
        package var column: Int

        package init(file: String, line: Int, column: Int) {
            self.file = file
            self.line = line
            self.column = column
        }

        /// It stands in a mapping that the driver brings along.
        package var isReadyMade: Bool { file.contains(MappingSource.readyMadeMark) }

        /// `mappings/erp/customer.yaml:12`
        package var description: String { "\(file):\(line)" }
    }

    package let application: ApplicationID
    package let entity: EntityName
    /// The file that was compiled; what it extends may be another.
    package let source: Place
    /// Where each field, list and element's field (`lines.quantity`) is declared, by canonical name.
    package let places: [String: Place]
    /// The native types that this mapping is for; never empty.
    package let natives: [String]
    /// A short hash of the declaration with what it extends: equal where the meaning is.
    package let version: String
    package let conditions: [Condition]
    /// The native place of the document's key.
    package let keyPath: [String]
    /// The native place of the company's name; nil where the entity is shared.
    package let companyPath: [String]?
    /// The leaf fields, sorted by name.
    package let fields: [FieldMapping]
    /// The lists, sorted by name.
    package let lists: [ListMapping]

    /// Whether any field, in lists too, is a key of another document.
    package let hasReferences: Bool
    let inbound: EncodePlan
    /// Which inbound fields and lists there are, and where the walk leaves what they are made of (-1 for constants).
    private let fieldSlots: [(index: Int, slot: Int)]
    private let listSlots: [(index: Int, slot: Int)]
    /// Per list, the plan of an element and where it leaves each field; the last is the id.
    private let elementPlans: [(native: NativePlan, slots: [Int])]
    private let fieldIndex: [String: Int]
    private let listIndex: [String: Int]

    init(
        application: ApplicationID, entity: EntityName, natives: [String], version: String, conditions: [Condition],
        keyPath: [String], companyPath: [String]?, fields: [FieldMapping], lists: [ListMapping],
        source: Place = Place(file: "", line: 0, column: 0), places: [String: Place] = [:]
    ) {
        self.source = source
        self.places = places
        self.application = application
        self.entity = entity
        self.natives = natives
        self.version = version
        self.conditions = conditions
        self.keyPath = keyPath
        self.companyPath = companyPath
        self.fields = fields.sorted { $0.name.precedesInBytes($1.name) }
        self.lists = lists.sorted { $0.name.precedesInBytes($1.name) }
        hasReferences = fields.contains { $0.reference != nil } || lists.contains { $0.fields.contains { $0.reference != nil } }
        inbound = EncodePlan(fields: self.fields, lists: self.lists)
        let plan = inbound.native
        fieldSlots = self.fields.enumerated().filter(\.element.isIn).map { index, field in
            (index, field.constant == nil ? plan.slot(of: field.path) ?? -1 : -1)
        }
        listSlots = self.lists.enumerated().filter { $0.element.direction != .out }.map { ($0, plan.slot(of: $1.path) ?? -1) }
        elementPlans = zip(self.lists, inbound.elements).map { list, plan in
            let paths = list.fields.map { $0.isIn && $0.constant == nil ? $0.path : [] } + [list.key ?? []]
            return (plan.native, paths.map { plan.native.slot(of: $0) ?? -1 })
        }
        fieldIndex = Dictionary(self.fields.enumerated().map { ($1.name, $0) }) { first, _ in first }
        listIndex = Dictionary(self.lists.enumerated().map { ($1.name, $0) }) { first, _ in first }
    }

    /// The native type, the first where the mapping is for several.
    package var native: String { natives.first ?? "" }

    /// The mapping of a canonical leaf; nil where there is none.
    package func field(named name: String) -> FieldMapping? { fieldIndex[name].map { fields[$0] } }
    /// The mapping of a canonical list; nil where there is none.
    /// True where the application is written that canonical field.
    package func writes(_ name: String) -> Bool {
        // In place: a copy of a field's mapping would count a dozen references up and down.
        if let index = fieldIndex[name] {
            return fields[index].direction != .in && (fields[index].constant == nil || fields[index].writesConstant)
        }
        if let index = listIndex[name] { return lists[index].direction != .in }
        return false
    }

    package func list(named name: String) -> ListMapping? { listIndex[name].map { lists[$0] } }

    // MARK: What a document is

    /// Whether a document of the native type is this entity: every condition of `when` holds. A field that a condition
    /// looks at and that the document lacks does not hold.
    package func accepts(_ node: JSONNode) -> Bool {
        conditions.allSatisfy { condition in
            guard let value = node[native: condition.path] else { return false }
            return condition.values.contains { $0.text.map(value.isText) ?? (value.value == $0) }
        }
    }

    /// The document's native key; nil where it has none.
    package func key(of node: JSONNode) -> NativeKey? { node[native: keyPath]?.keyText.map { NativeKey($0) } }

    /// The application's name of the company; nil where the document has none or the entity is shared.
    package func company(of node: JSONNode) -> String? { companyPath.flatMap { node[native: $0]?.keyText } }

    // MARK: Native to canonical

    /// The canonical fields of a native document. References hold the native key as text until
    /// ``resolveReferences(in:lookUp:)``. The time zone is the company's, for dates that the application keeps as moments.
    package func translate(_ node: JSONNode, timeZone: TimeZone? = nil) throws(TranslationError) -> Fields {
        let places = Self.places(inbound.native, node)
        var result = Fields()
        result.reserveCapacity(fieldSlots.count + listSlots.count)
        for (index, slot) in fieldSlots {
            // By index each time: a copy of a field's mapping would count a dozen references up and down.
            if slot >= 0 {
                guard places[slot] >= 0 else { continue }
                let value = JSONNode(document: node.document, index: Int(places[slot])).value
                result[fields[index].name] = try fields[index].canonical(of: value, timeZone: timeZone)
            } else if let constant = fields[index].constant {
                result[fields[index].name] = constant
            }
        }
        for (index, slot) in listSlots where slot >= 0 && places[slot] >= 0 {
            let list = lists[index]
            let (plan, slots) = elementPlans[index]
            let found = JSONNode(document: node.document, index: Int(places[slot]))
            guard found.kind == .array else {
                result[list.name] = try list.emptyList(found.value)
                continue
            }
            var elements: [Value] = []
            for element in found.elements {
                guard element.kind == .object else { throw list.error("an element that is no object", element.value) }
                let places = Self.places(plan, element)
                elements.append(
                    try list.element(timeZone) { index in
                        let slot = slots[index]
                        guard slot >= 0, places[slot] >= 0 else { return nil }
                        return JSONNode(document: node.document, index: Int(places[slot])).value
                    })
            }
            result[list.name] = .array(elements)
        }
        return result
    }

    /// The canonical fields of a native document that is a value already.
    package func translate(_ native: Value, timeZone: TimeZone? = nil) throws(TranslationError) -> Fields {
        var result = Fields()
        for field in fields where field.isIn {
            if let constant = field.constant {
                result[field.name] = constant
            } else if let value = native[native: field.path] {
                result[field.name] = try field.canonical(of: value, timeZone: timeZone)
            }
        }
        for list in lists where list.direction != .out {
            guard let value = native[native: list.path] else { continue }
            guard let found = value.array else {
                result[list.name] = try list.emptyList(value)
                continue
            }
            var elements: [Value] = []
            for element in found {
                guard case .object = element else { throw list.error("an element that is no object", element) }
                elements.append(
                    try list.element(timeZone) { index in
                        let path = index < list.fields.count ? list.fields[index].path : list.key ?? []
                        return path.isEmpty ? nil : element[native: path]
                    })
            }
            result[list.name] = .array(elements)
        }
        return result
    }

    private static func places(_ plan: NativePlan, _ node: JSONNode) -> [Int32] {
        NativeWalk.run(plan, node.document, node.index) { Array(UnsafeBufferPointer(start: $0, count: plan.slotCount)) }
    }

    // MARK: Comparison

    /// Whether two canonical values of a field are the same to the application: under its declared normalisation, at the
    /// field's scale, instants as moments, lists element by element.
    package func same(_ field: String, _ a: Value, _ b: Value) -> Bool {
        a == b || normalised(field, a) == normalised(field, b)
    }

    /// The value in the form that ``same(_:_:_:)`` compares; not for publishing.
    package func normalised(_ field: String, _ value: Value) -> Value {
        if let index = fieldIndex[field] { return fields[index].normalised(value) }
        if let index = listIndex[field] { return lists[index].normalised(value) }
        return value
    }
}

extension ListMapping {
    func error(_ reason: String, _ value: Value?) -> TranslationError {
        TranslationError(
            field: name, path: path.joined(separator: "."), excerpt: value.map(TranslationError.excerpt(of:)), reason: reason)
    }

    /// What a native value that is no array means: none and `false` are an empty list.
    func emptyList(_ value: Value) throws(TranslationError) -> Value {
        guard value.isNull || value == .bool(false) else { throw error("no list", value) }
        return .array([])
    }

    /// One canonical element, from what the native one has for each field; one past the fields stands for the id.
    func element(_ timeZone: TimeZone?, value: (Int) -> Value?) throws(TranslationError) -> Value {
        var result = Fields()
        if let id = value(fields.count), !id.isNull {
            guard let text = id.keyText else { throw placed(TranslationError(EncodePlan.idField, id, "no text")) }
            result[Self.idName] = .string(text)
        }
        for index in fields.indices where fields[index].isIn {
            do throws(TranslationError) {
                if let constant = fields[index].constant {
                    result[fields[index].name] = constant
                } else if let found = value(index) {
                    result[fields[index].name] = try fields[index].canonical(of: found, timeZone: timeZone)
                }
            } catch {
                throw placed(error)
            }
        }
        return .object(result.nested())
    }

    /// An element's error, as the whole document has it.
    func placed(_ error: TranslationError) -> TranslationError {
        var error = error
        error.field = name + "." + error.field
        error.path = path.joined(separator: ".") + "." + error.path
        return error
    }
}

extension JSONNode {
    /// The node at a native path, whose parts are names of members or, in arrays, positions from 0.
    package subscript(native path: [String]) -> JSONNode? {
        var node = self
        for part in path {
            if node.kind == .array {
                guard let position = Int(part), let next = node.elements.dropFirst(position).first(where: { _ in true })
                else { return nil }
                node = next
            } else {
                guard let next = node[part] else { return nil }
                node = next
            }
        }
        return node
    }
}

extension Value {
    /// The value at a native path, whose parts are names of members or, in arrays, positions from 0.
    subscript(native path: [String]) -> Value? {
        var value = self
        for part in path {
            switch value {
            case .object(let fields):
                guard let next = fields[part] else { return nil }
                value = next
            case .array(let elements):
                guard let position = Int(part), elements.indices.contains(position) else { return nil }
                value = elements[position]
            default: return nil
            }
        }
        return value
    }
}
