import HubCodec
import HubDriver
import HubMediation
import HubModel
import HubRules

/// The simulated hub's configuration: mappings, manifests and policies of its three applications.
enum SimulationPlan {
    private static func customer(phone: String, email: String) -> String {
        """
        entity: customer
        native: customer
        fields:
          phone: { path: phone\(phone) }
          email: { path: email\(email) }
          credit: credit
          segment: segment
        """
    }

    private static let order = """
        entity: order
        native: order
        fields:
          customer: { path: customer, ref: customer }
          qty: qty
        """

    static func plans(_ options: SimulationOptions) throws -> [[ApplicationID]: HubPlan] {
        let applications = try [
            application("crm", phone: ", normalise: [trim]", email: "", hasToken: false, tellsReference: false, options),
            application("erp", phone: "", email: ", normalise: [upper]", hasToken: true, tellsReference: true, options),
            application("web", phone: "", email: ", normalise: [upper]", hasToken: false, tellsReference: false, options),
        ]
        var customers = EntityPolicy("customer")
        customers.fieldOwners = ["credit": "erp", "segment": "crm"]
        customers.ranks = ["crm": 2, "erp": 1, "web": 0]
        var orders = EntityPolicy("order")
        orders.ranks = customers.ranks
        var result: [[ApplicationID]: HubPlan] = [:]
        for routed in [["crm", "erp"], ["crm", "erp", "web"]] as [[ApplicationID]] {
            var plan = HubPlan(
                hub: "sim", entities: [customers, orders], applications: applications.filter { routed.contains($0.id) })
            plan.planted = options.planted
            // The simulated feed tells everything: a wait that only a second look would end is a fault to be found.
            plan.recheckTime = .seconds(1_000_000)
            plan.correctionLimit = 1_000
            result[routed] = plan
        }
        return result
    }

    static let sources: [String: InboundPipeline.Source] = Dictionary(
        uniqueKeysWithValues: (["crm", "erp", "web"] as [ApplicationID]).map { id in
            ("\(id).all", InboundPipeline.Source(application: id, decoder: EnvelopeDecoder(otherwise: EnvelopeDeclaration(.cloudEvents))))
        })

    private static func application(
        _ id: ApplicationID, phone: String, email: String, hasToken: Bool, tellsReference: Bool, _ options: SimulationOptions
    ) throws -> ApplicationPlan {
        let entities = (["customer", "order"] as [EntityName]).map { entity in
            EntityManifest(
                native: entity.rawValue, entity: entity, createIsRepeatable: !hasToken, hasToken: hasToken,
                hasStamp: !hasToken && options.hasStamp, tellsReference: tellsReference)
        }
        let manifest = Manifest(
            driver: "simulated", version: "1", summary: "", entities: entities, settleTime: .milliseconds(World.settleTime),
            answerTime: .milliseconds(World.answerTime), window: "")
        let mappings = try [customer(phone: phone, email: email), order].map {
            try Mapping.compile(MappingSource(name: "\(id).yaml", text: $0), application: id)
        }
        return ApplicationPlan(id: id, manifest: manifest, mappings: mappings)
    }
}
