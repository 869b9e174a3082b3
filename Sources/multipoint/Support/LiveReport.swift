import HubBus
import HubCodec
import HubConfiguration
import HubDriver
import HubModel
import HubRules

/// What the broker and the applications say when they are asked.
struct LiveReport {
    struct Finding {
        /// `bus`, `topic`, `application` or `mapping`.
        var kind: String
        var name: String
        var isWell: Bool
        var text: String
    }

    var findings: [Finding] = []

    var isWell: Bool { findings.allSatisfy(\.isWell) }
    var isBusWell: Bool { findings.allSatisfy { $0.isWell || $0.kind == "application" || $0.kind == "mapping" } }

    var lines: [String] {
        Table(["LIVE", "NAME", "STATE", ""], findings.map { [$0.kind, $0.name, $0.isWell ? "ok" : "NOT WELL", $0.text] }).lines
    }

    var value: Value {
        .array(
            findings.map { ["kind": .string($0.kind), "name": .string($0.name), "well": .bool($0.isWell), "text": .string($0.text)] })
    }

    static func make(_ configuration: Configuration, timeout: Duration) async -> LiveReport {
        var report = LiveReport()
        report.findings = await bus(configuration, timeout)
        report.findings += await withTaskGroup(of: (Int, [Finding]).self) { group in
            for (place, application) in configuration.applications.enumerated() {
                group.addTask { (place, await look(application, configuration, timeout)) }
            }
            var found: [(Int, [Finding])] = []
            for await findings in group { found.append(findings) }
            return found.sorted { $0.0 < $1.0 }.flatMap(\.1)
        }
        return report
    }

    // MARK: The bus

    private static func bus(_ configuration: Configuration, _ timeout: Duration) async -> [Finding] {
        let bus: BusConfiguration
        do throws(CommandFailure) {
            bus = try configuration.busConfiguration()
        } catch {
            // The hub brings this bus along when it starts: nothing is wrong without it.
            return [Finding(kind: "bus", name: "embedded", isWell: true, text: "starts with the hub")]
        }
        let plan = configuration.plan()
        let canonical = configuration.entities.map { plan.canonicalTopic($0.name) }
        let wanted = configuration.applications.flatMap(\.inboundTopics) + canonical + [plan.outcomesTopic]
        let name = bus["bootstrap.servers"] ?? ""
        do throws(BusError) {
            return try await Blocking.run { () throws(BusError) in
                let admin = try BusAdmin(bus)
                defer { admin.close() }
                let cluster = try admin.checkCluster(deadline: .now + timeout)
                let text =
                    "\(cluster.brokers.count) broker\(cluster.brokers.count == 1 ? "" : "s"), answered in \(cluster.elapsed.milliseconds) ms"
                let topics = try admin.topics(deadline: .now + timeout)
                return [Finding(kind: "bus", name: name, isWell: true, text: text)]
                    + wanted.map { topic in Self.topic(topic, topics.first { $0.name == topic }) }
            }
        } catch {
            return [Finding(kind: "bus", name: name, isWell: false, text: error.message)]
        }
    }

    private static func topic(_ name: String, _ found: BusAdmin.Topic?) -> Finding {
        guard let found else { return Finding(kind: "topic", name: name, isWell: true, text: "does not exist yet; the hub creates it") }
        if found.leaderless > 0 {
            return Finding(
                kind: "topic", name: name, isWell: false, text: "\(found.leaderless) of \(found.partitions) partitions have no leader")
        }
        return Finding(kind: "topic", name: name, isWell: true, text: "\(found.partitions) partitions, \(found.replication) replicas")
    }

    // MARK: Applications

    /// Who it is, and where its driver can tell, what of it is not as its mappings expect.
    private static func look(_ application: ApplicationConfiguration, _ configuration: Configuration, _ timeout: Duration) async
        -> [Finding]
    {
        let probed = await probe(application, timeout)
        guard probed.isWell, application.driver is any Discovering else { return [probed] }
        do throws(CommandFailure) {
            let report = try await DiscoveryReport.make(configuration, application.id, only: nil, timeout: max(timeout, .seconds(30)))
            return [probed] + report.findings.map { Finding(kind: "mapping", name: application.id.rawValue, isWell: false, text: "\($0)") }
        } catch {
            return [probed, Finding(kind: "mapping", name: application.id.rawValue, isWell: false, text: error.text)]
        }
    }

    private static func probe(_ application: ApplicationConfiguration, _ timeout: Duration) async -> Finding {
        let driver = application.probed
        let answer: Result<ApplicationIdentity, DriverError>? = await Limit.first(within: timeout) {
            do throws(DriverError) { return .success(try await driver.probe()) } catch { return .failure(error) }
        }
        let name = application.id.rawValue
        switch answer {
        case .success(let identity):
            let details = identity.details.isEmpty ? "" : "; " + identity.details.joined(separator: "; ")
            return Finding(
                kind: "application", name: name, isWell: true, text: "\(identity.instance), version \(identity.version)\(details)")
        case .failure(let error): return Finding(kind: "application", name: name, isWell: false, text: error.description)
        case nil: return Finding(kind: "application", name: name, isWell: false, text: "no answer within \(timeout.milliseconds / 1000) s")
        }
    }
}
