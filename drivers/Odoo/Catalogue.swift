import HubModel
import Synchronization

/// What the driver has learnt of this Odoo: which members its models have, and its lists of codes. Asked for once, and again where
/// something is not in it.
final class Catalogue: Sendable {
    /// A model's members as this Odoo has them.
    struct Model: Sendable {
        var members: [NativeMember]
        var lines: [NativeMember]
        /// Members of the driver's own that this Odoo does not have, or does not show to this user.
        var absent: [String]
        var hasLineMark: Bool

        func member(_ name: String) -> NativeMember? { members.first { $0.name == name } }
    }

    private struct List {
        var codes: [Int64: String] = [:]
        var ids: [String: Int64] = [:]
        var asked: ContinuousClock.Instant
    }

    private struct State {
        var models: [String: Model] = [:]
        var lists: [String: List] = [:]
    }

    private let client: OdooClient
    private let state = Mutex(State())
    /// A list is asked for again at most this often, however many unknown codes arrive.
    private static let pause = Duration.seconds(1)
    /// Longer lists are not lists of codes any more.
    private static let longest = 5000
    private static let longestChoice = 500

    init(client: OdooClient) { self.client = client }

    // MARK: Members

    func model(_ type: NativeType) async throws(OdooFailure) -> Model {
        if let known = state.withLock({ $0.models[type.model] }) { return known }
        let (members, absent) = try await members(type.model, type.members)
        var model = Model(members: members, lines: [], absent: absent, hasLineMark: false)
        if let lines = type.lines {
            let (known, missing) = try await self.members(lines.model, lines.members)
            model.lines = known
            model.absent += missing.map { "\(lines.name).\($0)" }
            model.hasLineMark = known.contains { $0.name == NativeType.lineMark }
        }
        let learnt = model
        state.withLock { $0.models[type.model] = learnt }
        return learnt
    }

    /// The driver's members that are there, and all that people have added (`x_…`).
    func members(
        _ model: String, _ declared: [NativeMember]
    ) async throws(OdooFailure) -> (members: [NativeMember], absent: [String]) {
        let arguments: Fields = ["attributes": ["type", "readonly", "relation", "manual"]]
        guard let all = try await client.call(model, "fields_get", arguments).object else {
            throw .unusable("\(model): fields_get answers no object")
        }
        var members: [NativeMember] = []
        var absent: [String] = []
        for var member in declared {
            guard let found = all[member.name] else {
                absent.append(member.name)
                continue
            }
            if found["readonly"]?.bool == true { member.isReadOnly = true }
            members.append(member)
        }
        for (name, description) in all where name.hasPrefix("x_") && !members.contains(where: { $0.name == name }) {
            guard let kind = Self.kind(description["type"]?.text ?? "") else { continue }
            members.append(NativeMember(name, kind, isReadOnly: description["readonly"]?.bool == true))
        }
        return (members, absent)
    }

    private static func kind(_ type: String) -> NativeMember.Kind? {
        switch type {
        case "char", "text", "selection": .text
        case "float", "monetary": .decimal
        case "integer": .integer
        case "boolean": .boolean
        case "date": .date
        case "datetime": .moment
        case "many2one": .key
        default: nil
        }
    }

    // MARK: Codes

    /// What people call a line of a list; nil where the list has no such line.
    func code(_ id: Int64, _ model: String, _ by: String) async throws(OdooFailure) -> String? {
        if let known = state.withLock({ $0.lists[model]?.codes[id] }) { return known }
        try await learn(model, by)
        return state.withLock { $0.lists[model]?.codes[id] }
    }

    /// The line that people call so; nil where there is none.
    func id(_ code: String, _ model: String, _ by: String) async throws(OdooFailure) -> Int64? {
        if let known = state.withLock({ $0.lists[model]?.ids[code] }) { return known }
        try await learn(model, by)
        return state.withLock { $0.lists[model]?.ids[code] }
    }

    /// The names of a list's lines; nil where it is longer than people choose from.
    func codes(_ model: String, _ by: String) async throws(OdooFailure) -> [String]? {
        try await learn(model, by)
        let names = state.withLock { $0.lists[model]?.ids.keys.sorted() } ?? []
        return names.count <= Self.longestChoice ? names : nil
    }

    private func learn(_ model: String, _ by: String) async throws(OdooFailure) {
        let now = ContinuousClock.now
        if let asked = state.withLock({ $0.lists[model]?.asked }), now - asked < Self.pause { return }
        let rows = try await client.search(model, [], [by], order: "id", limit: Self.longest)
        var list = List(asked: now)
        for row in rows {
            guard let id = row["id"]?.integer, let code = row[by]?.text else { continue }
            list.codes[id] = code
            // Of two lines with one name the older one is written.
            if list.ids[code] == nil { list.ids[code] = id }
        }
        let learnt = list
        state.withLock { $0.lists[model] = learnt }
    }
}
