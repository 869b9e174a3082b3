import HubModel

/// The way from native bytes to canonical ones, laid out as plain numbers: one step per canonical member in writing order.
///
/// A class, so that handing it over counts one reference and not one for each of its parts.
final class EncodePlan: Sendable {
    /// What a step does with the native value that it finds.
    enum Action: UInt8 {
        /// Copies scalars and lists as they are.
        case copy
        /// Copies text, quotes whole numbers.
        case text
        /// Copies whole numbers.
        case integer
        /// Copies numbers, filling up zeros to the scale.
        case decimal
        case boolean
        /// Copies text that is a day.
        case date
        /// Copies text that is a moment in the hub's form.
        case instant
        /// Writes the ready bytes of the step's only row.
        case constant
        /// Writes a list by its own plan.
        case list
        /// Converts by way of values.
        case convert
    }

    struct Step {
        var action: Action
        /// Where the native value is found; -1 for constants.
        var slot: Int32
        /// The scale of a number; -1 for as it is.
        var scale: Int32
        /// The name, quoted and with its colon, in `pool`.
        var nameStart: Int32
        var nameLength: Int32
        /// The objects that this member stands in, in `groups`, outermost first.
        var groupStart: Int32
        var groupCount: Int32
        /// Native bytes with ready canonical ones, tried before the action.
        var rowStart: Int32
        var rowCount: Int32
        /// Which field or list of the mapping.
        var index: Int32
    }

    /// An object in the canonical document: its name, ready to write.
    struct Group {
        var id: Int32
        var nameStart: Int32
        var nameLength: Int32
    }

    struct Row {
        var nativeStart: Int32
        var nativeLength: Int32
        var readyStart: Int32
        var readyLength: Int32
    }

    let native: NativePlan
    let steps: [Step]
    let groups: [Group]
    let rows: [Row]
    let pool: [UInt8]
    let fields: [FieldMapping]
    let lists: [ListMapping]
    /// One plan per list, for its elements.
    let elements: [EncodePlan]

    /// - Parameter key: the native place of an element's id, which is written first; nil outside lists.
    init(fields: [FieldMapping], lists: [ListMapping], key: [String]? = nil) {
        let draft = Draft(fields: fields, lists: lists, key: key)
        native = draft.native
        steps = draft.steps
        groups = draft.groups
        rows = draft.rows
        pool = draft.pool
        elements = draft.elements
        self.fields = fields
        self.lists = lists
    }
}

/// A plan under construction.
private struct Draft {
    typealias Step = EncodePlan.Step
    typealias Group = EncodePlan.Group
    typealias Row = EncodePlan.Row
    typealias Action = EncodePlan.Action

    var native: NativePlan
    var steps: [Step] = []
    var groups: [Group] = []
    var rows: [Row] = []
    var pool: [UInt8] = []
    let fields: [FieldMapping]
    let lists: [ListMapping]
    var elements: [EncodePlan] = []

    init(fields: [FieldMapping], lists: [ListMapping], key: [String]? = nil) {
        self.fields = fields
        self.lists = lists
        let inbound = fields.indices.filter { fields[$0].isIn }
        let paths =
            inbound.map { fields[$0].path } + lists.filter { $0.direction != .out }.map(\.path) + (key.map { [$0] } ?? [])
        native = NativePlan(paths: paths)
        var members: [(parts: [String], step: Step)] = []
        for index in inbound {
            members.append((Self.parts(fields[index].name), fieldStep(index)))
        }
        for index in lists.indices {
            let list = lists[index]
            elements.append(EncodePlan(fields: list.fields, lists: [], key: list.key))
            if list.direction != .out { members.append((Self.parts(list.name), step(.list, slot: list.path, index: index))) }
        }
        // An element's id is no field: it is written only where it is there.
        if let key { members.append(([ListMapping.idName], step(.text, slot: key, index: -1))) }
        members.sort { a, b in a.parts.lexicographicallyPrecedes(b.parts) { $0.precedesInBytes($1) } }
        var known: [[String]: Int32] = [:]
        for (parts, step) in members {
            var step = step
            (step.nameStart, step.nameLength) = ready(parts.last ?? "")
            step.groupStart = Int32(groups.count)
            step.groupCount = Int32(parts.count - 1)
            for depth in 1..<max(parts.count, 1) {
                let prefix = Array(parts.prefix(depth))
                let id = known[prefix] ?? Int32(known.count)
                known[prefix] = id
                let name = ready(prefix.last ?? "")
                groups.append(Group(id: id, nameStart: name.0, nameLength: name.1))
            }
            steps.append(step)
        }
    }

    private static func parts(_ name: String) -> [String] { name.split(separator: ".", omittingEmptySubsequences: false).map(String.init) }

    private func step(_ action: Action, slot path: [String]?, index: Int) -> Step {
        Step(
            action: action, slot: Int32(path.flatMap { native.slot(of: $0) } ?? -1), scale: -1, nameStart: 0, nameLength: 0,
            groupStart: 0, groupCount: 0, rowStart: Int32(rows.count), rowCount: 0, index: Int32(index))
    }

    private mutating func fieldStep(_ index: Int) -> Step {
        let field = fields[index]
        if let constant = field.constant {
            var result = step(.constant, slot: nil, index: index)
            append(native: .null, canonical: constant, &result)
            return result
        }
        var result = step(Self.action(field), slot: field.path, index: index)
        if let scale = field.scale { result.scale = Int32(scale) }
        if let fallback = field.fallback { append(native: .null, canonical: fallback, &result) }
        for value in field.empty { append(native: value, canonical: field.fallback ?? .null, &result) }
        for row in field.rows {
            for native in row.natives { append(native: native, canonical: row.canonical, &result) }
        }
        return result
    }

    private static func action(_ field: FieldMapping) -> Action {
        if !field.rows.isEmpty { return .convert }
        if field.reference != nil { return .text }
        switch field.kind {
        case .any: return field.scale == nil ? .copy : .decimal
        case .text: return .text
        case .integer: return .integer
        case .decimal: return .decimal
        case .boolean: return .boolean
        case .date: return .date
        case .instant: return .instant
        }
    }

    private mutating func append(native: Value, canonical: Value, _ step: inout Step) {
        let from = store(native.json)
        let to = store(canonical.json)
        rows.append(Row(nativeStart: from.0, nativeLength: from.1, readyStart: to.0, readyLength: to.1))
        step.rowCount += 1
    }

    private mutating func ready(_ name: String) -> (Int32, Int32) { store(Value.string(name).json + [0x3A]) }

    private mutating func store(_ bytes: [UInt8]) -> (Int32, Int32) {
        defer { pool += bytes }
        return (Int32(pool.count), Int32(bytes.count))
    }
}
