package import HubModel
package import HubRules
package import HubStore

/// Catches a new application up from the store: golden records in dependency order, deleted ones too, made ready page by page.
///
/// The end offsets of the canonical topics are noted first, so that nothing falls between store and topic.
package enum CatchUpPager {
    /// Notes that an application is to be caught up; does nothing where it has been or is.
    package static func begin(_ application: ApplicationID, plan: HubPlan, in store: any StoreTransaction) throws(StoreError) {
        guard try store.catchUp(application) == nil else { return }
        let held = plan.dependencyOrder().filter { plan.binding(application, $0) != nil }
        try store.putCatchUp(CatchUp(entities: held), application)
    }

    /// Makes the next page ready.
    /// - Returns: false when all is paged.
    package static func page(
        _ application: ApplicationID, plan: HubPlan, limit: Int, now: Instant, in store: any StoreTransaction
    ) throws(StoreError) -> Bool {
        guard var progress = try store.catchUp(application), let entity = progress.entities.first else { return false }
        let records = try store.goldenRecords(entity, after: progress.after, limit: limit)
        for golden in records {
            let target = plan.target(application, entity, golden.company, golden.id)
            var state = try store.target(target)
            if let wait = state.wait, wait.reason == .stopped {
                let isWord = TargetDelivery.Again.all.contains(wait.detail)
                state.wait = TargetState.Wait(.ready, detail: isWord ? wait.detail : "", since: wait.since)
                try store.put(state, target, entity)
                continue
            }
            guard state.delivered < golden.version, state.wait == nil else { continue }
            guard plan.policy(entity).sends(golden.fields, to: application) else { continue }
            state.wait = TargetState.Wait(.ready, since: now)
            try store.put(state, target, entity)
        }
        if let last = records.last, records.count == limit {
            progress.after = last.id
        } else {
            progress.entities.removeFirst()
            progress.after = nil
        }
        try store.putCatchUp(progress, application)
        return !progress.entities.isEmpty
    }
}
