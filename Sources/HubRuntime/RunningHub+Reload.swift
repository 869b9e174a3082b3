import HubBus
import HubCodec
package import HubConfiguration
import HubDelivery
import HubDriver
import HubModel
import HubRules
import HubStore
import Logging
import Synchronization

extension RunningHub {
    /// What of an application a new configuration changes.
    private struct Difference {
        let before: Configuration
        /// Their driver stays.
        var kept: Set<ApplicationID> = []
        var added: [ApplicationID] = []
        var removed: [ApplicationID] = []
        /// Settings, driver or limits: another driver takes its place.
        var replaced: [ApplicationID] = []
        /// Mappings that say something else; nothing is restarted for them.
        var remapped: [ApplicationID] = []
        /// They read or publish to other topics.
        var engines: Set<ApplicationID> = []
        var captures: Set<ApplicationID> = []

        var words: String {
            let parts = [("added", added), ("removed", removed), ("restarted", replaced), ("new mappings", remapped)]
            let told = parts.filter { !$0.1.isEmpty }.map { "\($0.0): \($0.1.map(\.rawValue).joined(separator: ", "))" }
            return told.isEmpty
                ? "the configuration is reloaded; no application has changed"
                : "the configuration is reloaded; " + told.joined(separator: "; ")
        }
    }

    /// Reads the configuration anew and takes it up: workers of applications that it does not change go on undisturbed.
    ///
    /// Blocks. A configuration with mistakes, or one that needs a restart, leaves everything as it was.
    package func reload() -> OperatorRequests.Reply {
        guard let read = options.read else { return .init(isDone: false, text: "this hub has no configuration file to read again") }
        let fresh: Fresh
        let answer: Result<Fresh, RuntimeError> = blocking {
            do throws(RuntimeError) { return .success(try await read()) } catch { return .failure(error) }
        }
        switch answer {
        case .success(let read): fresh = read
        case .failure(let error): return .init(isDone: false, text: error.message)
        }
        let made = fresh.configuration.applications
        do {
            let difference = try takeUp(fresh)
            let gone = difference.removed + difference.replaced
            let unused = made.filter { difference.kept.contains($0.id) }.map(\.driver)
            close(unused + difference.before.applications.filter { gone.contains($0.id) }.map(\.driver))
            return .init(isDone: true, text: difference.words)
        } catch {
            if failed == nil { close(made.map(\.driver)) }
            return .init(isDone: false, text: "\(error)")
        }
    }

    private func close(_ drivers: [any Driver]) {
        guard !drivers.isEmpty else { return }
        blocking {
            await withTaskGroup(of: Void.self) { group in
                for driver in drivers { group.addTask { await driver.close() } }
            }
        }
    }

    private func takeUp(_ fresh: Fresh) throws -> Difference {
        let before = present
        try refuseRestarts(before.configuration, fresh.configuration)
        var configuration = fresh.configuration
        var difference = Difference(before: before.configuration)
        for (place, application) in configuration.applications.enumerated() {
            guard let old = before.configuration.application(application.id) else {
                difference.added.append(application.id)
                continue
            }
            guard old.hasSameDriver(as: application) else {
                difference.replaced.append(application.id)
                continue
            }
            difference.kept.insert(application.id)
            configuration.applications[place].driver = old.driver
            if old.mappingVersions != application.mappingVersions { difference.remapped.append(application.id) }
            if old.topics != application.topics { difference.captures.insert(application.id) }
        }
        difference.removed = before.configuration.applications.map(\.id).filter { configuration.application($0) == nil }
        var next = Standing(configuration, schemas: fresh.schemas, drivers: options.drivers)
        next.setStops(before.plan.stops.filter { next.plan.applications[$0.key] != nil })
        for application in difference.kept where before.plan.deliveryTopics(application) != next.plan.deliveryTopics(application) {
            difference.engines.insert(application)
        }
        try prepareTopics(next)
        let admin = try BusAdmin(bus, embedded: options.embedded)
        defer { admin.close() }
        try beginCatchUps(next, admin)
        do {
            try exchange(next, difference)
        } catch {
            // Half of the workers are the new ones: the next start makes them whole.
            fail(error, "the new configuration could not be taken up")
            throw error
        }
        return difference
    }

    /// Workers of what has changed end, the rest sees the new configuration from its next transaction on.
    private func exchange(_ next: Standing, _ difference: Difference) throws {
        let gone = difference.removed + difference.replaced
        let deadline = ContinuousClock.now + Self.patience
        let (captures, engines) = parts.withLock { parts in
            (
                (gone + difference.captures).compactMap { parts.captures.removeValue(forKey: $0) },
                (gone + difference.engines).compactMap { parts.engines.removeValue(forKey: $0) }
            )
        }
        for capture in captures { capture.stop(until: deadline) }
        for engine in engines { engine.stop(until: deadline) }
        parts.withLock { parts in
            parts.retire(captures)
            parts.retire(engines)
        }
        stand { $0 = next }
        discovered.withLock { known in for application in gone + difference.remapped { known[application] = nil } }
        if difference.before.inboundTopics != next.configuration.inboundTopics { try restartMediation(until: deadline) }
        for application in difference.added + difference.replaced + difference.engines.sorted() { try startEngine(application) }
        // The first one that captures finds no folder.
        try checkFeeds()
        for application in difference.added + difference.replaced + difference.captures.sorted() { try startCapture(application) }
        // Those whose mapping says something else are looked at again.
        for application in difference.remapped { rediscover(application) }
        for application in next.configuration.applications { engine(application.id)?.look() }
        mediation?.release()
    }

    /// Mediation reads other topics: its worker alone makes way for another, which goes on at the offsets in the store.
    private func restartMediation(until deadline: ContinuousClock.Instant) throws {
        let old = parts.withLock { parts in
            defer { parts.mediation = nil }
            return parts.mediation
        }
        old?.stop(until: deadline)
        let worker = MediationWorker(hub: self, topics: inboundTopics)
        try worker.start()
        parts.withLock { parts in
            parts.mediation = worker
            if let old { parts.retire([old]) }
        }
    }

    private func rediscover(_ application: ApplicationID) {
        guard let driver = driver(application) as? any Discovering else { return }
        blocking { [self] in
            do throws(DriverError) {
                try await discover(application, driver)
            } catch {
                logger.warning("\(application) does not say what it holds: \(error)")
            }
        }
    }

    /// What the workers that go on are bound to.
    private func refuseRestarts(_ old: Configuration, _ new: Configuration) throws(RuntimeError) {
        var what: [String] = []
        if old.hub != new.hub { what.append("hub") }
        let isSameBus = old.bus.properties == new.bus.properties && old.bus.isEmbedded == new.bus.isEmbedded
        if !isSameBus { what.append("bus") }
        if old.storePath != new.storePath || old.storeServer != new.storeServer { what.append("store") }
        guard !what.isEmpty else { return }
        throw RuntimeError(.refused, "\(what.joined(separator: ", ")) cannot change while the hub runs: stop it and start it again")
    }
}

extension ApplicationConfiguration {
    /// The driver that is there serves this configuration as well.
    fileprivate func hasSameDriver(as other: ApplicationConfiguration) -> Bool {
        let (a, b) = (manifest.limits, other.manifest.limits)
        return driverName == other.driverName && settings.values == other.settings.values && settings.companies == other.settings.companies
            && manifest.version == other.manifest.version && a.batch == b.batch && a.concurrentCalls == b.concurrentCalls
            && a.callsPerMinute == b.callsPerMinute
    }

    fileprivate var mappingVersions: [String] { mappings.map { "\($0.entity) \($0.version)" }.sorted() }
}
