import HubCodec
import HubConfiguration
import HubModel
import HubRules
import HubStore

/// One document in one application.
private struct Held {
    var binding: Binding
    var state: TargetState
    /// Canonical fields; nil where the application has no such document.
    var fields: Fields?
}

extension ComparisonRun {
    mutating func compareDocuments() throws {
        try store.eachGoldenRecord(of: plan) { golden in try compare(golden) }
        try findStrangers()
        findDoubles()
    }

    private mutating func compare(_ golden: GoldenRecord) throws {
        result.documents += 1
        var holders: [ApplicationID: Held] = [:]
        for application in configuration.applications.map(\.id) {
            guard let binding = plan.binding(application, golden.entity) else { continue }
            let state = try store.target(plan.target(application, golden.entity, golden.company, golden.id))
            versions[application, default: 0] += state.delivered.number
            if state.delivered < golden.version, state.wait == nil, state.key != nil {
                problem("\(application): \(golden.id) is at \(state.delivered) of \(golden.version) and nothing says why")
            }
            if let key = state.key { seen.insert(NativeReference(application, .shared, golden.entity, key)) }
            let document = state.key.flatMap { documents[application]?[binding.mapping.native]?[$0] }
            holders[application] = Held(
                binding: binding, state: state,
                fields: try document.map { try canonical($0, application, binding.mapping) })
        }
        comparePresence(golden, holders)
        if golden.isDeleted { return }
        for field in Set(holders.values.flatMap { $0.binding.mapping.fieldNames }).sorted() { compare(field, golden, holders) }
    }

    private func canonical(_ document: NativeDocument, _ application: ApplicationID, _ mapping: Mapping) throws -> Fields {
        var fields = try mapping.translate(.object(document.fields), timeZone: plan.timeZone(.shared))
        _ = try mapping.resolveReferences(in: &fields) { entity, key in try store.link(NativeReference(application, .shared, entity, key)) }
        return fields
    }

    /// Deleted documents are gone everywhere, all others are everywhere.
    private mutating func comparePresence(_ golden: GoldenRecord, _ holders: [ApplicationID: Held]) {
        let meant = holders.filter { golden.isDeleted || plan.policy(golden.entity).sends(golden.fields, to: $0.key) }
        let wrong = meant.filter { ($0.value.fields == nil) != golden.isDeleted }
        guard !wrong.isEmpty else {
            result.fields += 1
            return
        }
        let reasons = wrong.map { application, held -> String? in
            if let rejected = held.state.rejected { return "\(application) refused: \(rejected.rejection)" }
            return waits(held.state, application)
        }
        let difference = Comparison.Difference(
            document: golden.id, field: "(document)", golden: golden.isDeleted ? "deleted" : "there",
            values: meant.mapValues { $0.fields == nil ? "not there" : "there" },
            explanation: reasons.contains { $0 == nil } ? nil : reasons.compactMap { $0 }.joined(separator: "; "))
        guard difference.explanation == nil else { return result.apart.append(difference) }
        result.fields += 1
        result.differences.append(difference)
    }

    private mutating func compare(_ field: String, _ golden: GoldenRecord, _ holders: [ApplicationID: Held]) {
        let holding = holders.filter { $0.value.fields != nil && $0.value.binding.mapping.fieldNames.contains(field) }
        guard !holding.isEmpty else { return }
        result.fields += 1
        let wanted = golden.fields[field] ?? .null
        let differing = holding.filter { _, held in
            let value = held.fields?[field] ?? .null
            return value != wanted && !held.binding.mapping.same(field, value, wanted)
        }
        guard !differing.isEmpty else { return }
        let reasons = differing.map { application, held in reason(field, golden, application, held) }
        result.differences.append(
            Comparison.Difference(
                document: golden.id, field: field, golden: golden.fields[field], values: holding.mapValues { $0.fields?[field] ?? .null },
                explanation: reasons.contains { $0 == nil } ? nil : reasons.compactMap { $0 }.joined(separator: "; ")))
    }

    private func reason(_ field: String, _ golden: GoldenRecord, _ application: ApplicationID, _ held: Held) -> String? {
        let state = held.state
        if let rejected = state.rejected, rejected.fields[field] != nil { return "\(application) refused: \(rejected.rejection)" }
        if let rejected = state.rejected, golden.provenance[field]?.event == "rejection" {
            return "tells that \(application) refused: \(rejected.rejection)"
        }
        if state.corrections[field]?.disputed != nil { return "disputed with \(application)" }
        if let left = state.leftOut[field] { return "\(left) is not in \(application)" }
        return waits(state, application)
    }

    private func waits(_ state: TargetState, _ application: ApplicationID) -> String? {
        guard let wait = state.wait else { return nil }
        // Other waits end by themselves: a hub at rest has none.
        return Self.lasting.contains(wait.reason) ? "waits for \(application) (\(wait.reason.rawValue)): \(wait.detail)" : nil
    }

    // MARK: Documents that should not be there

    /// Living documents that no golden record is linked to.
    private mutating func findStrangers() throws {
        for application in configuration.applications {
            for mapping in application.mappings {
                for (key, document) in documents[application.id]?[mapping.native] ?? [:] {
                    let reference = NativeReference(application.id, .shared, mapping.entity, key)
                    guard !seen.contains(reference), try isMeant(document, mapping) else { continue }
                    if try store.isWaiting(reference) { continue }
                    problem("\(application.id): \(mapping.native) \(key) belongs to no golden record")
                }
            }
        }
    }

    private func isMeant(_ document: NativeDocument, _ mapping: Mapping) throws -> Bool {
        mapping.accepts(try JSONDocument.parse(Value.object(document.fields).json).root)
    }

    /// Living documents with the same reference of the hub's.
    private mutating func findDoubles() {
        for (application, types) in documents.sorted(by: { $0.key < $1.key }) {
            for (native, all) in types.sorted(by: { $0.key < $1.key }) {
                let carrying = Dictionary(grouping: all.values.filter { $0.reference != nil }) { $0.reference }
                for (reference, found) in carrying where found.count > 1 {
                    let keys = found.map(\.key.rawValue).sorted().joined(separator: ", ")
                    problem("\(application): \(native) \(reference?.rawValue ?? "") is there \(found.count) times: \(keys)")
                }
            }
        }
    }
}
