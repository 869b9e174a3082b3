import HubBus
import HubConfiguration
import HubModel
import HubRules
import HubStore
import Logging

/// What is to be delivered to one application, and why nothing goes there just now.
struct DeliveryBacklog: Sendable {
    enum State: String, Sendable {
        /// Nothing stands in the way, as far as the store knows.
        case ready
        /// By a person.
        case paused
        case unreachable
    }

    let application: ApplicationID
    private(set) var state = State.ready
    /// Since when it is paused or cannot be reached; where it is neither, since when the oldest document waits. nil: nothing does.
    private(set) var since: Instant?
    /// What the driver said; nil where that is not the reason.
    private(set) var why: String?
    /// Documents that the store holds to be delivered at once.
    private(set) var documents = 0
    /// Records of its topics that the hub has not taken up; nil where the bus was not asked, or does not answer.
    var records: Int64?

    init(_ application: ApplicationID, in transaction: any StoreTransaction) throws(StoreError) {
        self.application = application
        for count in try transaction.waitCounts(application) where [.ready, .calling].contains(count.reason) {
            documents += count.count
            since = min(since ?? count.since, count.since)
        }
        if let absence = try ApplicationAbsence.read(application, in: transaction) {
            (state, since, why) = (.unreachable, absence.since, absence.reason)
        }
        if let paused = try transaction.note(OperatorRequest.pauseNote(application)) {
            (state, since) = (.paused, Int64(paused).map { Instant(milliseconds: $0) } ?? since)
        }
    }

    /// Nothing waits, and nothing stands in the way.
    var isIdle: Bool { state == .ready && documents == 0 }

    /// For people: why, and how much waits.
    var detail: String {
        var parts = [why, "\(documents) document\(documents == 1 ? " is" : "s are") ready"].compactMap { $0 }
        if state != .ready {
            parts.append(
                records.map { "\($0) record\($0 == 1 ? "" : "s") of its topics not taken up yet" }
                    ?? "what its topics hold besides cannot be told without the bus")
        }
        return parts.joined(separator: "; ")
    }

    static let columns = ["application", "state", "since", "documents", "records", "why"]

    var cells: [Value] {
        [
            .string(application.rawValue), .string(state.rawValue), since.map(Output.time) ?? .null, .number(Number(Int64(documents))),
            records.map { .number(Number($0)) } ?? .null, why.map { .string($0) } ?? .null,
        ]
    }

    // MARK: What the bus knows

    private static let patience = Duration.seconds(5)

    /// Asks the bus how many records each of them has not taken up; as they are where it does not answer.
    static func askingBus(_ backlogs: [DeliveryBacklog], _ configuration: Configuration) async -> [DeliveryBacklog] {
        let stopped = Set(backlogs.filter { $0.state != .ready }.map(\.application))
        guard !stopped.isEmpty, var bus = try? configuration.busConfiguration(), let all = try? LagCommand.groups(configuration, only: nil)
        else { return backlogs }
        // That it does not answer is said in the list.
        bus.logger = Logger(label: "multipoint.waiting") { _ in SwiftLogNoOpLogHandler() }
        let (asked, plan) = (bus, configuration.plan())
        let groups = stopped.compactMap { application in
            all.first { $0.0 == plan.deliveryGroup(application) }.map { (application, $0.0, $0.1) }
        }
        let found = try? await Blocking.run { () throws(BusError) -> [ApplicationID: Int64] in
            let admin = try BusAdmin(asked)
            defer { admin.close() }
            var found: [ApplicationID: Int64] = [:]
            for (application, group, topics) in groups {
                found[application] = try admin.lag(group: group, topics: topics, deadline: .now + patience).reduce(0) { $0 + $1.lag }
            }
            return found
        }
        return backlogs.map { backlog in
            var backlog = backlog
            backlog.records = found?[backlog.application]
            return backlog
        }
    }
}
