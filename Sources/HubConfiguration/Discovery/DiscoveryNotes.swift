import HubCodec
package import HubDriver
package import HubModel
package import HubRules
package import HubStore

/// What the store keeps of discoveries: how each application was found last, and what is held back since.
package enum DiscoveryNotes {
    static let recordPrefix = "discovered/"
    static let stopPrefix = "stopped/"

    /// What came of a look.
    package struct Result: Sendable {
        package var comparison: DiscoveryComparison
        /// What is held back now.
        package var stops: [EntityName: EntityStop]
        /// Entities whose deliveries go on.
        package var lifted: [EntityName]
    }

    /// How the application was found last; nil where it has never been looked at.
    package static func record(_ application: ApplicationID, in store: any StoreTransaction) throws(StoreError) -> DiscoveryRecord? {
        try store.note(recordPrefix + application.rawValue).flatMap { DiscoveryRecord($0) }
    }

    /// Compares without changing anything.
    package static func compare(
        _ discovery: Discovery, _ application: ApplicationPlan, plan: HubPlan, now: Instant, in store: any StoreTransaction
    ) throws(StoreError) -> DiscoveryComparison {
        DiscoveryComparison(
            of: discovery, application, plan: plan, last: try record(application.id, in: store),
            known: try store.note(OperatorRequest.identityNote(application.id)), now: now)
    }

    /// Compares, remembers, raises alarms, and has deliveries that waited for what has been mended made ready again.
    package static func workIn(
        _ discovery: Discovery, _ application: ApplicationPlan, plan: HubPlan, now: Instant, in store: any StoreTransaction
    ) throws(StoreError) -> Result {
        let comparison = try compare(discovery, application, plan: plan, now: now, in: store)
        let before = try stops(application.id, in: store)
        // Nobody knows what a stranger would need; it is written nothing at all.
        let isStranger = comparison.findings.contains { $0.code == .anotherInstance }
        let stops = isStranger ? before : comparison.stops
        try store.putNote(comparison.record.text, recordPrefix + application.id.rawValue)
        try put(stops, application.id, in: store)
        // What a stranger lacks says nothing of the application whose alarms stand there.
        let findings = comparison.findings.filter { $0.code != .anotherInstance }
        if !isStranger { try clearAlarms(of: application.id, except: findings, in: store) }
        for finding in findings {
            try store.append(
                Alarm(code: finding.code.rawValue, application: application.id, document: nil, text: finding.description, time: now))
        }
        let lifted = before.filter { $0.value.holdsDeliveries && stops[$0.key]?.holdsDeliveries != true }.map(\.key).sorted()
        try resume(lifted, application.id, in: store)
        return Result(comparison: comparison, stops: stops, lifted: lifted)
    }

    /// Nothing is held back of that application any more: it, or its driver, is not there to look at.
    package static func forget(_ application: ApplicationID, in store: any StoreTransaction) throws(StoreError) {
        let before = try stops(application, in: store)
        try put([:], application, in: store)
        try store.putNote(nil, recordPrefix + application.rawValue)
        try clearAlarms(of: application, except: [], in: store)
        try resume(before.filter(\.value.holdsDeliveries).map(\.key).sorted(), application, in: store)
    }

    /// Alarms of earlier looks at it go, where this look did not find the same.
    private static func clearAlarms(
        of application: ApplicationID, except findings: [DiscoveryFinding], in store: any StoreTransaction
    ) throws(StoreError) {
        for code in DiscoveryFinding.Code.allCases where code != .anotherInstance {
            let texts = findings.filter { $0.code == code }.map(\.description)
            try store.clearAlarms(code.rawValue, of: application, except: texts)
        }
    }

    /// The application's documents of these entities are gone through once more, as when it was new.
    private static func resume(_ entities: [EntityName], _ application: ApplicationID, in store: any StoreTransaction) throws(StoreError) {
        guard !entities.isEmpty, var progress = try store.catchUp(application) else { return }
        if let first = progress.entities.first, entities.contains(first) { progress.after = nil }
        progress.entities += entities.filter { !progress.entities.contains($0) }
        try store.putCatchUp(progress, application)
    }

    // MARK: Stops

    /// What is held back of an application.
    package static func stops(_ application: ApplicationID, in store: any StoreTransaction) throws(StoreError) -> [EntityName: EntityStop] {
        try store.note(stopPrefix + application.rawValue).map(read) ?? [:]
    }

    /// What is held back, by application.
    package static func stops(in store: any StoreTransaction) throws(StoreError) -> [ApplicationID: [EntityName: EntityStop]] {
        let notes = try store.notes(stopPrefix)
        return Dictionary(notes.map { (ApplicationID(String($0.name.dropFirst(stopPrefix.count))), read($0.text)) }) { _, last in last }
    }

    private static func put(
        _ stops: [EntityName: EntityStop], _ application: ApplicationID, in store: any StoreTransaction
    ) throws(StoreError) {
        let value = Value.object(
            Fields(
                stops.map { entity, stop in
                    let fields = stop.fields.map { field in
                        Value.object([
                            "native": .string(field.native), "path": .array(field.path.map { .string($0) }),
                            "reason": .string(field.reason),
                        ])
                    }
                    return (
                        entity.rawValue,
                        ["reason": .string(stop.reason), "holds": .bool(stop.holdsDeliveries), "fields": .array(fields)] as Value
                    )
                }))
        try store.putNote(stops.isEmpty ? nil : String(decoding: value.json, as: UTF8.self), stopPrefix + application.rawValue)
    }

    private static func read(_ text: String) -> [EntityName: EntityStop] {
        guard let entities = try? JSONDocument.parse(Array(text.utf8)).value.object else { return [:] }
        var stops: [EntityName: EntityStop] = [:]
        for (entity, value) in entities {
            let fields = value["fields"]?.array?.compactMap { field -> EntityStop.Field? in
                guard let native = field["native"]?.text, let path = field["path"]?.array?.compactMap(\.text) else { return nil }
                return EntityStop.Field(native: native, path: path, reason: field["reason"]?.text ?? "")
            }
            stops[EntityName(entity)] = EntityStop(
                reason: value["reason"]?.text ?? "", holdsDeliveries: value["holds"]?.bool ?? false, fields: fields ?? [])
        }
        return stops
    }
}
