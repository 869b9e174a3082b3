import HubCodec
import HubDriver
import HubModel
import HubRules

/// Reads `entities`, and checks them against what the applications hold.
struct EntityReader {
    let root: ConfigurationNode
    let applications: [ApplicationDraft]
    let mappings: MappingReader
    let mistakes: MistakeList

    /// What came of it.
    struct Result {
        var policies: [EntityPolicy] = []
        var mappings: [ApplicationID: [Mapping]] = [:]
        /// Applications whose driver or mappings have mistakes, so that nothing can be said about what they hold.
        var uncertain: Set<ApplicationID> = []
    }

    func read() -> Result {
        guard let node = root["entities"] else {
            root.mistake(in: "entities", "missing", "write entities: { customer: { owner: crm } }")
            return Result(uncertain: Set(applications.map(\.id)))
        }
        let members = node.members("entities: { customer: { owner: crm } }").filter { member in
            if member.name == "outcomes" {
                member.node.mistake("the topic of that name is the hub's own", "give the entity another name")
                return false
            }
            return ConfigurationReader.isName(member.name) || member.node.badName(member.name) != nil
        }
        if members.isEmpty { node.mistake("no entity", "write entities: { customer: { owner: crm } }") }
        let names = members.map { EntityName($0.name) }
        mappings.checkFolders(applications.map(\.id))
        var results: [ApplicationID: MappingReader.Result] = [:]
        for application in applications { results[application.id] = mappings.read(application, entities: names) }

        let offered = Set(results.values.flatMap(\.offered)).map(\.rawValue).sorted()
        var policies: [EntityPolicy] = []
        for member in members {
            let name = EntityName(member.name)
            let holders = Holders(entity: name, applications: applications, results: results)
            if holders.mappings.isEmpty, !holders.isUncertain {
                mistakes.add(
                    member.place, member.node.key, "no application holds \(name)",
                    Suggestion.text(member.name, offered.filter { !names.contains(EntityName($0)) })
                        ?? "write a mapping for it, such as mappings/\(applications.first?.id.rawValue ?? "crm")/\(name).yaml")
            }
            policies.append(EntityPolicyReader(name: name, member: member, holders: holders).read())
        }
        checkReferences(members, results)
        let uncertain = applications.filter { application in
            guard application.factory != nil, let result = results[application.id] else { return true }
            return result.isUncertain || !result.broken.isEmpty
        }.map(\.id)
        return Result(
            policies: policies, mappings: results.mapValues { $0.mappings.values.sorted { $0.entity < $1.entity } },
            uncertain: Set(uncertain))
    }

    // MARK: References

    private func checkReferences(_ members: [ConfigurationNode.Member], _ results: [ApplicationID: MappingReader.Result]) {
        let names = members.map { EntityName($0.name) }
        var edges: [EntityName: Set<EntityName>] = [:]
        for member in members {
            let entity = EntityName(member.name)
            for application in applications {
                guard let result = results[application.id], let mapping = result.mappings[entity] else { continue }
                for target in mapping.hardReferences
                where result.mappings[target] == nil && !result.broken.contains(target) && !result.isUncertain {
                    let known = names.contains(target)
                    mistakes.add(
                        member.place, member.node.key,
                        known
                            ? "\(application.id) has no \(target) to which its \(entity) refers, so it would wait for ever"
                            : "\(application.id)'s mapping of \(entity) refers to \(target), which the hub does not exchange",
                        known
                            ? "write mappings/\(application.id)/\(target).yaml, or mark the reference soft: true"
                            : "name \(target) under entities, or mark the reference soft: true")
                }
                edges[entity, default: []].formUnion(mapping.hardReferences)
            }
        }
        if let cycle = Self.cycle(in: edges, from: names), let first = cycle.first,
            let member = members.first(where: { $0.name == first.rawValue })
        {
            mistakes.add(
                member.place, member.node.key,
                "hard references go in a circle: \(cycle.map(\.rawValue).joined(separator: " → ")), so each would wait for the other",
                "mark one of the references soft: true in its mapping")
        }
    }

    /// The first circle found, its first entity again at the end; nil where there is none.
    static func cycle(in edges: [EntityName: Set<EntityName>], from names: [EntityName]) -> [EntityName]? {
        var done: Set<EntityName> = []
        var path: [EntityName] = []
        func visit(_ entity: EntityName) -> [EntityName]? {
            if let start = path.firstIndex(of: entity) { return path[start...] + [entity] }
            guard !done.contains(entity) else { return nil }
            path.append(entity)
            for next in (edges[entity] ?? []).sorted() {
                if let cycle = visit(next) { return cycle }
            }
            path.removeLast()
            done.insert(entity)
            return nil
        }
        for name in names {
            if let cycle = visit(name) { return cycle }
        }
        return nil
    }
}

/// Who holds one entity, and under which fields.
struct Holders {
    var entity: EntityName
    var mappings: [ApplicationID: Mapping] = [:]
    var manifests: [ApplicationID: EntityManifest] = [:]
    var companies: [ApplicationID: [CompanyID: String]] = [:]
    /// All applications, in the order of the file.
    var all: [ApplicationID]
    /// Applications about which nothing can be said, as their driver or mapping has mistakes.
    var uncertain: Set<ApplicationID> = []

    init(entity: EntityName, applications: [ApplicationDraft], results: [ApplicationID: MappingReader.Result]) {
        self.entity = entity
        all = applications.map(\.id)
        for application in applications {
            let result = results[application.id]
            if application.factory == nil || result?.isUncertain == true || result?.broken.contains(entity) == true {
                uncertain.insert(application.id)
            }
            guard let mapping = result?.mappings[entity] else { continue }
            mappings[application.id] = mapping
            manifests[application.id] = application.manifest?.entity(native: mapping.native)
            companies[application.id] = application.companies
        }
    }

    var isUncertain: Bool { !uncertain.isEmpty }

    /// Every canonical leaf and list that any application maps, by name.
    var fields: [String] {
        Set(mappings.values.flatMap { $0.fields.map(\.name) + $0.lists.map(\.name) }).sorted()
    }

    /// The lists among ``fields``.
    var lists: Set<String> { Set(mappings.values.flatMap { $0.lists.map(\.name) }) }

    /// Whether an application tells the hub that field; nil where it does not map it at all.
    func tells(_ application: ApplicationID, _ field: String) -> Bool? {
        guard let mapping = mappings[application] else { return nil }
        if let leaf = mapping.field(named: field) { return leaf.direction != .out }
        return mapping.list(named: field).map { $0.direction != .out }
    }
}
