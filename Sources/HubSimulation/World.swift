import HubCodec
import HubDelivery
import HubDriver
import HubMediation
import HubModel
import HubRules
import HubStore

/// A field of a person's edit, whose fate the checker follows.
struct Edit: Hashable {
    var application: ApplicationID
    var position: Int64
    var field: String
}

/// Applications, broker, store and the hub's volatile parts, moved by a seeded scheduler that picks the next step among all that are possible.
///
/// What decides is the product's own code: `Mediator`, `TargetDelivery`, `Intake`, `CatchUpPager`, `OutboxPublisher`, over a real store.
package final class World {
    /// Simulated time 0, in milliseconds since 1970.
    static let epoch: Int64 = 1_700_000_000_000
    static let answerTime: Int64 = 30
    static let settleTime: Int64 = 50

    let options: SimulationOptions
    var random: SeededRandom
    var now: Int64 = 0
    let applications: [SimulatedApplication]
    let store = MemoryStore(storeID: "simulation")
    let plans: [[ApplicationID]: HubPlan]
    var routed: [ApplicationID] = ["crm", "erp"] { didSet { plan = plans[routed] ?? plan } }
    /// The plan of the applications routed now.
    private(set) var plan: HubPlan

    /// The canonical topics as one, in order; nil where compacted away.
    var topic: [(record: Record, version: Version)?] = []
    var outcomes: [OutcomeEnd: Int] = [:]
    var seenOutcomes: Set<Int64> = []
    var brokerEpoch: Int64 = 0

    // Volatile: gone with a crash.
    var lanes: [Lane] = []
    var mediations: [(application: ApplicationID, epoch: Int64, offset: Int64)] = []
    /// One per lease: an old one goes on until the broker or the store refuses it.
    var publishers: [(machine: OutboxPublisher, rows: [OutboxRow], next: Int)] = []
    /// The newest epoch of each mediation partition.
    var epochs: [ApplicationID: Int64] = [:]

    var calls: [SimulatedCall] = []
    var callCount = 0
    var writes = 0

    // The checker's knowledge.
    var edits: [Edit: String?] = [:]
    var pending: [Pending: Int] = [:]
    /// Writes that covered something unheard in an application that cannot refuse them.
    var unguarded: Set<Int> = []
    /// Echoes of such writes that were taken for a person's change: what their manifest's window costs.
    package private(set) var windows = 0
    var told: [(event: SimulatedEvent, change: InboundChange)] = []
    var violation: Violation?
    package private(set) var trace: [String] = []

    struct Lane {
        var id: CanonicalID
        var application: ApplicationID
        /// Decided, not yet sent; nil once it is in the air.
        var decided: DeliveryCall?
        /// *Heard* when it was decided: for the checker.
        var heard: Fields
        var sent: SimulatedCall?
    }

    struct Pending: Hashable {
        var target: Target
        var write: Int64
    }

    struct OutcomeEnd: Hashable {
        var target: String
        var number: Int
    }

    package convenience init(seed: UInt64, options: SimulationOptions) throws {
        try self.init(seed: seed, options: options, plans: SimulationPlan.plans(options))
    }

    init(seed: UInt64, options: SimulationOptions, plans: [[ApplicationID]: HubPlan]) throws {
        self.options = options
        random = SeededRandom(seed: seed)
        let upper: (String) -> String = { $0.uppercased() }
        let trim: (String) -> String = { String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
        applications = [
            SimulatedApplication("crm", hasToken: false, tellsReference: false, createIsRepeatable: true, normalise: ["phone": trim]),
            SimulatedApplication("erp", hasToken: true, tellsReference: true, createIsRepeatable: false, normalise: ["email": upper]),
            SimulatedApplication("web", hasToken: false, tellsReference: false, createIsRepeatable: true, normalise: ["email": upper]),
        ]
        self.plans = plans
        plan = plans[routed] ?? HubPlan(hub: "sim", entities: [], applications: [])
        // The hub's start: every assignment gets its epoch.
        try transaction { store in
            for application in self.applications {
                _ = try store.raiseEpoch(self.plan.mediationGroup, self.partition(application.id))
            }
            _ = try store.raiseEpoch("outbox", TopicPartition("outbox", 0))
        }
        brokerEpoch = 1
    }

    var instant: Instant { Instant(milliseconds: World.epoch + now) }

    func application(_ id: ApplicationID) -> SimulatedApplication { applications.first { $0.id == id } ?? applications[0] }
    func partition(_ id: ApplicationID) -> TopicPartition { application(id).partition }

    func transaction<T>(_ body: (any StoreTransaction) throws -> T) throws -> T {
        do {
            return try store.withTransaction(body)
        } catch {
            throw error.cause ?? error
        }
    }

    func log(_ text: () -> String) {
        if options.traces { trace.append("\(now): \(text())") }
    }

    func mediator() -> Mediator {
        Mediator(plan: plan, pipeline: InboundPipeline(plan: plan, sources: SimulationPlan.sources)) { [unowned self] change, field, fate in
            self.observe(change, field, fate)
        }
    }

    func delivery(_ application: ApplicationID) -> TargetDelivery { TargetDelivery(plan: plan, application: application) }

    // MARK: What the checker sees of mediation

    private func observe(_ change: InboundChange, _ field: String, _ fate: FieldFate) {
        let application = application(change.document.application)
        guard let event = application.events[change.position.minor] else { return }
        let edit = Edit(application: application.id, position: event.position, field: field)
        switch fate {
        case .golden(let replaced):
            if case .hub(let number) = event.truth[field], unguarded.contains(number) {
                windows += 1
            } else if case .hub = event.truth[field], let replaced {
                violation = Violation(
                    invariant: 4,
                    text: "echo changed golden \(change.document).\(field): \(replaced.text ?? "-") -> \(event.state[field]?.text ?? "-")")
            }
            settle(edit, "golden")
        case .same: settle(edit, "same")
        case .conflict: settle(edit, "conflict")
        case .echo(let write):
            if pending.contains(where: { $0.key.target.application == application.id && $0.key.write == write }) {
                settle(edit, "coincidence")
            }
        case .end:
            settle(Edit(application: application.id, position: event.position, field: "deleted"), "golden")
            told.append((event, change))
        }
    }

    func settle(_ edit: Edit, _ fate: String) {
        if let known = edits[edit], known == nil { edits[edit] = .some(fate) }
    }

    /// After a mediation step: edits that mediation did not notice because golden had the value, and writes whose effect has been heard.
    func settleTold() throws {
        for (event, change) in told {
            try transaction { store in
                guard let id = try store.link(change.document), let golden = try store.golden(id),
                    let mapping = self.plan.binding(change.document.application, change.document.entity)?.mapping
                else { return }
                for (field, _) in event.truth {
                    guard let told = event.state[field], let value = golden.fields[field] else { continue }
                    if mapping.same(field, told, value) {
                        self.settle(Edit(application: event.application, position: event.position, field: field), "same")
                    }
                }
            }
            for author in event.truth.values {
                if case .hub(let number) = author { pending = pending.filter { $0.value != number } }
            }
        }
        told.removeAll()
    }
}
