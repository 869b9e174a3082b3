import HubModel
import HubRules
import HubStore

extension TargetDelivery {
    /// Ends the version: write log, outcomes of it and of the versions that it overtook, all in one transaction.
    func finish(
        _ kind: OutcomeKind, _ version: Version, reason: String? = nil, rejection: Rejection? = nil, fields: Fields = Fields(),
        _ context: inout Context, in store: any StoreTransaction
    ) throws(StoreError) -> DeliveryStep {
        let last = context.state.delivered
        var told = reason
        if version.number > last.number + 1 {
            try plan.publish(
                Outcome(
                    .superseded, context.target, entity: context.entity,
                    version: Version(generation: version.generation, number: version.number - 1), first: last.number + 1,
                    key: context.state.key, time: context.now), in: store)
        } else if version <= last {
            told = context.state.wait?.detail ?? reason
        }
        try plan.publish(
            Outcome(
                kind, context.target, entity: context.entity, version: version, key: context.state.key, rejection: rejection, reason: told,
                time: context.now), in: store)
        context.state.delivered = max(version, last)
        context.state.attempts = 0
        context.state.delays = 0
        switch kind {
        case .rejected:
            if let rejection {
                let before = context.state.rejected.flatMap { $0.isSameRule(as: rejection) ? $0.since : nil }
                context.state.rejected = TargetState.RejectedWrite(
                    rejection: rejection, fields: fields, version: version, since: before ?? context.now)
                try tellRefusal(rejection, &context, in: store)
            }
        case .unchanged where context.state.key == nil:
            // Deleted before the application ever took it: nothing is asked of it any more.
            context.state.rejected = nil
        case .written, .unchanged:
            // Unchanged: what was refused has been taken back, so that both sides are equal again.
            guard kind == .written || context.state.rejected != nil else { break }
            context.state.rejected = nil
            try clearRefusal(&context, in: store)
        default: break
        }
        let isBehind = context.golden.version > context.state.delivered
        if kind == .dead && !isBehind {
            context.state.wait = TargetState.Wait(.dead, detail: reason ?? "", since: context.now)
        } else {
            context.state.wait = isBehind ? TargetState.Wait(.ready, since: context.now) : nil
            if !isBehind, try canComplete(context, in: store) {
                // The link appeared while the call was under way.
                context.state.wait = TargetState.Wait(.ready, detail: Again.complete, since: context.now)
            }
        }
        try save(context, in: store)
        if context.state.key == nil { try wakeWaiting(context, in: store) }
        return isBehind ? try next(&context, in: store) : .rests(until: nil)
    }

    /// True where a soft reference that was left out has a document by now.
    private func canComplete(_ context: Context, in store: any StoreTransaction) throws(StoreError) -> Bool {
        for reference in context.binding.mapping.references(in: context.golden.fields) where context.state.leftOut[reference.field] != nil {
            if try nativeKey(of: reference.id, reference.entity, context, in: store) != nil { return true }
        }
        return false
    }

    /// It ended here without a document: what waits for one looks again, and tells people that it may wait for ever.
    private func wakeWaiting(_ context: Context, in store: any StoreTransaction) throws(StoreError) {
        for waiting in try store.awaiting(application, context.golden.id) {
            var state = try store.target(waiting)
            guard state.wait?.reason == .reference, let golden = try store.golden(waiting.id) else { continue }
            state.wait?.reason = .ready
            try store.put(state, waiting, golden.entity)
        }
    }

    /// True where just this was refused before and nothing has changed since: it is not asked again until a person says so.
    func refusedBefore(_ values: Fields, _ context: Context) throws(StoreError) -> Bool {
        guard let rejected = context.state.rejected, context.state.wait?.detail != Again.replay else { return false }
        return rejected.fields == context.state.effect(of: values, creates: context.state.key == nil, under: context.binding.mapping)
    }

    func finishRejectedAgain(
        _ version: Version, _ context: inout Context, in store: any StoreTransaction
    ) throws(StoreError) -> DeliveryStep {
        guard let rejected = context.state.rejected else { return .rests(until: nil) }
        return try finish(.rejected, version, rejection: rejected.rejection, fields: rejected.fields, &context, in: store)
    }

    /// Tells, on the outcomes topic, that something waits.
    func publishWaiting(_ context: Context, in store: any StoreTransaction) throws(StoreError) {
        try plan.publish(
            Outcome(
                .waiting, context.target, entity: context.entity, version: context.golden.version, key: context.state.key,
                reason: context.state.wait?.detail, time: context.now), in: store)
    }

    // MARK: What a refusal tells the other applications

    private static let refusalEvent = "rejection"

    /// Sets the golden fields that the configuration wants set when this application refuses, so that the front office shows it.
    private func tellRefusal(_ rejection: Rejection, _ context: inout Context, in store: any StoreTransaction) throws(StoreError) {
        guard let wanted = context.policy.onRejected[application], !context.golden.isDeleted else { return }
        // A document that is there tells its own state: a refused change must not cover that.
        let isThere = context.state.key != nil && context.state.heard?.isDeleted != true
        let told = isThere ? Set(context.binding.mapping.fieldNames) : []
        try set(
            Fields(
                wanted.filter { !told.contains($0.name) }.map { field in
                    let value: Value =
                        switch field.value.text {
                        case "$text": .string(rejection.text)
                        case "$rule": .string(rejection.rule)
                        case "$field": rejection.field.map { .string($0) } ?? .null
                        default: field.value
                        }
                    return (field.name, value)
                }), &context, in: store)
    }

    private func clearRefusal(_ context: inout Context, in store: any StoreTransaction) throws(StoreError) {
        guard let wanted = context.policy.onRejected[application] else { return }
        let golden = context.golden
        let stale = wanted.names.filter {
            golden.provenance[$0]?.event == Self.refusalEvent && golden.provenance[$0]?.application == application
        }
        try set(Fields(stale.map { ($0, .null) }), &context, in: store)
    }

    private func set(_ fields: Fields, _ context: inout Context, in store: any StoreTransaction) throws(StoreError) {
        let changed = fields.filter { (context.golden.fields[$0.name] ?? .null) != $0.value }
        guard !changed.isEmpty else { return }
        for field in changed {
            context.golden.fields[field.name] = field.value
            context.golden.provenance[field.name] = Provenance(time: context.now, application: application, event: Self.refusalEvent)
        }
        try plan.publish(&context.golden, changed: changed.names, event: Self.refusalEvent, now: context.now, in: store)
    }
}
