import HubDriver
import HubModel

extension Trial {
    /// The same delivery twice.
    func redelivery() async throws -> String {
        var seen: [String] = []
        if creates() {
            let delivery = try await creation()
            let first = try await written(delivery)
            if entity.createIsRepeatable {
                let second = try await written(delivery)
                try Verdict.require(second.key == first.key, "a create repeated made \(second.key) beside \(first.key)")
                seen.append("a create repeated finds its document")
            }
            if let found = try await living(delivery.reference) {
                try Verdict.require(found.count == 1, "\(found.count) documents carry the reference of one")
                try Verdict.require(found[0].key == first.key, "the look-up finds \(found[0].key) instead of \(first.key)")
                seen.append("the look-up finds it")
            }
        }
        if updates() {
            let held = try await newDocument()
            let delivery = try update(held)
            let first = held.after(delivery, try await written(delivery))
            let again = try await apply(delivery)
            switch again {
            case .answer(.changed) where entity.hasToken: seen.append("an update repeated with its token is told changed")
            case .answer(.unchanged), .answer(.written): seen.append("an update repeated is \(again.text)")
            default: throw Verdict.failed("an update repeated ended as \(again.detail)")
            }
            let present = try await existing(first.document.key)
            let wrong = difference(first.document.fields.filter { first.names.contains($0.name) }, present.fields)
            try Verdict.require(wrong.isEmpty, "an update repeated left another state: \(wrong)")
            let same = try await apply(update(first.at(present), delivery.fields))
            try Verdict.require(same.document != nil, "an update to what stands already ended as \(same.detail)")
        }
        if !creates() && !updates() { throw Verdict.notApplicable("\(sample.native) takes no writes") }
        if creates() && !entity.createIsRepeatable {
            guard driver is any LookingUp else {
                throw Verdict.failed("a create cannot be repeated, and the driver cannot look documents up")
            }
            seen.append("a create is not repeatable, as the manifest says: the hub looks up first")
        }
        return seen.joined(separator: "; ")
    }

    /// Several deliveries to one document, one after the other.
    func laneOrder() async throws -> String {
        var held = try await newDocument()
        let count = 10
        for number in 1...count {
            let delivery = try update(held)
            let document = try await written(delivery)
            let wrong = difference(delivery.fields, try await existing(document.key).fields)
            try Verdict.require(wrong.isEmpty, "update \(number) was answered before it stood: \(wrong)")
            held = held.after(delivery, document)
        }
        try await Task.sleep(for: min(manifest.settleTime, .milliseconds(500)))
        let wrong = difference(held.wanted, try await existing(held.document.key).fields)
        try Verdict.require(wrong.isEmpty, "an earlier update came through after the last one: \(wrong)")
        return "\(count) updates"
    }

    /// Several calls at once, each with several deliveries, one of them bad.
    func laneConcurrency() async throws -> String {
        guard creates() else { throw Verdict.notApplicable("\(sample.native) takes no creates") }
        let calls = min(max(1, manifest.limits.concurrentCalls), 8)
        let size = min(max(1, manifest.limits.batch), 5)
        let breach = sample.breaches.first { $0.operation == .create && $0.spoil != nil }
        var batches: [(deliveries: [Delivery], bad: Int?)] = []
        for _ in 0..<calls {
            var batch: [Delivery] = []
            for _ in 0..<size { batch.append(try await creation()) }
            if let spoil = breach?.spoil, size > 2 { try await spoil(&batch[1], marks.next()) }
            batches.append((batch, breach != nil && size > 2 ? 1 : nil))
        }
        let endings = try await atOnce(batches.map(\.deliveries))
        try await breach?.mend()
        for (batch, endings) in zip(batches, endings) {
            for (index, ending) in endings.enumerated() {
                let delivery = batch.deliveries[index]
                if index == batch.bad {
                    try Verdict.require(ending.rejection?.rule == breach?.rule, "a bad delivery among good ones ended as \(ending.detail)")
                    continue
                }
                guard let document = ending.document else {
                    throw Verdict.failed("a good delivery, \(size) in a call and \(calls) calls at once, ended as \(ending.detail)")
                }
                let wrong = difference(delivery.fields, document.fields)
                try Verdict.require(wrong.isEmpty, "a delivery was answered with another's document: \(wrong)")
                try Verdict.require(
                    document.reference == nil || document.reference == delivery.reference,
                    "a delivery was answered with another's reference")
            }
        }
        let text = "\(calls) calls at once, \(size) deliveries in each"
        guard calls > 1, updates() else { return text }
        return text + "; " + (try await timeAtOnce(calls))
    }

    private func atOnce(_ batches: [[Delivery]]) async throws -> [[Ending]] {
        try await withThrowingTaskGroup(of: (Int, [Ending]).self) { group in
            for (index, batch) in batches.enumerated() { group.addTask { (index, try await apply(batch)) } }
            var results: [[Ending]] = batches.map { _ in [] }
            for try await (index, endings) in group { results[index] = endings }
            return results
        }
    }

    /// Calls that wait for a slow application have to wait at the same time.
    private func timeAtOnce(_ calls: Int) async throws -> String {
        guard faults.canMake(.slowAnswers(.milliseconds(1))) else { return "time not measured: the bench cannot slow answers" }
        var documents: [Held] = []
        for _ in 0..<calls { documents.append(try await newDocument()) }
        let first = try documents.map { try update($0) }
        let begun = ContinuousClock.now
        let answers = try await atOnce(first.map { [$0] })
        // The more the application itself needs, on a busy machine too, the slower the answers have to be to show who waits for whom.
        let needed = ContinuousClock.now - begun
        let delay = min(max(min(needed / 2, .milliseconds(500)), .milliseconds(200)), max(manifest.answerTime / 12, .milliseconds(10)))
        let held = try zip(zip(documents, first), answers).map { pair, endings in
            guard let document = endings.first?.document else { throw Verdict.failed("an update, \(calls) at once, was not written") }
            return pair.0.after(pair.1, document)
        }
        let alone = try update(held[0])
        let (one, document) = try await with(.slowAnswers(delay)) {
            let begun = ContinuousClock.now
            let document = try await written(alone)
            return (ContinuousClock.now - begun, document)
        }
        let second = try [update(held[0].after(alone, document))] + held.dropFirst().map { try update($0) }
        let all = try await with(.slowAnswers(delay)) {
            let begun = ContinuousClock.now
            let endings = try await atOnce(second.map { [$0] })
            try Verdict.require(
                endings.allSatisfy { $0.first?.document != nil }, "slow updates, \(calls) at once, were not all written")
            return ContinuousClock.now - begun
        }
        let seen = "one slow call takes \(one.formattedSeconds) s, \(calls) at once take \(all.formattedSeconds) s"
        try Verdict.require(all < one * Double(calls) * 0.8, "calls at once wait for each other: \(seen)")
        return seen
    }
}
