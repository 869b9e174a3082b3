import HubCodec
import HubDriver
package import HubModel
package import HubRules
package import HubStore

/// Decides what to do for one target until its newest golden version is written or it waits.
///
/// Each function is one step of one transaction; everything between two steps may be lost in a crash, and every reply finds link, intent
/// and *heard* read anew. `sync_model.py`'s `deliver` is its reference.
package struct TargetDelivery: Sendable {
    package let plan: HubPlan
    package let application: ApplicationID

    package init(plan: HubPlan, application: ApplicationID) {
        self.plan = plan
        self.application = application
    }

    /// Details of a ready wait that make a delivery go ahead although the version has ended here already.
    package enum Again {
        /// A person's yes to a creation.
        package static let approved = "approved"
        /// A person wants it tried again.
        package static let replay = "replay"
        /// A soft reference that was left out can be filled in.
        package static let complete = "complete"
        static let all: Set<String> = [approved, replay, complete]
    }

    /// Everything that a step needs to know of its target.
    struct Context {
        var target: Target
        var golden: GoldenRecord
        var state: TargetState
        var binding: Binding
        var policy: EntityPolicy
        var now: Instant
        var entity: EntityName { golden.entity }
    }

    // MARK: Steps

    /// Looks at a target whose lane is free.
    package func begin(_ id: CanonicalID, now: Instant, in store: any StoreTransaction) throws(StoreError) -> DeliveryStep {
        try begin(id, record: nil, now: now, in: store)
    }

    func begin(
        _ id: CanonicalID, record: Version?, now: Instant, in store: any StoreTransaction
    ) throws(StoreError) -> DeliveryStep {
        guard let golden = try store.golden(id), let binding = plan.binding(application, golden.entity) else { return .rests(until: nil) }
        let target = plan.target(application, golden.entity, golden.company, id)
        var context = Context(
            target: target, golden: golden, state: try store.target(target), binding: binding, policy: plan.policy(golden.entity), now: now)
        try readAgain(&context, in: store)
        return try next(&context, record: record, in: store)
    }

    /// Works a call's reply in.
    package func answered(
        _ call: DeliveryCall, _ reply: DeliveryReply, now: Instant, in store: any StoreTransaction
    ) throws(StoreError) -> DeliveryStep {
        guard let golden = try store.golden(call.target.id), let binding = plan.binding(application, golden.entity) else {
            return .rests(until: nil)
        }
        var context = Context(
            target: call.target, golden: golden, state: try store.target(call.target), binding: binding,
            policy: plan.policy(golden.entity), now: now)
        try readAgain(&context, in: store)
        switch (call.kind, reply) {
        case (.lookUp, .documents(let documents)): return try foundBy(call, documents, &context, in: store)
        case (.read, .document(let document)): return try read(call, document, &context, in: store)
        case (.apply, .answer(let answer)): return try applied(call, answer, &context, in: store)
        default:
            // Unreachable: it had no effect, and it spends no attempt. The application's breaker decides when to try again.
            if let write = call.write { context.state.withdraw(write) }
            context.state.wait = TargetState.Wait(.ready, detail: keptDetail(context), since: context.state.wait?.since ?? now)
            try save(context, in: store)
            return .rests(until: nil)
        }
    }

    // MARK: What to do next

    func next(_ context: inout Context, record: Version? = nil, in store: any StoreTransaction) throws(StoreError) -> DeliveryStep {
        // A wait behind the newest version belongs to something done again, which goes on until it has ended.
        if context.state.delivered >= context.golden.version && context.state.wait == nil { return .rests(until: nil) }
        switch context.state.wait?.reason {
        case .approval where isLeaving(context): break
        case .approval, .ambiguous, .dead:
            // A person decides. A newer golden version brings a dead one back by itself.
            if context.state.wait?.reason != .dead || context.state.delivered >= context.golden.version { return .rests(until: nil) }
        case .retry:
            // A newer version does not make an application that asked for patience more patient.
            if let until = context.state.wait?.until, context.now < until { return .rests(until: until) }
        default: break
        }
        guard try isMeant(&context, in: store) else { return try rest(&context, in: store) }

        let wanted: Fields
        let version = plan.planted == .replayOldVersion ? record ?? context.golden.version : context.golden.version
        do throws(ReferenceFailure) {
            wanted = try writable(context, in: store)
        } catch {
            switch error {
            case .store(let failure): throw failure
            case .waits(let entity, let id): return try wait(for: entity, id, &context, in: store)
            }
        }
        if context.state.key == nil { return try create(wanted, version, &context, in: store) }
        return try update(version, &context, in: store)
    }

    /// False where the document is not for this application (any more) and nothing is left to do.
    private func isMeant(_ context: inout Context, in store: any StoreTransaction) throws(StoreError) -> Bool {
        let sends = context.policy.sends(context.golden.fields, to: application)
        guard !sends || context.policy.creation[application] == .refuse else { return true }
        if context.state.key == nil {
            // What has been sent already has to be found out first.
            return !context.state.written.isEmpty
        }
        return sends || context.policy.leaving[application] != .freeze
    }

    /// Deleted here: because the golden record is, or because the document is not for this application any more.
    func isLeaving(_ context: Context) -> Bool {
        context.golden.isDeleted
            || context.policy.leaving[application] == .delete && !context.policy.sends(context.golden.fields, to: application)
    }

    /// The golden fields that the application takes; all hard references are linked here.
    private func writable(_ context: Context, in store: any StoreTransaction) throws(ReferenceFailure) -> Fields {
        let fields = context.golden.fields.filter { context.binding.mapping.writes($0.name) }
        if isLeaving(context) { return fields }
        for reference in context.binding.mapping.references(in: fields) where !reference.isSoft {
            let key: NativeKey?
            do throws(StoreError) {
                key = try nativeKey(of: reference.id, reference.entity, context, in: store)
            } catch {
                throw .store(error)
            }
            if key == nil { throw .waits(reference.entity, reference.id) }
        }
        return fields
    }

    enum ReferenceFailure: Error {
        case waits(EntityName, CanonicalID)
        case store(StoreError)
    }

    func nativeKey(
        of id: CanonicalID, _ entity: EntityName, _ context: Context, in store: any StoreTransaction
    ) throws(StoreError) -> NativeKey? {
        try store.target(plan.target(application, entity, context.golden.company, id)).key
    }

    private func create(
        _ wanted: Fields, _ version: Version, _ context: inout Context, in store: any StoreTransaction
    ) throws(StoreError) -> DeliveryStep {
        if let intent = context.state.intent, plan.planted != .noIntent {
            if let step = try settle(intent, &context, in: store) { return step }
            try hold(&context, in: store)
            let question = LookUp(native: context.binding.mapping.native, company: company(context), reference: context.golden.id)
            return .call(DeliveryCall(.lookUp(question), context.target, context.entity, version: version))
        }
        if isLeaving(context) { return try finish(.unchanged, version, &context, in: store) }
        if let step = try stop(&context, in: store) { return step }
        if context.policy.creation[application] == .approve, context.state.wait?.detail != Again.approved {
            context.state.wait = TargetState.Wait(
                .approval, detail: "creating \(context.entity) documents in \(application) needs a person's yes", since: context.now)
            try publishWaiting(context, in: store)
            try save(context, in: store)
            return .rests(until: nil)
        }
        if try refusedBefore(wanted, context) { return try finishRejectedAgain(version, &context, in: store) }
        return try apply(.create, wanted, version, &context, in: store)
    }

    private func update(_ version: Version, _ context: inout Context, in store: any StoreTransaction) throws(StoreError) -> DeliveryStep {
        guard let heard = context.state.heard else {
            context.state.wait = TargetState.Wait(.unheard, detail: "its creation has not been heard from the feed", since: context.now)
            try save(context, in: store)
            return .rests(until: nil)
        }
        let leaving = isLeaving(context)
        if heard.isDeleted {
            if leaving { return try finish(.written, version, &context, in: store) }
            let gone = Rejection(rule: "deleted", text: "the document was deleted in \(application)")
            return try finish(.rejected, version, rejection: gone, &context, in: store)
        }
        let doubts = context.state.written.filter { !$0.isAnswered }
        if let newest = doubts.max(by: { $0.sent < $1.sent }), let step = try settle(newest, &context, in: store) { return step }

        let values = leaving ? Fields() : changes(context)
        if values.isEmpty && !leaving && doubts.isEmpty { return try finish(.unchanged, version, &context, in: store) }
        // What became of an earlier write may be found out; nothing new is written.
        if doubts.isEmpty, let step = try stop(&context, in: store) { return step }
        if !leaving, doubts.isEmpty, try refusedBefore(values, context) { return try finishRejectedAgain(version, &context, in: store) }
        if (!context.binding.manifest.hasToken || !doubts.isEmpty) && plan.planted != .writeWholeDocument {
            guard let key = context.state.key else { return .rests(until: nil) }
            try hold(&context, in: store)
            let question = ReadRequest(native: context.binding.mapping.native, company: company(context), key: key)
            return .call(
                DeliveryCall(
                    .read(question), context.target, context.entity, version: version, heard: heard.position, doubts: doubts.map(\.id)))
        }
        return try apply(leaving ? .delete : .update, values, version, &context, in: store)
    }

    /// Waits where the application is not as the entity's mapping expects; nil where it is.
    func stop(_ context: inout Context, in store: any StoreTransaction) throws(StoreError) -> DeliveryStep? {
        guard let stop = plan.stops[application]?[context.entity], stop.holdsDeliveries else { return nil }
        let isNew = context.state.wait?.reason != .stopped
        let word = keptDetail(context)
        context.state.wait = TargetState.Wait(
            .stopped, detail: word.isEmpty ? stop.reason : word, since: isNew ? context.now : context.state.wait?.since ?? context.now)
        if isNew { try publishWaiting(context, in: store) }
        try save(context, in: store)
        return .rests(until: nil)
    }

    /// The fields to write: golden against what the application holds as far as is certain.
    func changes(_ context: Context) -> Fields {
        if plan.planted == .writeWholeDocument { return context.golden.fields.filter { context.binding.mapping.writes($0.name) } }
        return context.state.difference(to: context.golden, under: context.binding.mapping)
    }

    /// The last moment at which a write may still be sent: later, the look-up that decides its fate could come before its effect.
    package func mayBeSent(_ call: DeliveryCall, now: Instant) -> Bool {
        guard let write = call.decided, let manifest = plan.applications[application]?.manifest else { return true }
        return now <= write + manifest.answerTime
    }

    /// Waits until a call without an answer cannot take effect any more; nil where that time has come.
    /// It was sent at most an answer time after it was stored (``mayBeSent(_:now:)``), and settles within the settle time from then.
    private func settle(
        _ write: TargetState.Write, _ context: inout Context, in store: any StoreTransaction
    ) throws(StoreError) -> DeliveryStep? {
        let manifest = plan.applications[application]?.manifest
        let until = write.sent + (manifest?.settleTime ?? .zero) + (manifest?.answerTime ?? .zero)
        guard context.now < until, plan.planted != .noSettle else { return nil }
        context.state.wait = TargetState.Wait(
            .settle,
            detail: context.state.wait?.detail == Again.approved ? Again.approved : "a call without an answer may still take effect",
            until: until, since: context.now)
        try save(context, in: store)
        return .rests(until: until)
    }

    private func wait(
        for entity: EntityName, _ id: CanonicalID, _ context: inout Context, in store: any StoreTransaction
    ) throws(StoreError) -> DeliveryStep {
        let isNew = context.state.wait?.awaits != id
        context.state.wait = TargetState.Wait(
            .reference, detail: "\(entity) \(id) has no document in \(application) yet", awaits: id,
            since: isNew ? context.now : context.state.wait?.since ?? context.now)
        try alarm(about: entity, id, context, in: store)
        if isNew { try publishWaiting(context, in: store) }
        try save(context, in: store)
        return .rests(until: nil)
    }

    /// A wait that may never end by itself is told to people.
    private func alarm(
        about entity: EntityName, _ id: CanonicalID, _ context: Context, in store: any StoreTransaction
    ) throws(StoreError) {
        let awaited = try store.golden(id)
        let state = try store.target(plan.target(application, entity, context.golden.company, id))
        let reason: String
        if awaited == nil {
            reason = "which the hub does not know"
        } else if awaited?.isDeleted == true {
            reason = "which is deleted"
        } else if let rejected = state.rejected {
            reason = "which \(application) refused: \(rejected.rejection)"
        } else if state.wait?.reason == .dead {
            reason = "which is in the dead letters"
        } else if let awaited, !plan.policy(entity).sends(awaited.fields, to: application) || plan.binding(application, entity) == nil {
            reason = "which is not sent to \(application)"
        } else {
            return
        }
        try store.append(
            Alarm(
                code: "deleted-reference", application: application, document: context.golden.id,
                text: "waits for \(entity) \(id), \(reason)", time: context.now))
    }

    func company(_ context: Context) -> String? {
        context.golden.company == .shared ? nil : plan.applications[application]?.companies[context.golden.company]
    }

    func save(_ context: Context, in store: any StoreTransaction) throws(StoreError) {
        try store.put(context.state, context.target, context.entity)
    }

    /// Keeps the delivery in the store as under way, so that it goes on after a crash whatever comes of the call.
    func hold(_ context: inout Context, in store: any StoreTransaction) throws(StoreError) {
        context.state.wait = TargetState.Wait(.calling, detail: keptDetail(context), since: context.state.wait?.since ?? context.now)
        try save(context, in: store)
    }

    /// A person's word outlives the calls that it takes.
    private func keptDetail(_ context: Context) -> String {
        context.state.wait.flatMap { Again.all.contains($0.detail) ? $0.detail : nil } ?? ""
    }

    /// Nothing left to do: a wait that has been overtaken goes.
    private func rest(_ context: inout Context, in store: any StoreTransaction) throws(StoreError) -> DeliveryStep {
        if context.state.wait != nil, context.state.wait?.reason != .dead {
            context.state.wait = nil
            try save(context, in: store)
        }
        return .rests(until: nil)
    }
}
