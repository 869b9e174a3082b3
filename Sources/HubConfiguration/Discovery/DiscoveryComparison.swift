import HubCodec
package import HubDriver
package import HubModel
package import HubRules

/// An application as found, compared with its mappings, with what the configuration asks of it, and with how it was found last.
package struct DiscoveryComparison: Sendable {
    package private(set) var findings: [DiscoveryFinding] = []
    /// Fields that no mapping uses, as lines for its file.
    package private(set) var offers: [MappingOffer] = []
    /// What to remember for the next time; as before where another instance was found.
    package private(set) var record: DiscoveryRecord

    private let application: ApplicationPlan
    private let plan: HubPlan
    private let last: DiscoveryRecord?
    private let types: [String: FoundType]
    private let isStranger: Bool

    /// - Parameters:
    ///   - last: nil where the application has never been looked at.
    ///   - known: the instance that the hub knows; nil where it knows none.
    package init(
        of discovery: Discovery, _ application: ApplicationPlan, plan: HubPlan, last: DiscoveryRecord?, known: String?, now: Instant
    ) {
        self.application = application
        self.plan = plan
        self.last = last
        types = Dictionary(discovery.types.map { ($0.native, FoundType($0)) }) { first, _ in first }
        isStranger = known.map { $0 != discovery.identity.instance } ?? false
        record = DiscoveryRecord(instance: discovery.identity.instance, time: now)
        if let known, isStranger {
            findings.append(
                DiscoveryFinding(
                    .anotherInstance,
                    text: "\(application.id) is another instance (\(discovery.identity.instance)) than the hub knows (\(known)); "
                        + "compare it, then say multipoint resume \(application.id)"))
            // Of a stranger nothing is learnt.
            if let last { record = last }
        }
        let bindings = application.bindings.sorted { $0.key < $1.key }
        for (_, binding) in bindings { compare(binding) }
        for function in application.manifest.functions where !discovery.functions.contains(function.name) {
            findings.append(
                DiscoveryFinding(
                    .functionMissing,
                    text: "\(application.id) does not answer \(function.name): a module or a right is missing there"))
        }
        offers = MappingOffer.all(bindings.map(\.value.mapping), types.mapValues(\.type), last: last)
        if !isStranger {
            for native in Set(bindings.flatMap(\.value.mapping.natives)) {
                record.seen[native] = Set(types[native]?.type.fields.map(\.path) ?? [])
            }
        }
    }

    /// What is held back, by entity.
    package var stops: [EntityName: EntityStop] {
        var stops: [EntityName: EntityStop] = [:]
        for (entity, findings) in Dictionary(grouping: findings.filter { $0.effect != .nothing }, by: \.entity) {
            guard let entity else { continue }
            let fields = findings.filter(\.refusesField).map { finding in
                EntityStop.Field(
                    native: finding.native ?? "", path: finding.path?.split(separator: ".").map(String.init) ?? [],
                    reason: finding.description)
            }
            stops[entity] = EntityStop(
                reason: findings.map(\.description).joined(separator: "; "), holdsDeliveries: findings.contains(where: \.holdsDeliveries),
                fields: fields)
        }
        return stops
    }

    // MARK: One entity

    private mutating func compare(_ binding: Binding) {
        let mapping = binding.mapping
        let before = last?.accepted[mapping.entity]
        var accepted = DiscoveryRecord.Accepted(mapping: mapping.version, kinds: [:])
        for native in mapping.natives {
            guard let type = types[native] else {
                findings.append(
                    DiscoveryFinding(
                        .typeMissing, .deliveries, entity: mapping.entity, native: native, place: mapping.source,
                        text: "\(application.id) has no type \(native), or its user may not see it"
                            + suggestion(native, types.keys.sorted())))
                for (name, kind) in before?.kinds ?? [:] where name.hasPrefix(native + " ") { accepted.kinds[name] = kind }
                continue
            }
            for mapped in MappedPath.all(of: mapping) {
                let name = "\(native) \(mapped.path)"
                accepted.kinds[name] = compare(mapped, type, mapping, before: before?.kinds[name], version: before?.mapping)
            }
            compareRights(type.type, binding)
            compareRequired(type.type, binding)
        }
        if !isStranger { record.accepted[mapping.entity] = accepted }
    }

    /// - Returns: the kind to compare with the next time.
    private mutating func compare(
        _ mapped: MappedPath, _ type: FoundType, _ mapping: Mapping, before: DiscoveredField.Kind?, version: String?
    ) -> DiscoveredField.Kind? {
        func finding(_ code: DiscoveryFinding.Code, _ effect: DiscoveryFinding.Effect, _ text: String) -> DiscoveryFinding {
            DiscoveryFinding(
                code, effect, entity: mapping.entity, native: type.type.native, field: mapped.name,
                path: mapped.parts.joined(separator: "."), place: mapped.place, text: text)
        }
        switch type.presence(mapped.path) {
        case .container, .unknowable: return before
        case .missing:
            findings.append(
                finding(
                    .fieldMissing, mapped.isOut ? .deliveries : .nothing,
                    "\(type.type.native) has no field \(mapped.path), to which \(mapped.name) is mapped"
                        + suggestion(mapped.path, type.type.fields.map(\.path))))
            return before
        case .field(let field):
            compareCodes(mapped, field, finding)
            if let before, before != field.kind, version == mapping.version {
                findings.append(
                    finding(
                        .fieldChanged, mapped.isIn ? (mapped.isOut ? .deliveriesAndField : .field) : .deliveries,
                        "\(mapped.path) of \(type.type.native), to which \(mapped.name) is mapped, was \(before.words) and is "
                            + "\(field.kind.words) now (\(field.nativeKind)); change the mapping, or the application back"))
                return before
            }
            if let misfit = mapped.misfit(field.kind) {
                findings.append(
                    finding(
                        .fieldMisfit, .nothing,
                        "\(mapped.path) of \(type.type.native) (\(field.nativeKind)), mapped to \(mapped.name): \(misfit)"))
            }
            return field.kind
        }
    }

    private func suggestion(_ word: String, _ candidates: [String]) -> String {
        Suggestion.nearest(word, candidates).map { "; did you mean \"\($0)\"?" } ?? ""
    }

    private mutating func compareCodes(
        _ mapped: MappedPath, _ field: DiscoveredField,
        _ finding: (DiscoveryFinding.Code, DiscoveryFinding.Effect, String) -> DiscoveryFinding
    ) {
        guard case .field(let mapping) = mapped.use, !mapping.rows.isEmpty, let codes = field.codes else { return }
        let mappedCodes = mapping.rows.flatMap(\.natives).compactMap(\.keyText)
        let gone = mappedCodes.filter { !codes.contains($0) }
        if !gone.isEmpty {
            findings.append(
                finding(
                    .codeMissing, .nothing,
                    "\(mapped.path) has no code \(gone.joined(separator: ", ")) any more, which \(mapped.name) maps; "
                        + "what is written with it will be refused"))
        }
        let unmapped = codes.filter { code in !mappedCodes.contains(code) && !mapping.empty.contains { $0.keyText == code } }
        if mapped.isIn, !unmapped.isEmpty {
            findings.append(
                finding(
                    .codeUnmapped, .nothing,
                    "\(mapped.path) may be \(unmapped.joined(separator: ", ")), of which the values: of \(mapped.name) say nothing; "
                        + "add \(unmapped.map { "\($0): \($0)" }.joined(separator: ", "))"))
        }
    }

    // MARK: Rights and creates

    private mutating func compareRights(_ type: DiscoveredType, _ binding: Binding) {
        guard let rights = type.rights else { return }
        let entity = binding.mapping.entity
        let missing = plan.rightsNeeded(application.id, entity).subtracting(rights)
        guard !missing.isEmpty else { return }
        let names = DiscoveredType.Right.allCases.filter { missing.contains($0) }.map(\.rawValue).joined(separator: ", ")
        findings.append(
            DiscoveryFinding(
                .rightMissing, entity: entity, native: type.native, place: binding.mapping.source,
                text: "the user of \(application.id) may not \(names) \(type.native), which the configuration needs for \(entity)"))
    }

    private mutating func compareRequired(_ type: DiscoveredType, _ binding: Binding) {
        let mapping = binding.mapping
        guard plan.rightsNeeded(application.id, mapping.entity).contains(.create) else { return }
        let written = Set(MappedPath.all(of: mapping).filter(\.isOut).map(\.path))
        for field in type.fields where field.isRequired && !field.isReadOnly && !written.contains(field.path) {
            // What stands in something that is not written at all is not missed.
            guard FoundType.prefixes(of: field.path).allSatisfy(written.contains) else { continue }
            if written.contains(where: { $0.hasPrefix(field.path + ".") }) { continue }
            findings.append(
                DiscoveryFinding(
                    .fieldRequired, entity: mapping.entity, native: type.native, path: field.path, place: mapping.source,
                    text:
                        "\(type.native) needs \(field.path), which the mapping does not write: creating a \(mapping.entity) will be refused"
                ))
        }
    }
}

extension HubPlan {
    /// What the application's user has to be allowed for the entity to be exchanged as configured.
    package func rightsNeeded(_ application: ApplicationID, _ entity: EntityName) -> Set<DiscoveredType.Right> {
        guard let binding = binding(application, entity) else { return [] }
        var rights: Set<DiscoveredType.Right> = [.read]
        let policy = policy(entity)
        let mapping = binding.mapping
        let writes =
            mapping.fields.contains { mapping.writes($0.name) } || mapping.lists.contains { mapping.writes($0.name) }
        let others = Set(holders(of: entity)).subtracting([application])
        guard writes, !others.isEmpty, policy.send[application] != .not(.always) else { return rights }
        let operations = binding.manifest.operations
        let creators = policy.creators.map { $0.subtracting([application]) } ?? others
        if operations.contains(.create), policy.creation[application] != .refuse, !creators.isEmpty { rights.insert(.create) }
        if operations.contains(.update) { rights.insert(.update) }
        let deleters = (policy.deleters ?? policy.owner.map { [$0] } ?? others).subtracting([application])
        if operations.contains(.delete), !deleters.isEmpty || policy.leaving[application] == .delete {
            rights.insert(binding.manifest.delete == .archives ? .update : .delete)
        }
        return rights
    }
}
