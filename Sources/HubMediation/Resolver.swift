import HubCodec
package import HubModel
package import HubRules
package import HubStore

/// Decides what an application's event means: which document it is, what really changed, and who may change it.
///
/// One call is one step of one transaction; all state is the store's. `sync_model.py`'s `receive`, `resolve` and `match` are its reference.
package struct Resolver {
    package let plan: HubPlan
    /// Told what became of each field; nil in production.
    package var observer: ((InboundChange, String, FieldFate) -> Void)?

    package init(plan: HubPlan, observer: ((InboundChange, String, FieldFate) -> Void)? = nil) {
        self.plan = plan
        self.observer = observer
    }

    /// Works an event in, or stores it among the waiting ones.
    /// - Returns: how it ended; nil where it waits.
    package func receive(_ change: InboundChange, now: Instant, in store: any StoreTransaction) throws(StoreError) -> EventEnd? {
        let resolution: Resolution =
            try store.isWaiting(change.document) ? .waits(.turn) : try resolve(change, arrived: now, now: now, in: store)
        switch resolution {
        case .ended(let end): return end
        case .waits(let reason):
            try store.append(
                WaitingEvent(document: change.document, awaits: awaited(reason, change), record: change.record, since: now))
            return nil
        }
    }

    /// Tries a waiting event again.
    /// - Returns: how it ended; nil where it goes on waiting.
    package func retry(
        _ event: WaitingEvent, as change: InboundChange, now: Instant, in store: any StoreTransaction
    ) throws(StoreError) -> EventEnd? {
        switch try resolve(change, arrived: event.since, now: now, in: store) {
        case .ended(let end):
            try store.removeWaiting(event.sequence)
            return end
        case .waits(let reason):
            var event = event
            event.awaits = awaited(reason, change)
            try store.update(event)
            return nil
        }
    }

    private func awaited(_ reason: WaitingEventReason, _ change: InboundChange) -> WaitingEvent.Awaited {
        switch reason {
        case .link(let reference): .link(reference)
        case .intents: .intents(change.document.application, change.document.entity)
        case .turn: .turn
        }
    }

    // MARK: Resolve

    private func resolve(
        _ change: InboundChange, arrived: Instant, now: Instant, in store: any StoreTransaction
    ) throws(StoreError) -> Resolution {
        let document = change.document
        guard let binding = plan.binding(document.application, document.entity) else { return .ended(.filtered) }
        let mapping = binding.mapping
        let linked = try store.link(document)
        if let linked, let heard = try store.target(target(linked, document)).heard, change.position <= heard.position {
            return .ended(.stale)
        }

        // Native references become canonical ones; a hard one that is not linked yet makes the event wait.
        var told = change.fields
        let unlinked = try translateReferences(in: &told, mapping, document, store)
        if let hard = unlinked.first(where: { !$0.isSoft }) { return .waits(.link(hard.reference)) }

        guard let (id, isNew) = try identify(change, told, linked: linked, arrived: arrived, in: store) else { return .waits(.intents) }
        let target = target(id, document)
        var state = try store.target(target)
        var golden: GoldenRecord
        if let existing = try store.golden(id) {
            golden = existing
        } else {
            guard change.operation != .delete else { return .ended(.filtered) }
            guard plan.policy(document.entity).mayCreate(document.application) else {
                try overrule(change, "", .null, rule: "create", golden: nil, id: id, now: now, in: store)
                return .ended(.refused)
            }
            golden = GoldenRecord(id: id, entity: document.entity, company: document.company, version: .none)
        }
        if isNew || state.key == nil { try store.store(link: document, to: id, target: target, state: &state) }
        guard state.key == document.key else { return .ended(.duplicate) }
        for soft in unlinked { try SoftReferences.wait(for: soft.reference, by: document, in: store) }
        return .ended(
            try workIn(change, told, golden: &golden, target: target, state: &state, mapping: mapping, now: now, in: store))
    }

    /// Fills in soft references of a document's last told state that have been linked since. They count as told, but never as newer
    /// than what anybody has told in the meantime.
    package func complete(_ document: NativeReference, now: Instant, in store: any StoreTransaction) throws(StoreError) {
        guard let binding = plan.binding(document.application, document.entity), let id = try store.link(document),
            var golden = try store.golden(id)
        else { return }
        let target = target(id, document)
        var state = try store.target(target)
        guard state.key == document.key, let heard = state.heard, !heard.native.isEmpty, !heard.isDeleted,
            let native = heard.native.root,
            var told = try? binding.mapping.translate(native, timeZone: plan.timeZone(document.company))
        else { return }
        for soft in try translateReferences(in: &told, binding.mapping, document, store) {
            try SoftReferences.wait(for: soft.reference, by: document, in: store)
        }
        let known = try currentHeard(state, binding.mapping, document, store) ?? Fields()
        told = told.filter { known[$0.name] != $0.value }
        guard !told.isEmpty else { return }
        let change = InboundChange(
            document: document, operation: .upsert, fields: told, position: heard.position, token: heard.token,
            time: Instant(milliseconds: 0), event: "completed", record: Record(topic: ""))
        _ = try workIn(change, told, golden: &golden, target: target, state: &state, mapping: binding.mapping, now: now, in: store)
    }

    private func target(_ id: CanonicalID, _ document: NativeReference) -> Target {
        plan.target(document.application, document.entity, document.company, id)
    }

    /// The event meets the golden record: compare with *heard*, take out echoes, ask who may change what.
    private func workIn(
        _ change: InboundChange, _ told: Fields, golden: inout GoldenRecord, target: Target, state: inout TargetState, mapping: Mapping,
        now: Instant, in store: any StoreTransaction
    ) throws(StoreError) -> EventEnd {
        let application = change.document.application
        let policy = plan.policy(golden.entity)
        let heard = try currentHeard(state, mapping, change.document, store)
        var told = told
        if plan.planted == .absentIsNull, heard != nil, change.operation != .delete {
            for field in mapping.fieldNames where told[field] == nil && !mapping.isReference(field) { told[field] = .null }
        }
        let before = heard ?? Fields()
        var hint = 0
        let changed = told.compactMap { field in
            if let known = before.value(of: field.name, hint: &hint), known == field.value || mapping.same(field.name, known, field.value) {
                return String?.none
            }
            return field.name
        }
        let isGone = change.operation == .delete && state.heard?.isDeleted != true
        // The hub deletes there what is not meant for that application any more: that is no reason to delete it everywhere.
        let isOwnDelete = isGone && state.written.contains(where: \.isDelete)
        let echoes = state.matchEchoes(changed: changed, state: told, isGone: isGone, token: change.token, under: mapping)

        // What the application has told all along, and the mapping has only now: nobody's edit, but known where nobody knew anything.
        var set = state.heard?.mapping == mapping.version ? [] : fillGaps(of: &golden, with: before, state.heard, change, mapping)
        var corrected = false
        var overruled = false
        var renewed = false
        for field in changed {
            let value = told[field] ?? .null
            let known = golden.fields[field]
            if let write = echoes[field] {
                observer?(change, field, .echo(write))
            } else if let known, known == value || mapping.same(field, known, value) {
                observer?(change, field, .same)
                if renew(&golden, field, change, policy) { renewed = true }
            } else if known == nil, value.isNull, policy.guarded.contains(field) {
                // A new document that says nothing about a guarded field does not try to set it.
                observer?(change, field, .same)
            } else if let rule = objection(to: change, field, golden, policy, hasHeard: heard != nil) {
                try overrule(change, field, value, rule: rule, golden: golden, id: golden.id, now: now, in: store)
                observer?(change, field, .conflict)
                overruled = true
                if try correct(field, change, golden: golden, state: &state, now: now, in: store) { corrected = true }
            } else {
                observer?(change, field, .golden(replaced: known))
                golden.fields[field] = value
                golden.provenance[field] = Provenance(time: change.time, application: application, event: change.event)
                set.append(field)
            }
        }
        var deleted = false
        if isGone && !isOwnDelete && !golden.isDeleted {
            if policy.mayDelete(application, in: golden.fields) {
                golden.isDeleted = true
                deleted = true
            } else {
                try overrule(change, "", .null, rule: "delete", golden: golden, id: golden.id, now: now, in: store)
                overruled = true
                // The delivery that this asks for ends as refused, and so tells the others that the document is gone there.
                corrected = true
            }
        }
        observer?(change, "", .end)

        state.heard = TargetState.Heard(
            fields: before.overlaid(with: told), native: merged(state.heard?.native, change.native), mapping: mapping.version,
            position: change.position, token: change.token ?? state.heard?.token,
            isDeleted: change.operation == .delete)
        if let reason = state.wait?.reason, reason == .changed || reason == .unheard {
            state.wait = TargetState.Wait(.ready, since: state.wait?.since ?? now)
        }

        var addressee: ApplicationID?
        if set.isEmpty && !deleted, corrected || change.operation != .delete && !state.difference(to: golden, under: mapping).isEmpty {
            // The application differs from golden although nothing new was told: it is asked to take golden's values.
            addressee = application
        }
        try store.put(state, target, golden.entity)
        if !set.isEmpty || deleted || addressee != nil || golden.version == .none {
            if !set.isEmpty || deleted { try plan.index(golden, in: store) }
            try plan.publish(
                &golden, changed: deleted ? set + ["deleted"] : set, addressee: addressee, event: change.event,
                causeTime: change.record.timestamp, now: now, in: store)
        } else if renewed {
            // No new version: nothing that anybody holds has changed.
            try store.put(golden)
        }
        if !set.isEmpty || deleted { return .accepted }
        if overruled { return .conflict }
        if changed.isEmpty { return isOwnDelete ? .echo : .unchanged }
        return changed.allSatisfy { echoes[$0] != nil } ? .echo : .unchanged
    }

    /// Golden fields that nobody has told, taken from what a changed mapping reads in the last heard state.
    /// - Returns: their names.
    private func fillGaps(
        of golden: inout GoldenRecord, with told: Fields, _ heard: TargetState.Heard?, _ change: InboundChange, _ mapping: Mapping
    ) -> [String] {
        guard let heard, !golden.isDeleted else { return [] }
        let application = change.document.application
        let policy = plan.policy(golden.entity)
        var filled: [String] = []
        for (field, value) in told where heard.fields[field] == nil && golden.fields[field] == nil && !value.isNull {
            // What they refer to may not be linked: such a field waits for its next change.
            let list = mapping.list(named: field)
            if mapping.isReference(field) || list?.fields.contains(where: { $0.reference != nil }) == true { continue }
            let owner = policy.owner(of: field, in: golden.fields)
            if policy.guarded.contains(field), owner != application { continue }
            golden.fields[field] = value
            // Never newer than what anybody has told in the meantime.
            golden.provenance[field] = Provenance(time: Instant(milliseconds: 0), application: application, event: "mapping")
            filled.append(field)
        }
        return filled
    }

    /// *Heard* under today's mapping; nil where the feed has told nothing yet.
    private func currentHeard(
        _ state: TargetState, _ mapping: Mapping, _ document: NativeReference, _ store: any StoreTransaction
    ) throws(StoreError) -> Fields? {
        guard let heard = state.heard else { return nil }
        guard heard.mapping != mapping.version, !heard.native.isEmpty,
            let native = heard.native.root,
            var fields = try? mapping.translate(native, timeZone: plan.timeZone(document.company))
        else { return heard.fields }
        _ = try translateReferences(in: &fields, mapping, document, store)
        return fields
    }

    private func merged(_ old: RawJSON?, _ new: RawJSON) -> RawJSON {
        guard let old, !old.isEmpty else { return new }
        return new.isEmpty ? old : JSONMerge.overlay(old, with: new)
    }

    // MARK: Authority

    /// Why the application may not set this field; nil where it may. The result is the conflict's rule.
    private func objection(
        to change: InboundChange, _ field: String, _ golden: GoldenRecord, _ policy: EntityPolicy, hasHeard: Bool
    ) -> String? {
        let application = change.document.application
        if golden.isDeleted { return "deleted" }
        let owner = policy.owner(of: field, in: golden.fields)
        if owner == application { return nil }
        if policy.guarded.contains(field) { return "guarded" }
        guard golden.fields[field] != nil else { return nil }
        if owner != nil { return "owner" }
        if change.operation == .snapshot { return "snapshot" }
        guard let provenance = golden.provenance[field] else { return nil }
        // Within one application its feed's order decides, not its clock.
        if provenance.application == application { return nil }
        return precedes(change, provenance, policy) ? "older" : nil
    }

    private func precedes(_ change: InboundChange, _ provenance: Provenance, _ policy: EntityPolicy) -> Bool {
        let application = change.document.application
        if change.time != provenance.time { return change.time < provenance.time }
        let rank = policy.ranks[application] ?? 0
        let other = policy.ranks[provenance.application] ?? 0
        return rank != other ? rank < other : application < provenance.application
    }

    /// An application that tells the golden value later than its holder is the newer witness of it.
    /// - Returns: true where it has become that.
    private func renew(_ golden: inout GoldenRecord, _ field: String, _ change: InboundChange, _ policy: EntityPolicy) -> Bool {
        guard let provenance = golden.provenance[field], !precedes(change, provenance, policy) else { return false }
        golden.provenance[field] = Provenance(time: change.time, application: change.document.application, event: change.event)
        return true
    }

    private func overrule(
        _ change: InboundChange, _ field: String, _ value: Value, rule: String, golden: GoldenRecord?, id: CanonicalID, now: Instant,
        in store: any StoreTransaction
    ) throws(StoreError) {
        let policy = plan.policy(change.document.entity)
        try store.append(
            Conflict(
                document: id, field: field, application: change.document.application, refused: value, kept: golden?.fields[field],
                winner: policy.owner(of: field, in: golden?.fields ?? Fields()) ?? golden?.provenance[field]?.application, rule: rule,
                event: change.event.isEmpty ? "\(change.document) \(change.position)" : change.event, time: now))
    }

    /// Counts a correction of the field.
    /// - Returns: false where the field has become disputed: more corrections would only go round in circles.
    private func correct(
        _ field: String, _ change: InboundChange, golden: GoldenRecord, state: inout TargetState, now: Instant,
        in store: any StoreTransaction
    ) throws(StoreError) -> Bool {
        var corrections = state.corrections[field] ?? TargetState.Corrections(count: 0, windowStart: now)
        if now - corrections.windowStart > plan.correctionWindow {
            corrections = TargetState.Corrections(count: 0, windowStart: now)
        }
        corrections.count += 1
        let isDisputed = corrections.count > plan.correctionLimit
        if isDisputed {
            corrections.disputed = golden.fields[field] ?? .null
            try store.append(
                Alarm(
                    code: "disputed", application: change.document.application, document: golden.id,
                    text:
                        "\(field) was set right \(plan.correctionLimit) times and changed again each time; it is left alone until it changes",
                    time: now))
        } else {
            corrections.disputed = nil
        }
        state.corrections[field] = corrections
        return !isDisputed
    }
}
