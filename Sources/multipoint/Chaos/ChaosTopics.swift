import HubBus
import HubCodec
import HubConfiguration
import HubModel
import HubRules
import HubScenario
import HubStore

/// What the topics say at the end, against the store: last records, outcomes, lag, and whether the broker dropped anything.
struct ChaosTopics {
    var records = 0
    var repeated = 0
    var problems: [String] = []

    /// Blocks.
    static func check(_ configuration: Configuration, _ store: StoreView, _ bus: BusConfiguration) throws -> ChaosTopics {
        var result = ChaosTopics()
        let plan = configuration.plan()
        let canonical = plan.entities.keys.map { plan.canonicalTopic($0) }.sorted()
        let admin = try BusAdmin(bus)
        defer { admin.close() }
        let marks = try admin.watermarks(
            of: canonical + [plan.outcomesTopic] + configuration.applications.flatMap(\.inboundTopics), deadline: .now + .seconds(20))
        result.findDropped(marks)
        try result.findLag(configuration, plan, store, admin, marks)
        let own = marks.filter { $0.key.topic.hasPrefix(plan.hub + ".") && $0.value.high > $0.value.low }
        try result.compare(try read(own, bus), plan, store)
        return result
    }

    private mutating func findDropped(_ marks: [TopicPartition: BusAdmin.Watermarks]) {
        for (partition, mark) in marks.sorted(by: { $0.key < $1.key }) where mark.low > 0 {
            problems.append("the bus dropped \(mark.low) records of \(partition), which are no proof any more: lower --rate or --kills")
        }
    }

    private mutating func findLag(
        _ configuration: Configuration, _ plan: HubPlan, _ store: StoreView, _ admin: BusAdmin,
        _ marks: [TopicPartition: BusAdmin.Watermarks]
    ) throws {
        var groups = [(plan.mediationGroup, configuration.applications.flatMap(\.inboundTopics))]
        for application in configuration.applications {
            groups.append((plan.deliveryGroup(application.id), application.mappings.map { plan.canonicalTopic($0.entity) }))
        }
        for (group, topics) in groups {
            let behind = try store.read { store in
                try marks.filter { topics.contains($0.key.topic) }.compactMap { partition, mark -> String? in
                    let offset = try store.offset(group, partition) ?? 0
                    return offset < mark.high ? "\(group) \(partition): the store is at \(offset) of \(mark.high)" : nil
                }.sorted()
            }
            problems += behind
            let lag = try admin.lag(group: group, topics: topics, deadline: .now + .seconds(20)).filter { $0.lag > 0 }
            if !lag.isEmpty {
                problems.append("\(group): lag \(lag.reduce(0) { $0 + $1.lag }) after the end, the first in \(lag[0].partition)")
            }
        }
    }

    /// All records of these partitions.
    private static func read(_ marks: [TopicPartition: BusAdmin.Watermarks], _ bus: BusConfiguration) throws -> [Record] {
        guard !marks.isEmpty else { return [] }
        let consumer = try BusConsumer(
            bus, group: "chaos.check", topics: Set(marks.keys.map(\.topic)).sorted(),
            assigned: { partitions, _ in Dictionary(uniqueKeysWithValues: partitions.map { ($0, .beginning) }) }, revoked: { _, _ in [:] })
        defer { consumer.close() }
        var records: [Record] = []
        var left = marks.mapValues(\.high)
        let deadline = ContinuousClock.now + .seconds(60)
        while !left.isEmpty {
            let batch = consumer.take(max: 2000, wait: 200)
            records += batch.records
            for record in batch.records {
                let partition = TopicPartition(record.topic, record.partition)
                if let end = left[partition], record.offset + 1 >= end { left[partition] = nil }
            }
            for case .endReached(let partition, let offset, _) in batch.events where offset >= left[partition] ?? 0 {
                left[partition] = nil
            }
            if batch.isClosed || .now > deadline { throw BusError(.timedOut, "the hub's topics could not be read to their ends") }
        }
        return records
    }

    /// Per key the last record of a canonical topic is the golden record; every version is told to have ended once per application.
    private mutating func compare(_ records: [Record], _ plan: HubPlan, _ store: StoreView) throws {
        self.records = records.count
        var newest: [CanonicalID: Version] = [:]
        var ended: [ApplicationID: Int] = [:]
        var seen: Set<String> = []
        for record in records {
            let id = record.header("ce_id") ?? ""
            let isNew = seen.insert("\(record.topic) \(id)").inserted
            if !isNew { repeated += 1 }
            guard let value = record.value, let fields = try JSONDocument.parse(value).value.objectFields,
                let version = fields["version"]?.text.flatMap({ Version($0) }), let document = fields["id"]?.text
            else {
                problems.append("\(record.topic) \(record.partition)/\(record.offset): not a record of the hub's form")
                continue
            }
            if record.topic == plan.outcomesTopic {
                guard isNew, let application = fields["application"]?.text, fields["outcome"]?.text != OutcomeKind.waiting.rawValue
                else { continue }
                let first = fields["firstVersion"].flatMap { Int(String(decoding: $0.json, as: UTF8.self)) } ?? version.number
                ended[ApplicationID(application), default: 0] += version.number - first + 1
            } else {
                newest[CanonicalID(document)] = version
            }
        }
        let (last, told) = (newest, ended)
        problems += try store.read { store in
            var problems: [String] = []
            for entity in plan.dependencyOrder() {
                for golden in try store.goldenRecords(entity, after: nil, limit: .max) where last[golden.id] != golden.version {
                    problems.append(
                        "\(plan.canonicalTopic(entity)): the last record of \(golden.id) is \(last[golden.id].map(\.description) ?? "missing"), "
                            + "the golden record \(golden.version)")
                }
            }
            let counts = try store.outcomeCounts()
            for application in plan.applications.keys.sorted() {
                let count = counts.filter { $0.application == application && $0.kind != .waiting }.reduce(0) { $0 + $1.count }
                if count != told[application] ?? 0 {
                    problems.append(
                        "\(plan.outcomesTopic): \(told[application] ?? 0) ends of \(application) were told, the store counts \(count)")
                }
            }
            return problems
        }
    }
}

extension Value {
    /// An object's members; nil for anything else.
    fileprivate var objectFields: Fields? { if case .object(let fields) = self { fields } else { nil } }
}
