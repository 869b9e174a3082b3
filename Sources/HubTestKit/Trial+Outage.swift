import HubDriver
import HubModel

extension Trial {
    /// No connection can be made.
    func unreachable() async throws -> String {
        let held = try await newDocument()
        let native = sample.native
        let company = sample.company
        let limit = manifest.answerTime + .seconds(1)
        let delivery = try await creation()
        let count = try await with(.refused) {
            // A connection that was open is reset, and may have carried the call: that is no answer, or a retry.
            let begun = ContinuousClock.now
            let first = try await apply(delivery)
            switch first {
            case .withoutEffect(let error) where error.code == .unreachable: break
            case .answer(.noAnswer), .answer(.retry), .answer(.later): break
            default: throw Verdict.failed("a write ended as \(first.detail)")
            }
            try Verdict.require(ContinuousClock.now - begun < limit, "it took \((ContinuousClock.now - begun).formattedSeconds) s")
            var questions: [(String, @Sendable (any Driver) async throws -> Void)] = [
                ("apply", { driver in _ = try await driver.apply([delivery]) }), ("probe", { driver in _ = try await driver.probe() }),
            ]
            if driver is any Reading {
                let request = ReadRequest(native: native, company: company, key: held.document.key)
                questions.append(("read", { driver in _ = try await (driver as? any Reading)?.read([request]) }))
            }
            if driver is any LookingUp {
                let look = LookUp(native: native, company: company, reference: held.reference)
                questions.append(("look-up", { driver in _ = try await (driver as? any LookingUp)?.lookUp([look]) }))
            }
            if driver is any Paging {
                questions.append(
                    (
                        "page",
                        { driver in _ = try await (driver as? any Paging)?.page(native: native, company: company, after: nil, limit: 5) }
                    ))
            }
            if driver is any Capturing {
                questions.append(("capture", { driver in _ = try await (driver as? any Capturing)?.capture(after: nil, limit: 5) }))
            }
            for (name, ask) in questions { try await expectUnreachable(name, limit) { [driver] in try await ask(driver) } }
            return questions.count
        }
        if let found = try await living(delivery.reference) {
            try Verdict.require(found.isEmpty, "the document is there although the application could not be reached")
        }
        _ = try await written(delivery)
        return "\(count) kinds of call say so; the same driver goes on afterwards"
    }

    private func expectUnreachable(_ name: String, _ limit: Duration, _ ask: @escaping @Sendable () async throws -> Void) async throws {
        let call = RunningCall(ask)
        guard let result = await call.result(within: limit) else {
            call.cancel()
            throw Verdict.failed("\(name) did not end within \(limit.formattedSeconds) s")
        }
        switch result {
        case .success: throw Verdict.failed("\(name) answered as if the application were there")
        case .failure(let error as DriverError):
            try Verdict.require(error.code == .unreachable, "\(name) ended as \(error) instead of unreachable")
            try Verdict.require(!error.message.isEmpty, "\(name) has no words for people")
        case .failure(let error): throw error
        }
    }

    /// Answers come late, or not at all.
    func slow() async throws -> String {
        var held = try await newDocument()
        var seen: [String] = []
        let delay = manifest.answerTime / 12
        if faults.canMake(.slowAnswers(delay)) {
            let delivery = try update(held)
            let ending = try await with(.slowAnswers(delay)) { try await apply(delivery) }
            guard let document = ending.document else { throw Verdict.failed("with slow answers an update ended as \(ending.detail)") }
            held = held.after(delivery, document)
            seen.append("slow answers are waited for")
        } else {
            seen.append("slow answers not tried: the bench cannot make them")
        }
        let delivery = try update(held)
        let begun = ContinuousClock.now
        let duration = try await with(.silent) {
            let call = RunningCall { [driver] in try await driver.apply([delivery]) }
            var result = await call.result(within: manifest.answerTime)
            if result == nil {
                call.cancel()
                result = await call.result(within: options.patience)
            }
            let duration = ContinuousClock.now - begun
            guard let result else {
                throw Verdict.failed(
                    "a call to a silent application does not end \(options.patience.formattedSeconds) s after it was called off")
            }
            switch try Self.endings(result, 1)[0] {
            case .withoutEffect, .answer(.noAnswer), .answer(.retry), .answer(.later): break
            case .answer(let answer): throw Verdict.failed("a call to a silent application was answered as \(answer.word)")
            }
            return duration
        }
        try await settle()
        let wrong = difference(before(delivery, held), try await existing(held.document.key).fields)
        try Verdict.require(wrong.isEmpty, "what could not arrive has changed something: \(wrong)")
        _ = try await written(delivery)
        seen.append("silence ended after \(duration.formattedSeconds) s, and the same driver goes on afterwards")
        return seen.joined(separator: "; ")
    }

    /// The driver is closed while calls are under way.
    func shutdown() async throws -> String {
        let calls = min(max(1, manifest.limits.concurrentCalls), 4)
        _ = try await newDocument()
        var deliveries: [Delivery] = []
        for _ in 0..<calls { deliveries.append(try await creation()) }
        let delay = min(manifest.answerTime / 4, .milliseconds(500))
        let isSlow = faults.canMake(.slowAnswers(delay))
        let (ends, closing) = try await with(isSlow ? .slowAnswers(delay) : .none, closes: true) {
            let running = deliveries.map { delivery in RunningCall { [driver] in try await driver.apply([delivery]) } }
            if isSlow { try await Task.sleep(for: delay / 4) } else { await Task.yield() }
            let closed = ContinuousClock.now
            let close = RunningCall { [driver] in await driver.close() }
            let limit = manifest.answerTime + options.patience
            guard await close.result(within: limit) != nil else {
                throw Verdict.failed("close() does not return while calls are under way")
            }
            let closing = ContinuousClock.now - closed
            var ends: [Ending] = []
            for call in running {
                guard let result = await call.result(within: limit) else { throw Verdict.failed("a call hangs after close()") }
                ends += try Self.endings(result, 1)
            }
            return (ends, closing)
        }
        try await settle()
        let next = try await bench.makeDriver()
        let successor = Trial(bench: bench, options: options, marks: marks, sample: sample, driver: next, entity: entity)
        do {
            for (delivery, ending) in zip(deliveries, ends) { try await successor.recover(delivery, ending) }
        } catch {
            await next.close()
            throw error
        }
        await next.close()
        let kinds = Dictionary(grouping: ends, by: \.text).sorted { $0.key < $1.key }.map { "\($0.value.count) \($0.key)" }
        return "close() took \(closing.formattedSeconds) s with \(calls) calls under way: \(kinds.joined(separator: ", "))"
    }
}
