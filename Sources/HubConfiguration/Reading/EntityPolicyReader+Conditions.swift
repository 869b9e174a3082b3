import HubDriver
import HubModel
import HubRules

extension EntityPolicyReader {
    /// A condition's text; a mistake in it is noted at its character.
    private func condition(_ text: String, _ node: ConfigurationNode, place: (Int) -> Place) -> Condition? {
        do throws(ConditionParser.Failure) {
            let condition = try ConditionParser.parse(text, entity: name)
            // The list as a whole, or an object as a whole, is no leaf, but may be asked for.
            for field in condition.fields.sorted() { _ = leaves(of: field, node, at: place(1)) }
            return condition
        } catch {
            node.mistakes.add(
                place(error.column), node.key, "the condition is wrong at character \(error.column): \(error.reason)",
                "write it as \(name).status == 'active' and not onHold")
            return nil
        }
    }

    func send() -> [ApplicationID: Condition] {
        guard let node = node["send"] else { return [:] }
        var result: [ApplicationID: Condition] = [:]
        for member in node.members("send: { \(holders.all.last?.rawValue ?? "erp"): \"\(name).status == 'active'\" }") {
            let id = application(member.name, member.node, at: member.place)
            let condition: Condition?
            if case .scalar(.bool(let always), _, _, _) = member.node.content {
                condition = always ? .always : .not(.always)
            } else if let text = member.node.text("a condition, such as \"\(name).status == 'active'\"") {
                condition = self.condition(text, member.node) { member.node.place(ofCharacter: $0) }
            } else {
                condition = nil
            }
            if let id, let condition { result[id] = condition }
        }
        return result
    }

    func ownerAfter() -> [(condition: Condition, owner: ApplicationID)] {
        guard let node = node["ownerAfter"] else { return [] }
        var result: [(condition: Condition, owner: ApplicationID)] = []
        for member in node.members("ownerAfter: { confirmed: \(holders.all.last?.rawValue ?? "erp") }") {
            let condition: Condition?
            if ConfigurationReader.isName(member.name) {
                _ = leaves(of: "status", member.node, at: member.place)
                condition = .compare(field: "status", .equal, .string(member.name))
            } else {
                condition = self.condition(member.name, member.node) { member.place(ofCharacter: $0) }
            }
            guard let text = member.node.text("\(member.name): and an application"), let owner = application(text, member.node),
                let condition
            else { continue }
            result.append((condition, owner))
        }
        return result
    }

    // MARK: Against the manifests

    func check(_ policy: EntityPolicy) {
        checkDelete()
        checkCompanies()
        for (application, _) in policy.leaving where policy.send[application] == nil {
            node["leave"]?[application.rawValue]?.mistake("says nothing without a condition to leave", "add send: { \(application): … }")
        }
        for (application, creation) in policy.creation where creation != .refuse {
            guard let manifest = holders.manifests[application], !manifest.operations.contains(.create) else { continue }
            node["create"]?[application.rawValue]?.mistake("\(application) cannot create \(manifest.native)", "write refuse")
        }
    }

    private func checkDelete() {
        guard let node = node["delete"], let text = node.text("archive or remove") else { return }
        guard ["archive", "remove"].contains(text) else {
            node.mistake("\(text) has no meaning here", Suggestion.text(text, ["archive", "remove"]))
            return
        }
        for (application, manifest) in holders.manifests.sorted(by: { $0.key < $1.key }) {
            switch (text, manifest.delete) {
            case ("archive", .removes):
                node.mistake("\(application) has no archive: deleting a \(manifest.native) there removes it", "write delete: remove")
            case ("remove", .archives):
                node.mistake("\(application) only archives a \(manifest.native), it never removes one", "write delete: archive")
            default: break
            }
        }
    }

    private func checkCompanies() {
        let shared = node["shared"]?.bool()
        let perCompany = node["perCompany"]?.bool()
        if let shared, shared == perCompany {
            node["perCompany"]?.mistake("it cannot be \(shared) together with shared: \(shared)", "keep one of shared and perCompany")
        }
        let divided = holders.manifests.filter(\.value.isPerCompany).map(\.key).sorted()
        if let application = divided.first {
            for word in [shared == true ? "shared" : nil, perCompany == false ? "perCompany" : nil].compactMap({ $0 }) {
                node[word]?.mistake("\(application) keeps \(name) per company", "write perCompany: true, or leave both out")
            }
        } else if !holders.manifests.isEmpty {
            for word in [shared == false ? "shared" : nil, perCompany == true ? "perCompany" : nil].compactMap({ $0 }) {
                node[word]?.mistake("no application keeps \(name) per company", "leave it out")
            }
        }
        for application in divided where holders.companies[application]?.isEmpty != false {
            node.mistakes.add(
                member.place, node.key, "\(application) keeps \(name) per company, but none of its companies is named",
                "write applications: { \(application): { companies: { fr: 1 } } }")
        }
    }
}
