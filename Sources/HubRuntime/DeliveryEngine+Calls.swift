import HubDelivery
import HubDriver
import HubModel
import HubRules
import Logging
import Synchronization

extension DeliveryEngine {
    /// Sends what has been decided, as far as the application's limits allow.
    func send() {
        while let batch = state.withLock({ $0.nextBatch(now: hub.clock.now()) }) {
            let now = hub.clock.now()
            let delivery = delivery
            let late = batch.calls.filter { !delivery.mayBeSent($0, now: now) }
            if late.count == batch.calls.count {
                finish(batch.calls.map { ($0, .unreachable) })
                continue
            }
            // Owned by the count of running calls: the engine does not end before each has been finished.
            Task { await self.carryOut(batch, late: Set(late.map(\.target.id))) }
        }
    }

    private func carryOut(_ batch: DeliveryState.Batch, late: Set<CanonicalID>) async {
        let calls = batch.calls.filter { !late.contains($0.target.id) }
        let replies = await replies(to: batch, calls)
        let lateReplies = batch.calls.filter { late.contains($0.target.id) }.map { ($0, DeliveryReply.unreachable) }
        finish(zip(calls, replies).map { ($0, $1) } + lateReplies)
    }

    private func finish(_ replies: [(DeliveryCall, DeliveryReply)]) {
        let now = hub.clock.now()
        let delivered = state.withLock { state -> [Int64] in
            defer { state.ended(replies) }
            return replies.compactMap { call, reply in
                guard case .answer(.written) = reply else { return nil }
                return state.origin(call.target.id)
            }
        }
        giveTurns()
        tellRejections(in: replies, now: now)
        for origin in delivered { hub.events.delivered(application, now - Instant(milliseconds: origin)) }
        bell.ring()
    }

    /// Calls the driver, under the manifest's time limit, and makes one reply per call of what comes back.
    private func replies(to batch: DeliveryState.Batch, _ calls: [DeliveryCall]) async -> [DeliveryReply] {
        let limit = hub.plan.applications[application]?.manifest.answerTime ?? .seconds(10)
        do throws(DriverError) {
            let replies: [DeliveryReply]
            switch batch {
            case .apply:
                let deliveries = calls.compactMap { call in if case .apply(let delivery) = call.kind { delivery } else { nil } }
                let answers = try await Deadline.run(limit) { [driver] () throws(DriverError) in try await driver.apply(deliveries) }
                replies = answers.map { .answer($0) }
            case .lookUp:
                guard let driver = driver as? any LookingUp else {
                    throw DriverError(.protocolViolation, "the driver cannot look documents up, and a create has no answer")
                }
                let questions = calls.compactMap { call in if case .lookUp(let question) = call.kind { question } else { nil } }
                replies = try await Deadline.run(limit) { () throws(DriverError) in try await driver.lookUp(questions) }.map {
                    .documents($0)
                }
            case .read:
                guard let driver = driver as? any Reading else {
                    throw DriverError(.protocolViolation, "the driver cannot read documents, and they have no version token")
                }
                let questions = calls.compactMap { call in if case .read(let question) = call.kind { question } else { nil } }
                replies = try await Deadline.run(limit) { () throws(DriverError) in try await driver.read(questions) }.map { .document($0) }
            }
            guard replies.count == calls.count else {
                throw DriverError(.protocolViolation, "the driver gave \(replies.count) answers to \(calls.count) calls")
            }
            note(replies)
            return replies
        } catch {
            return failed(error, calls)
        }
    }

    private func note(_ replies: [DeliveryReply]) {
        let isSilent = replies.allSatisfy { if case .answer(.noAnswer) = $0 { true } else { false } }
        let now = hub.clock.now()
        state.withLock { state in
            if isSilent {
                state.breaker.silent(now: now, jitter: Double.random(in: 0..<1))
            } else if state.breaker.isClosed {
                state.breaker.succeeded()
            }
        }
        closeUp()
    }

    /// The whole call failed: what it may have done, each of its deliveries may have done.
    private func failed(_ error: DriverError, _ calls: [DeliveryCall]) -> [DeliveryReply] {
        let now = hub.clock.now()
        let mayHaveEffect = error.code == .noAnswer || error.code == .protocolViolation
        let isFirst = state.withLock { state in
            let wasClosed = state.breaker.isClosed
            if mayHaveEffect {
                state.breaker.silent(now: now, jitter: Double.random(in: 0..<1))
            } else {
                state.breaker.failed(now: now, jitter: Double.random(in: 0..<1))
            }
            return wasClosed && !state.breaker.isClosed
        }
        if isFirst { lost(error) }
        closeUp()
        return calls.map { call in
            guard mayHaveEffect, call.write != nil else { return .unreachable }
            return .answer(.noAnswer(reason: error.message))
        }
    }

    /// An open breaker gives back what has been decided and not sent.
    func closeUp() {
        state.withLock { state in if !state.breaker.isClosed { state.refuseQueued() } }
    }

    func lost(_ error: DriverError) {
        state.withLock { $0.trouble = error.message }
        hub.logger.warning("\(application) cannot be reached, its deliveries wait: \(error)")
        hub.keepAbsence(of: application, error.message)
        hub.events.reachable(application, false)
    }

    /// Knocks at an application that was lost, and goes on by itself when it answers.
    func probeWhenDue(_ now: Instant) {
        guard state.withLock({ $0.breaker.startsProbe(now: now) }) else { return }
        let limit = hub.plan.applications[application]?.manifest.answerTime ?? .seconds(10)
        // Owned by the breaker's state: there is one probe at a time, and the engine's end does not depend on it.
        Task {
            do throws(DriverError) {
                let driver = self.driver
                let identity = try await Deadline.run(limit) { () throws(DriverError) in try await driver.probe() }
                try self.hub.meet(self.application, identity)
                try await self.hub.discoverWhenDue(self.application, driver)
                let wasLost = self.state.withLock { state in
                    defer { state.breaker.succeeded() }
                    state.needsResume = true
                    state.trouble = nil
                    return state.breaker.failures > 0
                }
                if wasLost { self.hub.logger.notice("\(self.application) answers again") }
                self.hub.keepAbsence(of: self.application, nil)
                self.hub.events.reachable(self.application, true)
            } catch {
                let now = self.hub.clock.now()
                let before = self.state.withLock { state in
                    state.breaker.failed(now: now, jitter: Double.random(in: 0..<1))
                    defer { state.trouble = error.message }
                    return state.trouble
                }
                // Calls without an answer may have opened the breaker without a word.
                if before == nil {
                    self.lost(error)
                } else if before != error.message {
                    self.hub.keepAbsence(of: self.application, error.message)
                }
            }
            self.bell.ring()
        }
    }
}
