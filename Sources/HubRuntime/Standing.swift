import HubCodec
import HubConfiguration
import HubDriver
import HubMediation
import HubModel
import HubRules

/// What a running hub goes by: all that a reload replaces.
struct Standing: Sendable {
    private(set) var configuration: Configuration
    /// With what is held back.
    private(set) var plan: HubPlan
    private(set) var pipeline: InboundPipeline
    let drivers: [ApplicationID: any Driver]
    private let schemas: [ApplicationID: [String: SchemaValidator]]

    /// - Parameter drivers: take the place of the configured ones.
    init(_ configuration: Configuration, schemas: [ApplicationID: [String: SchemaValidator]], drivers: [ApplicationID: any Driver]) {
        self.configuration = configuration
        self.schemas = schemas
        plan = configuration.plan()
        self.drivers = Dictionary(uniqueKeysWithValues: configuration.applications.map { ($0.id, drivers[$0.id] ?? $0.driver) })
        pipeline = Self.pipeline(configuration, plan, schemas)
    }

    private static func pipeline(
        _ configuration: Configuration, _ plan: HubPlan, _ schemas: [ApplicationID: [String: SchemaValidator]]
    ) -> InboundPipeline {
        let decoder = configuration.envelopeDecoder()
        var sources: [String: InboundPipeline.Source] = [:]
        for application in configuration.applications {
            for topic in application.inboundTopics { sources[topic] = .init(application: application.id, decoder: decoder) }
        }
        return InboundPipeline(plan: plan, sources: sources, schemas: schemas)
    }

    /// Holds back, or lets go.
    mutating func setStops(_ stops: [ApplicationID: [EntityName: EntityStop]]) {
        guard stops != plan.stops else { return }
        plan.stops = stops
        pipeline = Self.pipeline(configuration, plan, schemas)
    }
}
