import HubBus
import HubConfiguration
import HubDelivery
import HubModel
import HubRules
import HubStore
import Logging

extension RunningHub {
    static let patience: Duration = .seconds(20)

    var inboundTopics: [String] { configuration.inboundTopics }

    /// Creates topics that are missing and refuses those whose number of partitions has changed: keys would go elsewhere than before.
    func prepareTopics(_ standing: Standing) throws {
        let (plan, configuration) = (standing.plan, standing.configuration)
        // The hub's own, in dependency order, and what is read.
        var topics = plan.dependencyOrder().map { (name: plan.canonicalTopic($0), isCompacted: true) }
        topics += ([plan.outcomesTopic] + configuration.inboundTopics).map { (name: $0, isCompacted: false) }
        let admin = try BusAdmin(bus, embedded: options.embedded)
        defer { admin.close() }
        var counts: [String: Int] = [:]
        for topic in topics {
            let ensured = try admin.ensureTopic(
                topic.name, partitions: configuration.bus.partitions, compacted: topic.isCompacted, deadline: .now + Self.patience)
            switch ensured {
            case .created: counts[topic.name] = configuration.bus.partitions
            case .exists(let partitions), .brokerCreatesByItself(let partitions): counts[topic.name] = partitions
            }
        }
        let found = counts
        let accepts = options.acceptsPartitions
        let changed = try store.write { store in
            var changed: [String] = []
            for (topic, count) in found.sorted(by: { $0.key < $1.key }) {
                let name = "partitions/\(topic)"
                if let known = try store.note(name), known != "\(count)", !accepts {
                    changed.append("\(topic) had \(known) partitions and now has \(count)")
                } else {
                    try store.putNote("\(count)", name)
                }
            }
            return changed
        }
        guard changed.isEmpty else {
            throw RuntimeError(
                .refused,
                "\(changed.joined(separator: "; ")). One document's records would no longer stay in one partition, so their order would be lost. "
                    + "Let every consumer of the topic reach its end, then start once with --accept-partitions")
        }
    }

    /// A store that is older than what Kafka has of it must not go on as if nothing had happened.
    func checkPositions() throws {
        let admin = try BusAdmin(bus, embedded: options.embedded)
        defer { admin.close() }
        var behind: [String] = []
        for (group, topics) in groups {
            let partitions = try admin.partitions(of: topics, deadline: .now + Self.patience)
            let committed = try admin.committed(group: group, partitions, deadline: .now + Self.patience)
            let stored = try store.write { store in try partitions.map { ($0, try store.offset(group, $0)) } }
            for (partition, offset) in stored {
                guard let kafka = committed[partition], kafka > offset ?? 0 else { continue }
                behind.append("\(group) \(partition): Kafka has offset \(kafka), the store \(offset.map { "\($0)" } ?? "none")")
            }
        }
        if !behind.isEmpty {
            guard options.acceptsStore else {
                throw RuntimeError(
                    .refused,
                    "the store is empty, restored, or another one than Kafka knows: \(behind.prefix(3).joined(separator: "; "))"
                        + (behind.count > 3 ? " and \(behind.count - 3) more" : "")
                        + ". Starting would read again what has been worked in. If that is meant, start once with --accept-store: it raises the store's generation"
                )
            }
            let generation = try store.write { try $0.raiseGeneration() }
            logger.notice("the store was accepted as it is; its generation is \(generation) now")
        }
        try beginCatchUps(present, admin)
    }

    /// Positions in feeds that belong to another store would leave out all that this one has never heard.
    func checkFeeds() throws {
        let captured = configuration.applications.contains { application in
            driver(application.id).map { application.capturing($0) != nil } ?? false
        }
        guard options.captures, captured else { return }
        try FeedFolder(configuration).claim(for: try store.write { try $0.storeID() })
    }

    /// An application that is new here is caught up from the store; its groups begin at the topics' present ends.
    func beginCatchUps(_ standing: Standing, _ admin: BusAdmin) throws {
        let plan = standing.plan
        for application in standing.configuration.applications {
            let group = plan.deliveryGroup(application.id)
            guard try store.write({ try $0.catchUp(application.id) }) == nil else { continue }
            let topics = plan.deliveryTopics(application.id)
            let marks = try admin.watermarks(of: topics, deadline: .now + Self.patience)
            try store.write { store in
                for (partition, mark) in marks where try store.offset(group, partition) == nil {
                    try store.putOffset(mark.high, group, partition)
                }
                try CatchUpPager.begin(application.id, plan: plan, in: store)
            }
        }
    }

    /// Consumer groups of this hub and what they read.
    package var groups: [(group: String, topics: [String])] {
        [(plan.mediationGroup, inboundTopics)]
            + configuration.applications.map { (plan.deliveryGroup($0.id), plan.deliveryTopics($0.id)) }
    }

    func identitiesFromStore() throws -> [ApplicationID: String] {
        let notes = try store.write { try $0.notes("identity/") }
        return Dictionary(notes.map { (ApplicationID(String($0.name.dropFirst("identity/".count))), $0.text) }) { _, last in last }
    }

    /// The outbox's transactional id, by which the broker fences an older publisher; nil on a broker without fencing.
    func transactionalID() throws -> String? {
        let admin = try BusAdmin(bus, embedded: options.embedded)
        defer { admin.close() }
        let report = try admin.checkCluster(deadline: .now + Self.patience)
        // There transactions would only cost time.
        if options.embedded != nil || report.isTestBroker { return nil }
        return "\(plan.hub).outbox"
    }

    // MARK: What consumers tell

    /// Records are gone, or the topic was made anew: it is told with the numbers, and reading goes on with what is there.
    func repositioned(_ range: BusConsumer.OutOfRange, group: String, then: @escaping @Sendable (Int64) -> Void) {
        let target = range.low ?? 0
        let position = range.position.map { "\($0)" } ?? "none"
        if range.isBeyondEnd {
            logger.error(
                "\(group) \(range.partition): position \(position) lies beyond the end \(range.high ?? -1): the topic was cut or made anew; reading goes on at \(target)"
            )
        } else {
            logger.error(
                "\(group) \(range.partition): \(range.gone) records are gone before they were read (position \(position), oldest \(target)); reading goes on at \(target)"
            )
        }
        let now = clock.now()
        store.submit { store in
            // A person's record of what is gone; the number of records stands in the text.
            try store.append(
                Alarm(
                    code: range.isBeyondEnd ? "topic-cut" : "records-gone", application: nil, document: nil,
                    text:
                        "\(group) \(range.partition): position \(position), broker holds \(target) to \(range.high ?? -1), \(range.gone) records gone",
                    time: now))
            try store.putOffset(target, group, range.partition)
        } completion: { [self] result in
            switch result {
            case .success where configuration.bus.stopsWhenRecordsAreGone:
                fail(
                    RuntimeError(.refused, "\(range.gone) records of \(range.partition) are gone, and the configuration says to stop"),
                    "\(group) stands at \(target) now; look at the alarms, compare the applications, and start again")
            case .success: then(target)
            case .failure(let error): fail(error, "the new position cannot be stored")
            }
        }
    }

    func report(_ event: BusConsumer.Event, group: String) {
        switch event {
        case .topicUnavailable(let topic, let error):
            logger.error("\(group): topic \(topic) cannot be read: \(error)")
            alarm("topic-unavailable", "\(group): topic \(topic) cannot be read; it is read again when it is back, the others go on")
        case .partitionCountChanged(let topic, let from, let to):
            logger.error(
                "\(group): \(topic) had \(from) partitions and has \(to) now; keys go elsewhere, and the next start will refuse it without --accept-partitions"
            )
            alarm("partitions-changed", "\(topic): \(from) partitions before, \(to) now")
        case .commitFailed(_, let error): logger.debug("\(group): offsets for lag tools were not committed: \(error)")
        case .trouble(let error): logger.info("\(group): \(error)")
        case .fatal(let error): fail(error, "\(group) cannot go on")
        case .endReached, .outOfRange: break
        }
    }

    func alarm(_ code: String, _ text: String, _ application: ApplicationID? = nil) {
        let now = clock.now()
        store.submit { store in
            try store.append(Alarm(code: code, application: application, document: nil, text: text, time: now))
        } completion: { [logger] result in
            if case .failure(let error) = result { logger.error("the alarm \(code) cannot be stored: \(error)") }
        }
    }
}

extension HubPlan {
    /// The canonical topics that delivery to an application reads.
    func deliveryTopics(_ application: ApplicationID) -> [String] {
        entities.keys.filter { binding(application, $0) != nil }.map { canonicalTopic($0) }.sorted()
    }
}

extension Configuration {
    /// What mediation reads.
    var inboundTopics: [String] { Set(applications.flatMap(\.inboundTopics)).sorted() }
}
