import HubDriver
import HubModel

extension Trial {
    /// How the hub takes the end of a call.
    enum Ending: Sendable {
        case answer(Answer)
        /// The driver says that the call had no effect for sure.
        case withoutEffect(DriverError)

        /// For a report.
        var text: String {
            switch self {
            case .withoutEffect(let error): error.code.description
            case .answer(let answer): answer.word
            }
        }
    }

    /// Applies deliveries in one call under the hub's time limit: what has no answer by then is called off and counts as not answered.
    func apply(_ batch: [Delivery]) async throws -> [Ending] {
        let call = RunningCall { [driver] in try await driver.apply(batch) }
        guard let result = await call.result(within: manifest.answerTime) else {
            call.cancel()
            return batch.map { _ in .answer(.noAnswer(reason: "no answer within \(manifest.answerTime)")) }
        }
        return try Self.endings(result, batch.count)
    }

    /// What the hub makes of a result.
    static func endings(_ result: Result<[Answer], any Error>, _ count: Int) throws -> [Ending] {
        switch result {
        case .success(let answers):
            guard answers.count == count else { throw Verdict.failed("\(answers.count) answers to \(count) deliveries") }
            return answers.map { .answer($0) }
        case .failure(let error as DriverError):
            let mayHaveEffect = error.code == .noAnswer || error.code == .protocolViolation
            let ending = mayHaveEffect ? Ending.answer(.noAnswer(reason: error.message)) : .withoutEffect(error)
            return (0..<count).map { _ in ending }
        case .failure(let error): throw error
        }
    }

    func apply(_ delivery: Delivery) async throws -> Ending { try await apply([delivery])[0] }

    /// Applies a good delivery that has to be written; what asks for patience gets some.
    func written(_ delivery: Delivery) async throws -> NativeDocument {
        var ending = try await apply(delivery)
        for _ in 0..<5 {
            guard let delay = ending.delay else { break }
            try await Task.sleep(for: min(max(delay, .milliseconds(20)), .seconds(5)))
            ending = try await apply(delivery)
        }
        guard let document = ending.document else {
            throw Verdict.failed("a good \(delivery.operation) of \(sample.native) ended as \(ending.detail)")
        }
        guard delivery.operation != .delete else { return document }
        let wrong = difference(delivery.fields, document.fields)
        try Verdict.require(wrong.isEmpty, "a good \(delivery.operation) of \(sample.native) reads back wrong: \(wrong)")
        try Verdict.require(
            !entity.hasToken || document.token != nil, "the manifest says that \(sample.native) has tokens, but the answer has none")
        return document
    }

    /// Asks the driver something that has to come back in the end, however slowly.
    func limited<T: Sendable>(_ what: String, _ body: @escaping @Sendable () async throws -> T) async throws -> T {
        let call = RunningCall(body)
        guard let result = await call.result(within: max(manifest.answerTime, .seconds(20))) else {
            call.cancel()
            throw Verdict.failed("\(what) does not come back")
        }
        return try result.get()
    }

    /// Arms a fault for the time of `body`; afterwards nothing goes wrong any more, and the driver has found its application again.
    ///
    /// - Parameter closes: `body` closes the driver.
    func with<T>(_ fault: Fault, closes: Bool = false, _ body: () async throws -> T) async throws -> T {
        guard faults.canMake(fault) else { throw Verdict.absent("the bench cannot make this fault: \(fault.text)") }
        try await faults.arm(fault)
        let result: T
        do {
            result = try await body()
        } catch {
            try await faults.arm(.none)
            throw error
        }
        try await faults.arm(.none)
        if case .none = fault { return result }
        if !closes { try await knock(after: fault) }
        return result
    }

    /// Probes until the application answers, as the hub does after an outage: connections that were kept may be dead.
    private func knock(after fault: Fault) async throws {
        for attempt in 1...5 {
            do {
                _ = try await limited("a probe") { [driver] in try await driver.probe() }
                return
            } catch let error as DriverError {
                guard attempt < 5 else {
                    throw Verdict.failed("the driver does not find its application again after \(fault.text): \(error)")
                }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    /// Asks a question again where a connection that was kept has died meanwhile, as the hub does.
    func asked<T: Sendable>(_ what: String, _ body: @escaping @Sendable () async throws -> T) async throws -> T {
        for _ in 1...3 {
            do {
                return try await limited(what, body)
            } catch let error as DriverError where error.code == .unreachable || error.code == .noAnswer {
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        return try await limited(what, body)
    }

    /// Waits until a call that has just ended cannot take effect any more.
    ///
    /// A call that has ended sends nothing any more, so the settle time counts from there. The hub, which may have been restarted since,
    /// counts from the latest moment at which a call can end, and waits longer.
    func settle() async throws { try await Task.sleep(for: manifest.settleTime) }
}

extension Trial.Ending {
    /// The document of an answer that has one.
    var document: NativeDocument? {
        switch self {
        case .answer(.written(let document)), .answer(.unchanged(let document)): document
        default: nil
        }
    }

    /// How long the hub is to wait, where the answer is to come again.
    var delay: Duration? {
        switch self {
        case .answer(.retry(let delay, _)), .answer(.later(let delay, _)): delay
        default: nil
        }
    }

    var isNoAnswer: Bool { if case .answer(.noAnswer) = self { true } else { false } }

    /// The rule, where the application refused.
    var rejection: Rejection? { if case .answer(.rejected(let rejection)) = self { rejection } else { nil } }

    /// For a report, with the reason.
    var detail: String {
        switch self {
        case .withoutEffect(let error): error.description
        case .answer(.rejected(let rejection)): "rejected: \(rejection)"
        case .answer(.retry(_, let reason)): "retry: \(reason)"
        case .answer(.later(_, let reason)): "later: \(reason)"
        case .answer(.noAnswer(let reason)): "no answer: \(reason)"
        case .answer(let answer): answer.word
        }
    }
}

extension Answer {
    /// The answer's kind.
    var word: String {
        switch self {
        case .written: "written"
        case .unchanged: "unchanged"
        case .rejected: "rejected"
        case .retry: "retry"
        case .later: "later"
        case .changed: "changed"
        case .gone: "gone"
        case .noAnswer: "no answer"
        }
    }
}

extension Fault {
    /// For a report.
    var text: String {
        switch self {
        case .none: "none"
        case .refused: "an application that cannot be reached"
        case .silent: "an application that does not answer"
        case .slowAnswers: "slow answers"
        case .lostRequest: "a lost request"
        case .outage: "an outage in the middle of a call"
        case .lostAnswer: "a lost answer"
        case .lateRequest: "a late request"
        case .heldAnswer: "a held answer"
        }
    }
}
