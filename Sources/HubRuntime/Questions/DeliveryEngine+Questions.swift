import HubDriver
import HubModel
import Synchronization

extension DeliveryEngine {
    /// Asks the application: questions stand in no queue of deliveries, go before them where a call becomes free, and share their breaker.
    func ask(_ question: Question, within deadline: Duration) async -> AskedQuestion.Ending {
        let refusal = state.withLock { $0.admitQuestion(now: hub.clock.now()) }
        if let refusal { return .cannotSay(reason: "\(application) \(refusal)", at: hub.clock.now()) }
        let turns = TakingTurns(engine: self, driver: driver)
        let (ending, error) = await AskedQuestion.reply(question, of: turns, application, within: deadline, clock: hub.clock)
        if let error { failed(error) }
        return ending
    }

    private func failed(_ error: DriverError) {
        // Silence within a question's own deadline says little: that is for deliveries and probes to judge.
        guard error.code == .unreachable || error.code == .unauthorised else { return }
        let isLost = state.withLock { state in
            guard state.breaker.isClosed else { return false }
            state.breaker.failed(now: hub.clock.now(), jitter: Double.random(in: 0..<1))
            return true
        }
        guard isLost else { return }
        lost(error)
        closeUp()
        bell.ring()
    }

    /// A call has ended: whoever has waited longest may ask.
    func giveTurns() {
        for turn in state.withLock({ $0.freeTurns() }) { turn.resume() }
    }

    /// The driver, asked when the application bears one more call. The count ends with the call itself, which a deadline may leave behind.
    private struct TakingTurns: Answering {
        let engine: DeliveryEngine
        let driver: any Driver
        var manifest: Manifest { driver.manifest }

        func answer(_ question: Question) async throws(DriverError) -> FunctionReply {
            await withCheckedContinuation { turn in
                if engine.state.withLock({ $0.takesTurn(turn) }) { turn.resume() }
            }
            defer {
                engine.state.withLock { $0.endQuestion() }
                engine.giveTurns()
                engine.bell.ring()
            }
            guard let driver = driver as? any Answering else { return .cannotSay(reason: "the driver answers no questions") }
            if Task.isCancelled { throw DriverError(.unreachable, "the question's time was over before its turn") }
            return try await driver.answer(question)
        }

        // Nothing but questions goes through this.
        func apply(_ batch: [Delivery]) async throws(DriverError) -> [HubModel.Answer] { try await driver.apply(batch) }
        func probe() async throws(DriverError) -> ApplicationIdentity { try await driver.probe() }
        func close() async {}
    }
}
