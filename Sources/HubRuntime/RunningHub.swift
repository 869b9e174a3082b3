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
    package let store: any Store
    package let bus: BusConfiguration
    package let clock = HubClock()
    package let events: RuntimeEvents
    package let logger: Logger
    let options: Options
    let publisher = Bell()
    /// What it goes by just now: a reload, and what discoveries hold back, put others in its place.
    private let standing: Mutex<Standing>
    let parts = Mutex(Parts())
    /// Asked for by ``reloadSoon()``.
    private let wantsReload = Atomic<Bool>(false)
    private let failure = Mutex<RuntimeError?>(nil)
    private let ended = Bell()
    private let stops = Atomic<Bool>(false)
    /// When each application was looked at last.
    let discovered = Mutex<[ApplicationID: Instant]>([:])
    private let known = Mutex<[ApplicationID: String]>([:])

    static let outboxGroup = "outbox"
    static let outboxPartition = TopicPartition("outbox", 0)

    /// Choices of a single run.
    package struct Options: Sendable {
        /// Run the drivers' captures here as well.
        package var captures = true
        /// Deliver to the applications; off where mediation alone is measured.
        package var delivers = true
        /// How long a feed has to stand still before that is an alarm.
        package var alarmAfter = FeedTrouble.standardInterval
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
        /// Reads the configuration anew, for a reload; nil where there is nothing to read it from.
        package var read: (@Sendable () async throws(RuntimeError) -> Fresh)?
        /// How long an application may take to say what it holds.
        package var discoveryTime: Duration = .seconds(60)

        package init() {}
    }

    /// A configuration read anew, with the schemas that belong to it.
    package struct Fresh: Sendable {
        package var configuration: Configuration
        package var schemas: [ApplicationID: [String: SchemaValidator]]

        package init(configuration: Configuration, schemas: [ApplicationID: [String: SchemaValidator]] = [:]) {
            self.configuration = configuration
            self.schemas = schemas
        }
    }

    struct Parts {
        var mediation: MediationWorker?
        var publisher: PublisherWorker?
        var engines: [ApplicationID: DeliveryEngine] = [:]
        var captures: [ApplicationID: CaptureWorker] = [:]
        var housekeeping: Worker?
        /// Workers that a reload has ended: a thread of theirs that did not end in time must not find them gone.
        private var retired: [any AnyObject & Sendable] = []

        mutating func retire(_ workers: [any AnyObject & Sendable]) { retired = (retired + workers).suffix(64) }
    }

    package init(
        configuration: Configuration, store: any Store, bus: BusConfiguration, options: Options = Options(),
        events: RuntimeEvents = RuntimeEvents(), logger: Logger = Logger(label: "multipoint.hub")
    ) {
        self.store = store
        self.bus = bus
        self.options = options
        self.events = events
        self.logger = logger
        standing = Mutex(Standing(configuration, schemas: options.schemas, drivers: options.drivers))
    }

    package var configuration: Configuration { standing.withLock { $0.configuration } }
    package var plan: HubPlan { standing.withLock { $0.plan } }
    var present: Standing { standing.withLock { $0 } }
    /// Plan and pipeline that belong together.
    var rules: (plan: HubPlan, pipeline: InboundPipeline) { standing.withLock { ($0.plan, $0.pipeline) } }
    func engine(_ application: ApplicationID) -> DeliveryEngine? { parts.withLock { $0.engines[application] } }
    func driver(_ application: ApplicationID) -> (any Driver)? { standing.withLock { $0.drivers[application] } }

    /// Puts something else in the place of what the hub goes by: transactions begun from now on see it.
    func stand(_ change: (inout Standing) -> Void) {
        standing.withLock { change(&$0) }
    }

    /// Reads the configuration anew as soon as there is time for it.
    package func reloadSoon() {
        wantsReload.store(true, ordering: .relaxed)
        ended.ring()
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

    /// nil before the start, and for the moment in which a reload puts another in its place.
    var mediation: MediationWorker? { parts.withLock { $0.mediation } }

    // MARK: Start and end

    /// Checks topics and positions, then starts everything.
    package func start() throws(RuntimeError) {
        do {
            try prepareTopics(present)
            try checkPositions()
            try checkFeeds()
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
        known.withLock { $0 = (try? identitiesFromStore()) ?? [:] }
        try takeUpStops()
        let outbox = PublisherWorker(hub: self, producer: try BusProducer(bus, transactionalID: try transactionalID()), bell: publisher)
        let mediation = MediationWorker(hub: self, topics: inboundTopics)
        parts.withLock { parts in
            parts.publisher = outbox
            parts.mediation = mediation
        }
        outbox.start(epoch: outboxEpoch)
        for application in configuration.applications { try startEngine(application.id) }
        try mediation.start()
        for application in configuration.applications { try startCapture(application.id) }
        parts.withLock { $0.housekeeping = Worker("housekeeping") { [unowned self] in keepHouse() } }
    }

    /// Begins delivering to an application.
    func startEngine(_ application: ApplicationID) throws {
        guard options.delivers, let driver = driver(application) else { return }
        let engine = DeliveryEngine(hub: self, application: application, driver: driver)
        parts.withLock { $0.engines[application] = engine }
        engine.setPaused(try store.write { try $0.note(OperatorRequest.pauseNote(application)) } != nil)
        try engine.start()
    }

    /// Begins capturing an application whose driver can.
    func startCapture(_ application: ApplicationID) throws {
        let configuration = configuration
        guard options.captures, let configured = configuration.application(application),
            let driver = driver(application).flatMap({ configured.capturing($0) })
        else { return }
        let worker = try CaptureWorker(
            configured, driver: driver, configuration: configuration, bus: bus, logger: logger, alarmAfter: options.alarmAfter
        ) { [weak self] code, text in
            self?.alarm(code, text, application)
        }
        parts.withLock { $0.captures[application] = worker }
        worker.start()
    }

    /// Stops taking on work, lets what is under way end, and lets go of everything. The store stays open.
    package func stop(within limit: Duration = .seconds(10)) {
        stops.store(true, ordering: .relaxed)
        let deadline = ContinuousClock.now + limit
        let parts = parts.withLock { $0 }
        for capture in parts.captures.values { capture.stop(until: deadline) }
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
            if wantsReload.exchange(false, ordering: .relaxed) { logReload() }
            carryOutRequests()
            let caughtUp = catchUp()
            if !caughtUp { ended.wait(milliseconds: 250) }
        }
    }

    private func carryOutRequests() {
        let requests = configuration.requests
        guard !requests.pending().isEmpty else { return }
        let (now, plan) = (clock.now(), plan)
        blocking {
            _ = await requests.carryOut(in: self.store, plan: plan, now: now) { await self.carryOut($0) }
        }
        forgetIdentities(except: (try? identitiesFromStore()) ?? [:])
        let paused = Set(((try? store.write { try $0.notes("paused/") }) ?? []).map { String($0.name.dropFirst("paused/".count)) })
        for engine in parts.withLock({ Array($0.engines.values) }) {
            engine.setPaused(paused.contains(engine.application.rawValue))
            engine.look()
        }
        publisher.ring()
        mediation?.release()
    }

    /// Runs something asynchronous to its end, on a thread of the hub's own.
    func blocking<T: Sendable>(_ body: @escaping @Sendable () async -> T) -> T {
        let answer = Awaited<T, Never>()
        // Waited for right below.
        Task { answer.set(.success(await body())) }
        return answer.wait().get()
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

    /// Looks at an application's feed at once: somebody says that there is something new.
    /// - Returns: false where it is not captured here.
    package func lookForChanges(in application: ApplicationID) -> Bool {
        guard let capture = parts.withLock({ $0.captures[application] }) else { return false }
        capture.nudge()
        return true
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
