import HubDriver
import HubModel
package import HubRules

extension Configuration {
    /// What mediation and delivery go by.
    package func plan() -> HubPlan {
        var plan = HubPlan(
            hub: hub, entities: entities,
            applications: applications.map { application in
                ApplicationPlan(
                    id: application.id, manifest: application.manifest, mappings: application.mappings,
                    companies: application.settings.companies)
            })
        plan.timeZones = timeZones
        if let limit = delivery.correctionLimit { plan.correctionLimit = limit }
        if let window = delivery.correctionWindow { plan.correctionWindow = window }
        if let limit = delivery.attemptLimit { plan.attemptLimit = limit }
        if let time = delivery.recheck { plan.recheckTime = time }
        plan.timeZones = timeZones
        return plan
    }
}
