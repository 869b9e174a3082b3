package import HubBus
import HubCodec
package import HubConfiguration
package import HubModel
import HubRules

/// What stands in the hub's own topics, read from their beginnings as any consumer could.
package struct BusReading: Sendable {
    /// The newest version of each document that a canonical topic holds; topics that were compacted or cut still hold it.
    package private(set) var versions: [CanonicalID: String] = [:]
    /// Keys whose last record is not their newest.
    package private(set) var disordered: [CanonicalID] = []
    /// Records of canonical topics.
    package private(set) var canonical = 0
    /// Records with an addressee: somebody was asked to take a value back.
    package private(set) var corrections: [ApplicationID: Int] = [:]
    /// Records of the outcomes topic, by application and kind.
    package private(set) var outcomes: [ApplicationID: [String: Int]] = [:]
    /// Refusals by application and rule.
    package private(set) var refusals: [ApplicationID: [String: Int]] = [:]

    /// Reads up to the present ends. Blocks.
    package static func read(_ configuration: Configuration, bus: BusConfiguration, group: String) throws -> BusReading {
        let plan = configuration.plan()
        let topics = configuration.entities.map { plan.canonicalTopic($0.name) } + [plan.outcomesTopic]
        let consumer = try BusConsumer(
            bus, group: group, topics: topics,
            assigned: { partitions, _ in Dictionary(uniqueKeysWithValues: partitions.map { ($0, .beginning) }) }, revoked: { _, _ in [:] })
        defer { consumer.close() }
        let admin = try BusAdmin(bus)
        var open = Set(try admin.partitions(of: topics, deadline: .now + .seconds(20)))
        admin.close()
        var reading = BusReading()
        let deadline = ContinuousClock.now + .seconds(60)
        while !open.isEmpty {
            guard ContinuousClock.now < deadline else { throw BusError(.timedOut, "\(open.count) partitions were not read to their ends") }
            let batch = consumer.take(max: 2000, wait: 100)
            for record in batch.records { reading.take(record, isOutcome: record.topic == plan.outcomesTopic) }
            for case .endReached(let partition, _, _) in batch.events { open.remove(partition) }
        }
        return reading
    }

    private mutating func take(_ record: Record, isOutcome: Bool) {
        guard let value = record.value, let document = try? JSONDocument.parse(value).root.value else { return }
        if isOutcome {
            let application = ApplicationID(document["application"]?.text ?? "")
            outcomes[application, default: [:]][document["outcome"]?.text ?? "", default: 0] += 1
            if let rule = document["rejection"]?["rule"]?.text { refusals[application, default: [:]][rule, default: 0] += 1 }
            return
        }
        canonical += 1
        if let addressee = document["addressee"]?.text { corrections[ApplicationID(addressee), default: 0] += 1 }
        guard let key = record.key, let version = document["version"]?.text else { return }
        let id = CanonicalID(String(decoding: key, as: UTF8.self))
        if let known = versions[id].flatMap({ Version($0) }), let new = Version(version), new < known { disordered.append(id) }
        versions[id] = version
    }
}
