import HubConfiguration
import HubDriver
import HubModel
import HubRules
import HubStore
import Logging
import Synchronization

extension RunningHub {
    /// An application that comes and goes is not asked each time.
    private static let discoveryPause: Duration = .seconds(60)

    /// At the start: what was held back when the hub ended last still is, until its application has been looked at.
    func takeUpStops() throws {
        let able = Set(configuration.applications.map(\.id).filter { driver($0) is any Discovering })
        let stops = try store.write { store in
            for application in try DiscoveryNotes.stops(in: store).keys where !able.contains(application) {
                try DiscoveryNotes.forget(application, in: store)
            }
            return try DiscoveryNotes.stops(in: store)
        }
        stand { $0.setStops(stops) }
    }

    /// Looks at an application that has just been reached: at the start, and when it was away.
    ///
    /// - Throws: where it cannot be reached after all. That it cannot say what it holds stops nothing.
    func discoverWhenDue(_ application: ApplicationID, _ driver: any Driver) async throws(DriverError) {
        guard let driver = driver as? any Discovering else { return }
        let now = clock.now()
        if let last = discovered.withLock({ $0[application] }), now - last < Self.discoveryPause { return }
        do throws(DriverError) {
            _ = try await discover(application, driver)
        } catch {
            if error.code == .unreachable { throw error }
            logger.warning("\(application) does not say what it holds, and is taken to be as it was: \(error)")
        }
    }

    /// Looks at an application, compares it with its mappings, and holds back or lets go what that touches.
    @discardableResult
    func discover(_ application: ApplicationID, _ driver: any Discovering) async throws(DriverError) -> DiscoveryNotes.Result {
        let discovery = try await Deadline.run(options.discoveryTime) { () throws(DriverError) in try await driver.discover() }
        let now = clock.now()
        let (plan, _) = rules
        guard let target = plan.applications[application] else {
            throw DriverError(.configuration, "\(application) is not among the hub's applications any more")
        }
        let result: DiscoveryNotes.Result
        do throws(StoreError) {
            result = try await store.perform { try DiscoveryNotes.workIn(discovery, target, plan: plan, now: now, in: $0) }
        } catch {
            throw DriverError(.configuration, "what \(application) holds cannot be stored", cause: error)
        }
        discovered.withLock { $0[application] = now }
        stand { standing in
            var stops = standing.plan.stops
            stops[application] = result.stops.isEmpty ? nil : result.stops
            standing.setStops(stops)
        }
        tell(result, application)
        engine(application)?.look()
        return result
    }

    private func tell(_ result: DiscoveryNotes.Result, _ application: ApplicationID) {
        for (entity, stop) in result.stops.sorted(by: { $0.key < $1.key }) {
            let what =
                stop.holdsDeliveries
                ? "nothing is written to its \(entity) documents" : "events of \(entity) that tell the field are set aside"
            logger.error("\(application) is not as its mapping expects, \(what): \(stop.reason)")
        }
        for finding in result.comparison.findings where finding.effect == .nothing { logger.warning("\(application): \(finding)") }
        for entity in result.lifted { logger.notice("\(application) is as its mapping of \(entity) expects again; deliveries go on") }
        let new = result.comparison.offers.flatMap(\.lines).count(where: \.isNew)
        if new > 0 {
            logger.notice(
                "\(application) has \(new) new field\(new == 1 ? "" : "s"); multipoint discover \(application) shows lines for the mapping")
        }
    }
}
