import HubDriver
import HubModel

extension Trial {
    /// A declared function answers, with the members that it declares, and refuses what is not there.
    func answers(_ function: FunctionManifest, _ question: QuestionSample) async throws -> String {
        let arguments = try await question.arguments()
        let reply = try await reply(question, arguments)
        guard case .says(let members, let asOf) = reply else { throw Verdict.failed("a good question ended as \(reply.word)") }
        let declared = function.results.map(\.name)
        let missing = declared.filter { members[$0] == nil }
        try Verdict.require(missing.isEmpty, "the answer lacks \(missing.joined(separator: ", "))")
        let others = members.names.filter { !declared.contains($0) }
        try Verdict.require(others.isEmpty, "the answer has \(others.joined(separator: ", ")), which the manifest does not name")
        try Verdict.require(asOf > Instant(milliseconds: 0), "the answer does not say for which moment it holds")
        guard !question.unknown.isEmpty else { return "answered; the bench knows of nothing that it would have to refuse" }
        let other = try await self.reply(question, arguments.overlaid(with: question.unknown))
        guard case .refused(let rejection) = other else {
            throw Verdict.failed("a question about something that is not there ended as \(other.word)")
        }
        try Verdict.require(!rejection.rule.isEmpty && !rejection.text.isEmpty, "the refusal has no rule or no words for people")
        return "answered; what is not there is refused: \(rejection.rule)"
    }

    /// Questions to an application that cannot be reached are not answered.
    func answersNothing(_ questions: [QuestionSample]) async throws -> String {
        let limit = manifest.answerTime + .seconds(1)
        var asked: [(QuestionSample, Fields)] = []
        for question in questions { asked.append((question, try await question.arguments())) }
        let prepared = asked
        try await with(.refused) {
            for (question, arguments) in prepared {
                let call = RunningCall { [driver] in try await Self.ask(driver, question, arguments) }
                guard let result = await call.result(within: limit) else {
                    call.cancel()
                    throw Verdict.failed("\(question.function) did not end within \(limit.formattedSeconds) s")
                }
                switch result {
                case .success(let reply):
                    throw Verdict.failed("\(question.function) ended as \(reply.word), and the application cannot be reached")
                case .failure(let error as DriverError):
                    try Verdict.require(
                        error.code == .unreachable || error.code == .noAnswer,
                        "\(question.function) ended as \(error) instead of unreachable")
                case .failure(let error): throw error
                }
            }
        }
        return "\(questions.count) functions say so"
    }

    /// The application's feed tells no change after questions.
    func writesNothing(_ questions: [QuestionSample]) async throws -> String {
        guard let capturing = driver as? any Capturing else { throw Verdict.absent("the driver captures nothing that would tell") }
        var asked: [(QuestionSample, Fields)] = []
        for question in questions { asked.append((question, try await question.arguments())) }
        var position: String?
        var quiet = ContinuousClock.now
        // What was there before, and what the questions' documents have told.
        while ContinuousClock.now - quiet < options.captureTime {
            if try await captured(capturing, &position).isEmpty {
                try await Task.sleep(for: options.captureTime / 20)
            } else {
                quiet = .now
            }
        }
        for (question, arguments) in asked { _ = try await reply(question, arguments) }
        let end = ContinuousClock.now + options.captureTime
        while ContinuousClock.now < end {
            if let change = try await captured(capturing, &position).first {
                throw Verdict.failed("questions have changed \(change.event.type) \(change.event.key?.rawValue ?? "")")
            }
            try await Task.sleep(for: options.captureTime / 20)
        }
        return "\(questions.count) functions asked, no change told within \(options.captureTime.formattedSeconds) s"
    }

    private func captured(_ capturing: any Capturing, _ position: inout String?) async throws -> [CapturedChange] {
        let after = position
        let batch = try await limited("a capture") { try await capturing.capture(after: after, limit: 500) }
        position = batch.position ?? position
        return batch.changes
    }

    private func reply(_ question: QuestionSample, _ arguments: Fields) async throws -> FunctionReply {
        try await asked("a question") { [driver] in try await Self.ask(driver, question, arguments) }
    }

    private static func ask(_ driver: any Driver, _ question: QuestionSample, _ arguments: Fields) async throws -> FunctionReply {
        guard let driver = driver as? any Answering else { throw Verdict.failed("the manifest has functions, and the driver answers none") }
        return try await driver.answer(Question(function: question.function, company: question.company, arguments: arguments))
    }
}

extension FunctionReply {
    /// For a report.
    fileprivate var word: String {
        switch self {
        case .says: "an answer"
        case .refused(let rejection): "a refusal (\(rejection))"
        case .cannotSay(let reason): "\"cannot say\" (\(reason))"
        }
    }
}
