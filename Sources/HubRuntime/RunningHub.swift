package import HubBus
package import HubCodec
package import HubConfiguration
import HubDelivery
package import HubDriver
import HubMediation
package import HubModel
package import HubRules
package import HubStore
package import Logging
import Synchronization

/// One hub, running: mediation, the outbox, delivery to each application, capture, and what operators ask for.
///
/// Everything that decides stands in the rooms below; here are the threads. ``start()`` and ``stop(within:)`` block.
package final class RunningHub: Sendable {
    package let configuration: Configuration
    package let plan: HubPlan
    package let store: any Store
    package let bus: BusConfiguration
    package let clock = HubClock()
    package let events: RuntimeEvents
    package let logger: Logger
    let options: Options
    let publisher = Bell()
    private let drivers: [ApplicationID: any Driver]
    private let pipeline: InboundPipeline
    private let parts = Mutex(Parts())
    private let failure = Mutex<RuntimeError?>(nil)
    private let ended = Bell()
    private let stops = Atomic<Bool>(false)
    private let known = Mutex<[ApplicationID: String]>([:])

    static let outboxGroup = "outbox"
    static let outboxPartition = TopicPartition("outbox", 0)

    /// Choices of a single run.
    package struct Options: Sendable {
        /// Run the drivers' captures here as well.
        package var captures = true
        /// Deliver to the applications; off where mediation alone is measured.
        package var delivers = true
        /// A person's word that a restored or empty store is meant to be.
        package var acceptsStore = false
        /// A person's word that topics may have another number of partitions than before.
        package var acceptsPartitions = false
        /// Schemas of native types, by application.
        package var schemas: [ApplicationID: [String: SchemaValidator]] = [:]
        /// Drivers in place of the configured ones: wrapped for measuring or for tests.
        package var drivers: [ApplicationID: any Driver] = [:]
        /// The bus in this process, which creates topics by itself.
        package var embedded: EmbeddedBus?

        package init() {}
    }

    private struct Parts {
        var mediation: MediationWorker?
        var publisher: PublisherWorker?
        var engines: [ApplicationID: DeliveryEngine] = [:]
        var captures: [CaptureWorker] = []
        var housekeeping: Worker?
    }

    package init(
        configuration: Configuration, store: any Store, bus: BusConfiguration, options: Options = Options(),
        events: RuntimeEvents = RuntimeEvents(), logger: Logger = Logger(label: "multipoint.hub")
    ) {
        self.configuration = configuration
        self.store = store
        self.bus = bus
        self.options = options
        self.events = events
        self.logger = logger
        plan = configuration.plan()
        drivers = Dictionary(uniqueKeysWithValues: configuration.applications.map { ($0.id, options.drivers[$0.id] ?? $0.driver) })
        let decoder = configuration.envelopeDecoder()
        var sources: [String: InboundPipeline.Source] = [:]
        for application in configuration.applications {
            for topic in application.inboundTopics { sources[topic] = .init(application: application.id, decoder: decoder) }
        }
        pipeline = InboundPipeline(plan: plan, sources: sources, schemas: options.schemas)
    }

    /// The bus for consumers: prefetching a few seconds of flow, so that memory does not grow with what waits in Kafka.
    var consumerBus: BusConfiguration {
        var result = bus
        for (name, value) in [("queued.min.messages", "30000"), ("queued.max.messages.kbytes", "24576")] where result[name] == nil {
            result[name] = value
        }
        return result
    }

    /// What a consumer's inbox holds.
    static let inboxLimits = BusConsumer.Limits(records: 4_000, bytes: 8 << 20)

    /// Remembers who an application is, or refuses another one behind the same address: it must not be written to before people have
    /// compared it.
    func meet(_ application: ApplicationID, _ identity: ApplicationIdentity) throws(DriverError) {
        let before = known.withLock { known in
            defer { known[application] = known[application] ?? identity.instance }
            return known[application]
        }
        let (name, now) = ("identity/\(application)", clock.now())
        if let before, before != identity.instance {
            let text =
                "\(application) is another instance (\(identity.instance)) than the hub knows (\(before)); nothing is written to it. "
                + "Compare it first, then say so with `multipoint resume \(application)`"
            store.submit { store in
                try store.append(Alarm(code: "another-instance", application: application, document: nil, text: text, time: now))
            } completion: { _ in
            }
            throw DriverError(.configuration, text)
        }
        guard before == nil else { return }
        store.submit { store in
            try store.putNote(identity.instance, name)
        } completion: { _ in
        }
    }

    /// A person has compared the application: whoever answers next is the one to know.
    func forgetIdentities(except noted: [ApplicationID: String]) {
        known.withLock { $0 = noted }
    }

    var mediation: MediationWorker {
        parts.withLock { $0.mediation } ?? MediationWorker(hub: self, pipeline: pipeline)
    }

    // MARK: Start and end

    /// Checks topics and positions, then starts everything.
    package func start() throws(RuntimeError) {
        do {
            try prepareTopics()
            try checkPositions()
            try startParts()
        } catch let error as RuntimeError {
            throw error
        } catch let error as BusError {
            throw RuntimeError(error.code == .configuration ? .refused : .unreachable, "\(error)")
        } catch {
            throw RuntimeError(.unreachable, "\(error)")
        }
    }

    private func startParts() throws {
        let outboxEpoch = try store.write { try $0.raiseEpoch(Self.outboxGroup, Self.outboxPartition) }
        let paused = Set(try store.write { try $0.notes("paused/") }.map { String($0.name.dropFirst("paused/".count)) })
        known.withLock { $0 = (try? identitiesFromStore()) ?? [:] }
        let outbox = PublisherWorker(hub: self, producer: try BusProducer(bus, transactionalID: try transactionalID()), bell: publisher)
        let mediation = MediationWorker(hub: self, pipeline: pipeline)
        let receivers = options.delivers ? configuration.applications : []
        let engines = receivers.compactMap { application in
            drivers[application.id].map { DeliveryEngine(hub: self, application: application.id, driver: $0) }
        }
        let captures = options.captures ? try captureWorkers() : []
        parts.withLock { parts in
            parts.publisher = outbox
            parts.mediation = mediation
            parts.engines = Dictionary(uniqueKeysWithValues: engines.map { ($0.application, $0) })
            parts.captures = captures
        }
        outbox.start(epoch: outboxEpoch)
        for engine in engines {
            engine.setPaused(paused.contains(engine.application.rawValue))
            try engine.start()
        }
        try mediation.start()
        for capture in captures { capture.start() }
        parts.withLock { $0.housekeeping = Worker("housekeeping") { [unowned self] in keepHouse() } }
    }

    private func captureWorkers() throws -> [CaptureWorker] {
        try configuration.applications.compactMap { application in
            guard let driver = drivers[application.id] as? any Capturing else { return nil }
            return try CaptureWorker(application, driver: driver, configuration: configuration, bus: bus, logger: logger)
        }
    }

    /// Stops taking on work, lets what is under way end, and lets go of everything. The store stays open.
    package func stop(within limit: Duration = .seconds(10)) {
        stops.store(true, ordering: .relaxed)
        let deadline = ContinuousClock.now + limit
        let parts = parts.withLock { $0 }
        for capture in parts.captures { capture.stop(until: deadline) }
        parts.mediation?.stop(until: deadline)
        // Engines wait for the calls under way; they do so at the same time.
        let waiters = parts.engines.values.map { engine in Worker("stop") { engine.stop(until: deadline) } }
        for waiter in waiters { _ = waiter.join(until: deadline + .seconds(5)) }
        parts.publisher?.stop(until: deadline)
        ended.ring()
        _ = parts.housekeeping?.join(until: deadline)
    }

    /// How long a Kafka client may take to leave its group: one that hangs must not use up the time of everything after it.
    static func closingEnd(_ deadline: ContinuousClock.Instant) -> ContinuousClock.Instant {
        max(.now + .seconds(2), min(deadline, .now + .seconds(5)))
    }

    /// Blocks until the hub fails, or `isStopping` says so.
    /// - Returns: why it failed; nil where it was told to stop.
    package func wait(while isRunning: () -> Bool) -> RuntimeError? {
        while isRunning() {
            if let failure = failure.withLock({ $0 }) { return failure }
            ended.wait(milliseconds: 100)
        }
        return failure.withLock { $0 }
    }

    /// What ended the hub; nil while it runs.
    package var failed: RuntimeError? { failure.withLock { $0 } }

    func fail(_ error: any Error, _ what: String) {
        if stops.load(ordering: .relaxed) { return }
        logger.critical("\(what): \(error)")
        failure.withLock { if $0 == nil { $0 = RuntimeError(.unreachable, "\(what): \(error)") } }
        ended.ring()
    }

    // MARK: Housekeeping

    private func keepHouse() {
        while !stops.load(ordering: .relaxed) {
            if let failure = failure.withLock({ $0 }) {
                logger.debug("housekeeping ends: \(failure)")
                return
            }
            carryOutRequests()
            let caughtUp = catchUp()
            if !caughtUp { ended.wait(milliseconds: 250) }
        }
    }

    private func carryOutRequests() {
        let requests = configuration.requests
        guard !requests.pending().isEmpty else { return }
        let now = clock.now()
        let done = Mutex(false)
        let bell = Bell()
        // Waited for right below.
        Task {
            _ = await requests.carryOut(in: store, plan: plan, now: now)
            done.withLock { $0 = true }
            bell.ring()
        }
        while !done.withLock({ $0 }) { bell.wait(milliseconds: 1000) }
        forgetIdentities(except: (try? identitiesFromStore()) ?? [:])
        let paused = Set(((try? store.write { try $0.notes("paused/") }) ?? []).map { String($0.name.dropFirst("paused/".count)) })
        for engine in parts.withLock({ Array($0.engines.values) }) {
            engine.setPaused(paused.contains(engine.application.rawValue))
            engine.look()
        }
        publisher.ring()
        mediation.release()
    }

    /// Pages applications that are being caught up; true where there is more.
    private func catchUp() -> Bool {
        var hasMore = false
        let now = clock.now()
        for engine in parts.withLock({ Array($0.engines.values) }) {
            let application = engine.application
            let plan = plan
            guard
                let (paged, more) = try? store.write({ store -> (Bool, Bool) in
                    guard let progress = try store.catchUp(application), !progress.entities.isEmpty else { return (false, false) }
                    return (true, try CatchUpPager.page(application, plan: plan, limit: 200, now: now, in: store))
                }), paged
            else { continue }
            hasMore = hasMore || more
            engine.look()
        }
        return hasMore
    }

    /// Mediation may have ended waits of any application.
    func lookAtTargets() {
        for engine in parts.withLock({ Array($0.engines.values) }) { engine.look() }
    }

    /// What the topic has lost is delivered from the store.
    func catchUpAgain(_ application: ApplicationID) {
        let plan = plan
        store.submit { store in
            try store.putCatchUp(nil, application)
            try CatchUpPager.begin(application, plan: plan, in: store)
        } completion: { [self] result in
            if case .failure(let error) = result { fail(error, "\(application) cannot be caught up") }
        }
    }
}
