package import FoundationEssentials
package import HubCodec
package import HubDriver
package import HubModel

/// All that mediation and delivery go by: compiled from the configuration, the drivers' manifests and the mappings.
package struct HubPlan: Sendable {
    /// The hub's name: prefix of its topics and groups.
    package var hub: String
    package var entities: [EntityName: EntityPolicy]
    package var applications: [ApplicationID: ApplicationPlan]
    /// Companies' time zones, for dates that applications keep as moments.
    package var timeZones: [CompanyID: TimeZone] = [:]
    /// Corrections of one field of one document within ``correctionWindow`` after which it is disputed and left alone.
    package var correctionLimit = 5
    package var correctionWindow: Duration = .seconds(3600)
    /// After this time a wait for a newer state looks again by itself.
    package var recheckTime: Duration = .seconds(60)
    /// Failures in a row, for a reason of the document's own, after which a delivery is a dead letter.
    package var attemptLimit = 8
    /// What is held back because an application is not as its mappings expect.
    package var stops: [ApplicationID: [EntityName: EntityStop]] = [:]
    /// Only simulations set it.
    package var planted: PlantedFault?

    package init(hub: String, entities: [EntityPolicy], applications: [ApplicationPlan]) {
        self.hub = hub
        self.entities = [:]
        self.applications = Dictionary(applications.map { ($0.id, $0) }) { _, last in last }
        for var policy in entities {
            for application in self.applications.values {
                for field in application.fieldNames(of: policy.name) { policy.tellers[field, default: []].append(application.id) }
            }
            self.entities[policy.name] = policy
        }
    }

    // MARK: Names on the bus

    package func canonicalTopic(_ entity: EntityName) -> String { "\(hub).\(entity)" }
    package var outcomesTopic: String { "\(hub).outcomes" }
    package var mediationGroup: String { "\(hub).mediation" }
    package func deliveryGroup(_ application: ApplicationID) -> String { "\(hub).delivery.\(application)" }

    // MARK: Look-ups

    /// A company's time zone; for what all companies share, theirs where they have one in common.
    package func timeZone(_ company: CompanyID) -> TimeZone? {
        timeZones[company] ?? (Set(timeZones.values).count == 1 ? timeZones.values.first : nil)
    }

    package func policy(_ entity: EntityName) -> EntityPolicy { entities[entity] ?? EntityPolicy(entity) }

    package func binding(_ application: ApplicationID, _ entity: EntityName) -> Binding? { applications[application]?.bindings[entity] }

    /// The company part of a target: the document's company where the application keeps such documents per company.
    package func target(_ application: ApplicationID, _ entity: EntityName, _ company: CompanyID, _ id: CanonicalID) -> Target {
        Target(application, binding(application, entity)?.manifest.isPerCompany == true ? company : .shared, id)
    }

    /// Applications that hold this entity, by name.
    package func holders(of entity: EntityName) -> [ApplicationID] {
        applications.values.filter { $0.bindings[entity] != nil }.map(\.id).sorted()
    }

    /// Entities in an order in which every hard reference comes before what refers to it.
    package func dependencyOrder() -> [EntityName] {
        var order: [EntityName] = []
        var visiting: Set<EntityName> = []
        func visit(_ entity: EntityName) {
            guard !order.contains(entity), visiting.insert(entity).inserted else { return }
            let bindings = applications.values.compactMap { $0.bindings[entity] }
            for dependency in Set(bindings.flatMap { $0.mapping.hardReferences }).sorted() { visit(dependency) }
            order.append(entity)
        }
        entities.keys.sorted().forEach(visit)
        return order
    }
}

/// One attached application, as the rules see it.
package struct ApplicationPlan: Sendable {
    package var id: ApplicationID
    package var manifest: Manifest
    /// Mappings by native type; one native type can be several entities, told apart by their selectors, first match first.
    package var mappings: [String: [Mapping]]
    package var bindings: [EntityName: Binding]
    /// Canonical company → the application's own name of it.
    package var companies: [CompanyID: String]

    package init(id: ApplicationID, manifest: Manifest, mappings: [Mapping], companies: [CompanyID: String] = [:]) {
        self.id = id
        self.manifest = manifest
        self.companies = companies
        self.mappings = [:]
        for mapping in mappings {
            for native in mapping.natives { self.mappings[native, default: []].append(mapping) }
        }
        self.bindings = [:]
        for mapping in mappings where bindings[mapping.entity] == nil {
            let entity = manifest.entity(native: mapping.native)
            bindings[mapping.entity] = Binding(mapping: mapping, manifest: entity ?? .unknown(mapping))
        }
    }

    /// Every canonical field of that entity that the application tells.
    func fieldNames(of entity: EntityName) -> Set<String> {
        Set(mappings.values.joined().filter { $0.entity == entity }.flatMap(\.fieldNames))
    }

    /// The canonical company that the application calls so.
    package func company(named native: String) -> CompanyID? {
        companies.first { $0.value.hasSameBytes(as: native) }?.key
    }
}

/// How one entity is held in one application.
package struct Binding: Sendable {
    package var mapping: Mapping
    package var manifest: EntityManifest

    package init(mapping: Mapping, manifest: EntityManifest) {
        self.mapping = mapping
        self.manifest = manifest
    }
}

extension EntityManifest {
    /// What is assumed of a native type that the manifest does not name: the least.
    fileprivate static func unknown(_ mapping: Mapping) -> EntityManifest {
        EntityManifest(
            native: mapping.native, entity: mapping.entity, operations: [], createIsRepeatable: false, hasToken: false,
            tellsReference: false, tellsDeletes: false)
    }
}
