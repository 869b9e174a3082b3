import HubModel

/// The one transaction of a ``MemoryStore``, used again and again under its lock.
final class MemoryTransaction: StoreTransaction {
    var state: MemoryState
    /// Why this transaction must not be kept, whatever its body makes of the error.
    var refusal: StoreError?

    init(_ state: MemoryState) { self.state = state }

    // MARK: Golden records

    func golden(_ id: CanonicalID) -> GoldenRecord? { state.golden[id] }

    func put(_ golden: GoldenRecord) { state.golden[golden.id] = golden }

    func newID(_ entity: EntityName) -> CanonicalID {
        CanonicalID("\(entity)-\(generation())-\(state.next(ExactText("id " + entity.rawValue)))")
    }

    func goldenRecords(_ entity: EntityName, after: CanonicalID?, limit: Int) -> [GoldenRecord] {
        var found: [GoldenRecord] = []
        for id in state.golden.keys(after: after) {
            if found.count >= limit { break }
            if let golden = state.golden[id], golden.entity == entity { found.append(golden) }
        }
        return found
    }

    func matches(_ entity: EntityName, _ field: String, _ text: String) -> [CanonicalID] {
        (state.matches[.init(entity: entity, field: ExactText(field), text: ExactText(text))] ?? []).sorted()
    }

    func putMatch(_ entity: EntityName, _ field: String, _ text: String?, _ id: CanonicalID) {
        let owner = MemoryState.MatchOwner(entity: entity, field: ExactText(field), id: id)
        let old = state.matchTexts[owner]
        let new = text.map { ExactText($0) }
        if old == new { return }
        if let old {
            let key = MemoryState.MatchKey(entity: entity, field: owner.field, text: old)
            let rest = state.matches[key]?.subtracting([id]) ?? []
            state.matches[key] = rest.isEmpty ? nil : rest
        }
        if let new {
            let key = MemoryState.MatchKey(entity: entity, field: owner.field, text: new)
            state.matches[key] = (state.matches[key] ?? []).union([id])
        }
        state.matchTexts[owner] = new
    }

    // MARK: Positions and fences

    func offset(_ group: String, _ partition: TopicPartition) -> Int64? { state.offsets[.init(group, partition)] }

    func putOffset(_ offset: Int64, _ group: String, _ partition: TopicPartition) { state.offsets[.init(group, partition)] = offset }

    func raiseEpoch(_ group: String, _ partition: TopicPartition) -> Int64 {
        let epoch = (state.epochs[.init(group, partition)] ?? 0) + 1
        state.epochs[.init(group, partition)] = epoch
        return epoch
    }

    func check(epoch: Int64, _ group: String, _ partition: TopicPartition) throws(StoreError) {
        let newest = state.epochs[.init(group, partition)] ?? 0
        guard epoch != newest else { return }
        let error = StoreError.fenced(epoch: epoch, newest: newest, group, partition)
        refusal = error
        throw error
    }

    func generation() -> Int { Int(state.numbers["generation"] ?? 1) }

    func raiseGeneration(past used: Int) -> Int {
        let next = max(generation(), used) + 1
        state.numbers["generation"] = Int64(next)
        return next
    }

    func catchUp(_ application: ApplicationID) -> CatchUp? { state.catchUps[application] }

    func putCatchUp(_ catchUp: CatchUp?, _ application: ApplicationID) { state.catchUps[application] = catchUp }

    func note(_ name: String) -> String? { state.notes[ExactText(name)] }

    func putNote(_ text: String?, _ name: String) { state.notes[ExactText(name)] = text }

    func notes(_ prefix: String) -> [(name: String, text: String)] {
        var found: [(name: String, text: String)] = []
        let first = ExactText(prefix)
        if let text = state.notes[first] { found.append((prefix, text)) }
        for name in state.notes.keys(after: first) {
            guard name.rawValue.utf8.starts(with: prefix.utf8) else { break }
            if let text = state.notes[name] { found.append((name.rawValue, text)) }
        }
        return found
    }
}

extension StoreError {
    static func fenced(epoch: Int64, newest: Int64, _ group: String, _ partition: TopicPartition) -> StoreError {
        StoreError(.fenced, "Epoch \(epoch) of \(group) on \(partition) has been taken over by epoch \(newest).")
    }
}
