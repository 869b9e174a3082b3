import HubDriver
import HubModel

extension Trial {
    /// What contradicts itself in a manifest, or the driver that it belongs to.
    static func contradictions(_ driver: any Driver) -> [String] {
        let found = driver.manifest.contradictions(
            looksUp: driver is any LookingUp, reads: driver is any Reading, answers: driver is any Answering)
        return found + driver.manifest.entities.filter { Set($0.rules).count != $0.rules.count }.map { "\($0.native) has a rule twice" }
    }

    /// The application tells who it is, and tells it again.
    func identity() async throws -> String {
        let first = try await limited("a probe") { [driver] in try await driver.probe() }
        let next = try await bench.makeDriver()
        do {
            let second = try await limited("a probe") { try await next.probe() }
            await next.close()
            try Verdict.require(!first.instance.isEmpty, "the instance has no name")
            try Verdict.require(
                first.instance == second.instance, "the instance is \(first.instance) and then \(second.instance)")
        } catch {
            await next.close()
            throw error
        }
        return "\(first.instance), version \(first.version)"
    }
}
