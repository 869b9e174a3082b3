import HubDriver
import HubModel

extension Trial {
    /// What the manifest says the application bears, seen from the application.
    func rateLimit() async throws -> String {
        guard await faults.traffic != nil else { throw Verdict.absent("the bench's injector does not see requests") }
        let limits = manifest.limits
        let atOnce = try await mostAtOnce(limits.concurrentCalls)
        try Verdict.require(
            atOnce <= limits.concurrentCalls, "\(atOnce) requests at once where \(limits.concurrentCalls) are allowed")
        let text = "\(atOnce) requests at once, \(limits.concurrentCalls) allowed"
        guard let perMinute = limits.callsPerMinute else { return text + "; no limit a minute is declared" }
        return text + "; " + (try await perMinuteKept(perMinute))
    }

    private func mostAtOnce(_ calls: Int) async throws -> Int {
        let count = min(max(1, calls), 16)
        var documents: [Held] = []
        for _ in 0..<count { documents.append(try await newDocument()) }
        let deliveries = try documents.map { try update($0) }
        let delay = min(manifest.answerTime / 12, .milliseconds(50))
        return try await with(faults.canMake(.slowAnswers(delay)) ? .slowAnswers(delay) : .none) {
            try await withThrowingTaskGroup(of: Ending.self) { group in
                for delivery in deliveries { group.addTask { try await apply(delivery) } }
                for try await ending in group where ending.document == nil {
                    throw Verdict.failed("an update, \(count) at once, ended as \(ending.detail)")
                }
            }
            return await faults.traffic?.mostAtOnce ?? 0
        }
    }

    /// Makes as many calls as the hub may make in a minute, as fast as the driver takes them.
    private func perMinuteKept(_ limit: Int) async throws -> String {
        let calls = min(limit, 150)
        var held = try await newDocument()
        let begun = ContinuousClock.now
        let requests = try await with(.none) {
            let patience = Duration.seconds(70)
            for _ in 0..<calls where ContinuousClock.now - begun < patience {
                let delivery = try update(held)
                let call = RunningCall { [driver] in try await driver.apply([delivery]) }
                // A driver that keeps a limit by itself may wait for the minute's end.
                guard let result = await call.result(within: patience) else { break }
                let ending = try Self.endings(result, 1)[0]
                if ending.delay != nil { break }
                guard let document = ending.document else { throw Verdict.failed("a good update ended as \(ending.detail)") }
                held = held.after(delivery, document)
            }
            return await faults.traffic?.requests ?? []
        }
        let most =
            requests.indices.map { first in
                requests[first...].prefix { $0 - requests[first] < .seconds(60) }.count
            }.max() ?? 0
        let seen = "\(calls) calls made \(most) requests within a minute, \(limit) are allowed"
        try Verdict.require(most <= limit, seen)
        guard calls == limit || most <= calls else { throw Verdict.absent("the limit was not reached: \(seen)") }
        return seen
    }
}
