import HubDriver
import HubModel

extension Trial {
    /// What contradicts itself in a manifest, or the driver that it belongs to.
    static func contradictions(_ driver: any Driver) -> [String] {
        let manifest = driver.manifest
        var found: [String] = []
        if manifest.driver.isEmpty || manifest.version.isEmpty { found.append("the driver has no name or no version") }
        if manifest.entities.isEmpty { found.append("there are no types") }
        let natives = manifest.entities.map(\.native)
        if Set(natives).count != natives.count { found.append("a native type is there twice") }
        if manifest.settleTime <= .zero { found.append("the settle time is not above zero") }
        if manifest.answerTime <= .zero { found.append("the answer time is not above zero") }
        if manifest.limits.batch < 1 { found.append("the batch limit is below 1") }
        if manifest.limits.concurrentCalls < 1 { found.append("the limit of calls at once is below 1") }
        if let perMinute = manifest.limits.callsPerMinute, perMinute < 1 { found.append("the limit of calls a minute is below 1") }
        for entity in manifest.entities {
            let operations = entity.operations
            if operations.contains(.create), !(driver is any LookingUp) {
                found.append("\(entity.native) takes creates, and the driver cannot look up one whose answer was lost")
            }
            if operations.contains(.update) || operations.contains(.delete), !(driver is any Reading) {
                found.append("\(entity.native) takes changes, and the driver cannot read what became of one whose answer was lost")
            }
            if Set(entity.rules).count != entity.rules.count { found.append("\(entity.native) has a rule twice") }
            for (state, next) in entity.transitions.sorted(by: { $0.key < $1.key }) {
                for target in next where entity.transitions[target] == nil {
                    found.append("\(entity.native) goes from \(state) to \(target), which is no state")
                }
            }
            if !operations.isEmpty, !entity.hasToken || !entity.createIsRepeatable, manifest.window.isEmpty {
                found.append("\(entity.native) leaves something unsafe, and the window does not say what")
            }
        }
        return found
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
