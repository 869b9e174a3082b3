import HubModel

extension MemoryTransaction {
    func target(_ target: Target) -> TargetState { state.targets[target]?.state ?? TargetState() }

    func put(_ new: TargetState, _ target: Target, _ entity: EntityName) {
        let old = state.targets[target]
        state.targets[target] = .init(entity: entity, state: new)
        if old?.state.wait != new.wait { state.waits[target] = new.wait }
        if (old?.state.rejected == nil) != (new.rejected == nil) { state.rejections[target] = new.rejected == nil ? nil : true }
        if (old?.state.leftOut ?? [:]) != new.leftOut {
            state.leftOut[target] = new.leftOut.isEmpty ? nil : Set(new.leftOut.values)
        }
        let oldIntent = old.flatMap { old in old.state.intent.map { (old.entity, $0.sent) } }
        let newIntent = new.intent.map { (entity, $0.sent) }
        if let (entity, sent) = oldIntent { changeIntents(target.application, entity, sent, by: -1) }
        if let (entity, sent) = newIntent { changeIntents(target.application, entity, sent, by: 1) }
    }

    private func changeIntents(_ application: ApplicationID, _ entity: EntityName, _ sent: Instant, by change: Int) {
        let key = MemoryState.EntityOfApplication(application: application, entity: entity)
        var counts = state.intents[key] ?? [:]
        let count = (counts[sent] ?? 0) + change
        counts[sent] = count == 0 ? nil : count
        state.intents[key] = counts.isEmpty ? nil : counts
    }

    func waiting(_ application: ApplicationID, _ reasons: Set<TargetState.Wait.Reason>, until: Instant?, limit: Int) -> [TargetRow] {
        var found: [(since: Instant, target: Target)] = []
        for (target, wait) in state.waits.rows where target.application == application && reasons.contains(wait.reason) {
            if let until, let due = wait.until, due > until { continue }
            found.append((wait.since, target))
        }
        found.sort { ($0.since, $0.target) < ($1.since, $1.target) }
        return found.prefix(max(0, limit)).compactMap { row in
            state.targets[row.target].map { TargetRow(target: row.target, entity: $0.entity, state: $0.state) }
        }
    }

    func waitCounts(_ application: ApplicationID) -> [WaitCount] {
        var counts: [TargetState.Wait.Reason: WaitCount] = [:]
        for (target, wait) in state.waits.rows where target.application == application {
            var count = counts[wait.reason] ?? WaitCount(wait.reason, count: 0, since: wait.since)
            count.count += 1
            count.since = min(count.since, wait.since)
            counts[wait.reason] = count
        }
        return counts.values.sorted { $0.reason.rawValue < $1.reason.rawValue }
    }

    func rejections(_ application: ApplicationID, after: Target?, limit: Int) -> [TargetRow] {
        // An application's targets begin behind its bare name, which is no target's own place.
        let first = Target(application, .shared, "")
        let targets = state.rejections.keys(after: max(after ?? first, first)).prefix { $0.application == application }
        return targets.prefix(max(0, limit)).compactMap { target in
            state.targets[target].map { TargetRow(target: target, entity: $0.entity, state: $0.state) }
        }
    }

    func nextWake(_ application: ApplicationID) -> Instant? {
        var first: Instant?
        for (target, wait) in state.waits.rows where target.application == application {
            if let until = wait.until { first = min(first ?? until, until) }
        }
        return first
    }

    func awaiting(_ application: ApplicationID, _ id: CanonicalID) -> [Target] {
        state.waits.rows.filter { $0.key.application == application && $0.value.awaits == id }.map(\.key).sorted()
    }

    func leavingOut(_ application: ApplicationID, _ id: CanonicalID) -> [Target] {
        state.leftOut.rows.filter { $0.key.application == application && $0.value.contains(id) }.map(\.key).sorted()
    }

    func hasIntents(_ application: ApplicationID, _ entity: EntityName, sentBy time: Instant) -> Bool {
        state.intents[.init(application: application, entity: entity)]?.keys.contains { $0 <= time } ?? false
    }

    func link(_ reference: NativeReference) -> CanonicalID? { state.links[reference] }

    func putLink(_ reference: NativeReference, _ id: CanonicalID) { state.links[reference] = id }

    func links(application: ApplicationID?, entity: EntityName?, after: NativeReference?, limit: Int) -> [Link] {
        var found: [Link] = []
        for reference in state.links.keys(after: after) {
            if found.count >= limit { break }
            if let application, reference.application != application { continue }
            if let entity, reference.entity != entity { continue }
            if let id = state.links[reference] { found.append(Link(reference: reference, id: id)) }
        }
        return found
    }
}
