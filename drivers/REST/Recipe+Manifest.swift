import HubDriver
import HubModel

extension Recipe {
    static let version = "1.0"

    /// What the hub is told of this system.
    var manifest: Manifest {
        Manifest(
            driver: RESTFactory.name, version: Self.version, summary: summary.isEmpty ? "\(name), by its recipe" : summary,
            entities: entities.map(manifest), settleTime: settleTime, answerTime: answerTime, limits: limits, pollTime: poll,
            window: wholeWindow,
            functions: functions.map(\.manifest))
    }

    private func manifest(_ type: EntityRecipe) -> EntityManifest {
        let delete: EntityManifest.DeleteMeaning =
            type.delete == nil ? .refuses : type.delete?.method == "DELETE" && type.archived == nil ? .removes : .archives
        return EntityManifest(
            native: type.native, entity: type.entity, operations: type.operations, createIsRepeatable: type.create?.isRepeatable ?? false,
            hasToken: type.token != nil, tellsReference: type.reference != nil,
            tellsDeletes: type.changes != nil && (sweep != nil || type.archived != nil), delete: delete, isPerCompany: type.isPerCompany,
            transitions: type.transitions, rules: rules(type))
    }

    private func rules(_ type: EntityRecipe) -> [String] {
        var rules = type.rules
        if !type.readOnly.isEmpty { rules.append("read-only") }
        if type.members != nil { rules.append("unknown-field") }
        if type.texts.values.contains(where: { !$0.without.isEmpty }) { rules.append(TextRule.characterRule) }
        if type.texts.values.contains(where: { $0.most != nil }) { rules.append(TextRule.lengthRule) }
        rules.append(ErrorRecipe.otherRule)
        return Set(rules).sorted()
    }

    /// What remains unsafe, derived from what the recipe declares, and its own words.
    private var wholeWindow: String {
        var sentences: [String] = []
        let bare = entities.filter { $0.token == nil && !$0.operations.isDisjoint(with: [.update, .delete]) }.map(\.native)
        if !bare.isEmpty {
            sentences.append(
                """
                \(bare.joined(separator: ", ")): no version token. A write reads first and compares with what the hub last heard; what a \
                person saves between that read and the write is covered in the members that the hub writes.
                """)
        }
        let once = entities.filter { $0.create?.isRepeatable == false }.map(\.native)
        if !once.isEmpty {
            sentences.append(
                """
                \(once.joined(separator: ", ")): a create cannot be repeated. After a call without an answer the hub waits for the settle \
                time, looks the reference up, and creates again only where nothing is found; a call that takes effect later than that makes \
                a second document, which the hub reports.
                """)
        }
        if entities.contains(where: { $0.changes.map { $0.form != .number } ?? false }) {
            sentences.append(
                """
                Capture asks for what was modified since the last look less \(overlap.milliseconds / 1000) s: a transaction that takes \
                longer to be seen is missed until the document changes again, and of several changes between two looks only the last \
                state is told.
                """)
        }
        let numbered = entities.filter { $0.changes?.form == .number }.map(\.native)
        if !numbered.isEmpty {
            sentences.append(
                """
                \(numbered.joined(separator: ", ")): capture asks for what has a higher number than the last one seen, less the overlap: a \
                number that becomes visible after one so much higher is missed until the document changes again, and of several changes \
                between two looks only the last state is told.
                """)
        }
        if budget.perDay != nil {
            sentences.append("The day's budget is counted in memory: a restart begins it anew unless the application tells what is left.")
        }
        if sentences.isEmpty { sentences.append("Every write is conditional on the state that the hub last heard.") }
        if !window.isEmpty { sentences.append(window) }
        return sentences.joined(separator: " ")
    }
}
