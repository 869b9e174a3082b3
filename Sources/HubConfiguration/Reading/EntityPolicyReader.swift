import HubDriver
import HubModel
import HubRules

/// Reads one member of `entities`.
struct EntityPolicyReader {
    static let keys = [
        "owner", "fields", "guarded", "ownerAfter", "creates", "deletes", "create", "delete", "send", "leave", "match", "onRejected",
        "shared", "perCompany",
    ]

    let name: EntityName
    let member: ConfigurationNode.Member
    let holders: Holders

    var node: ConfigurationNode { member.node }

    func read() -> EntityPolicy {
        var policy = EntityPolicy(name)
        _ = node.members("\(name): { owner: \(holders.all.first?.rawValue ?? "crm") }")
        node.check(keys: Self.keys)
        if let owner = node["owner"], let text = owner.text("owner: and an application, or latest"), text != "latest" {
            policy.owner = application(text, owner, others: ["latest"])
        }
        policy.fieldOwners = fieldOwners()
        policy.guarded = Set(leaves("guarded"))
        policy.ownerAfter = ownerAfter()
        policy.creators = applications("creates")
        policy.deleters = applications("deletes")
        policy.creation = words("create", EntityPolicy.Creation.self)
        policy.leaving = words("leave", EntityPolicy.Leaving.self)
        policy.send = send()
        policy.match = leaves("match")
        policy.onRejected = onRejected()
        for (rank, application) in holders.all.reversed().enumerated() { policy.ranks[application] = rank + 1 }
        check(policy)
        return policy
    }

    // MARK: Applications

    /// The application of that name, which must hold the entity.
    func application(_ text: String, _ node: ConfigurationNode, at place: Place? = nil, others: [String] = []) -> ApplicationID? {
        let id = ApplicationID(text)
        guard holders.all.contains(id) else {
            node.mistakes.add(
                place ?? node.place, node.key, "there is no application \(text)",
                Suggestion.text(text, holders.all.map(\.rawValue) + others))
            return nil
        }
        if holders.mappings[id] == nil, !holders.uncertain.contains(id) {
            node.mistakes.add(
                place ?? node.place, node.key, "\(id) does not hold \(name)",
                holders.mappings.isEmpty ? nil : "those that do: " + holders.mappings.keys.sorted().map(\.rawValue).joined(separator: ", "))
            return nil
        }
        return id
    }

    /// A set of applications; nil where the key is absent.
    private func applications(_ key: String) -> Set<ApplicationID>? {
        guard let node = node[key] else { return nil }
        let texts = node.texts("\(key): [\(holders.all.first?.rawValue ?? "crm")]")
        if texts.isEmpty { node.mistake("names no application", "name at least one, or leave \(key) out") }
        var result: Set<ApplicationID> = []
        for (text, element) in texts {
            guard let id = application(text, element) else { continue }
            if !result.insert(id).inserted { element.mistake("\(id) stands here twice", "keep one") }
        }
        return result
    }

    /// Words by application.
    private func words<Word>(_ key: String, _: Word.Type) -> [ApplicationID: Word]
    where Word: RawRepresentable & CaseIterable, Word.RawValue == String {
        guard let node = node[key] else { return [:] }
        let all = Word.allCases.map(\.rawValue)
        var result: [ApplicationID: Word] = [:]
        for member in node.members("\(key): { \(holders.all.first?.rawValue ?? "crm"): \(all[0]) }") {
            let id = application(member.name, member.node, at: member.place)
            guard let text = member.node.text(all.joined(separator: ", ")) else { continue }
            guard let word = Word(rawValue: text) else {
                member.node.mistake("\(text) has no meaning here", Suggestion.text(text, all))
                continue
            }
            if let id { result[id] = word }
        }
        return result
    }

    // MARK: Fields

    /// The leaves that a field stands for: itself, or all below it. Unknown ones are mistakes.
    func leaves(of field: String, _ node: ConfigurationNode, at place: Place? = nil) -> [String] {
        let known = holders.fields
        if known.contains(field) { return [field] }
        let below = known.filter { $0.hasPrefix(field + ".") }
        if !below.isEmpty { return below }
        // Where a mapping has mistakes, its fields are not known.
        if holders.isUncertain || holders.mappings.isEmpty { return [field] }
        if let list = holders.lists.first(where: { field.hasPrefix($0 + ".") }) {
            node.mistakes.add(place ?? node.place, node.key, "\(field) is part of a list, and a list goes as a whole", "write \(list)")
        } else {
            let near = Suggestion.text(field, known) ?? "map it first, or leave it out"
            node.mistakes.add(place ?? node.place, node.key, "no application maps \(name).\(field)", near)
        }
        return []
    }

    private func leaves(_ key: String) -> [String] {
        guard let node = node[key] else { return [] }
        var result: [String] = []
        for (text, element) in node.texts("\(key): [\(holders.fields.first ?? "name")]") {
            for leaf in leaves(of: text, element) {
                if result.contains(leaf) { element.mistake("\(leaf) stands here twice", "keep one") } else { result.append(leaf) }
                if key == "match", holders.lists.contains(leaf) {
                    element.mistake("documents cannot be matched by a list", "match by a field such as a number or an e-mail address")
                }
            }
        }
        return result
    }

    private func fieldOwners() -> [String: ApplicationID] {
        guard let node = node["fields"] else { return [:] }
        var result: [String: ApplicationID] = [:]
        var written: [String: String] = [:]
        for member in node.members("fields: { creditLimit: \(holders.all.last?.rawValue ?? "erp") }") {
            let leaves = leaves(of: member.name, member.node, at: member.place)
            if case .list = member.node.content {
                member.node.mistake("a field has one owner", "name one application")
                continue
            }
            guard let text = member.node.text("\(member.name): and an application"), let owner = application(text, member.node) else {
                continue
            }
            for leaf in leaves {
                if let other = result[leaf], let name = written[leaf] {
                    member.node.mistake("\(leaf) has an owner already: \(other), through \(name)", "keep one of them")
                }
                result[leaf] = owner
                written[leaf] = member.name
                guard !holders.uncertain.contains(owner), holders.tells(owner, leaf) != true else { continue }
                let never = holders.tells(owner, leaf) == nil ? "does not map it" : "is only ever told it (direction: out)"
                member.node.mistake(
                    "\(owner) cannot own \(leaf), as it \(never)", "name an application that tells it, or add it to \(owner)'s mapping")
            }
        }
        return result
    }

    private func onRejected() -> [ApplicationID: Fields] {
        guard let node = node["onRejected"] else { return [:] }
        var result: [ApplicationID: Fields] = [:]
        let words = ["$text", "$rule", "$field"]
        for member in node.members("onRejected: { \(holders.all.last?.rawValue ?? "erp"): { status: rejected, reason: $text } }") {
            let id = application(member.name, member.node, at: member.place)
            var fields = Fields()
            for field in member.node.members("{ status: rejected }") {
                let leaves = leaves(of: field.name, field.node, at: field.place)
                if leaves.count > 1 { field.node.mistake("\(field.name) has parts", "name one of \(leaves.joined(separator: ", "))") }
                if let text = field.node.value.text, text.hasPrefix("$"), !words.contains(text) {
                    field.node.mistake("\(text) has no meaning here", Suggestion.text(text, words))
                }
                if let leaf = leaves.first { fields[leaf] = field.node.value }
            }
            if let id { result[id] = fields }
        }
        return result
    }
}
