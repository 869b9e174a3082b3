import HubDriver
import HubModel

extension DeliveryState {
    typealias Turn = CheckedContinuation<Void, Never>

    /// Questions to an application, beside its deliveries: together they stay within its limits.
    struct Questions: Sendable {
        /// Under way, or waiting for their turn.
        var admitted = 0
        /// Under way.
        var running = 0
        var waiting: [Turn] = []
    }

    /// Where there is more than one call at once, one is left for deliveries.
    private var questionLimit: Int { max(1, limits.concurrentCalls - 1) }

    /// Counts a question in; tells why it cannot be asked now, or nil where it can.
    mutating func admitQuestion(now: Instant) -> String? {
        guard breaker.isClosed else { return trouble.map { "cannot be reached: \($0)" } ?? "has not been reached yet" }
        guard questions.admitted < questionLimit else { return "is busy with \(questions.admitted) questions, and bears no more at once" }
        guard spendsCall(now: now) else { return "bears no more calls in this minute" }
        questions.admitted += 1
        return nil
    }

    /// True where the question may be asked at once; otherwise its turn comes when a call has ended.
    mutating func takesTurn(_ turn: Turn) -> Bool {
        guard hasFreeCall else {
            questions.waiting.append(turn)
            return false
        }
        questions.running += 1
        return true
    }

    mutating func endQuestion() {
        questions.running -= 1
        questions.admitted -= 1
    }

    /// The turns that have come.
    mutating func freeTurns() -> [Turn] {
        var turns: [Turn] = []
        while hasFreeCall, !questions.waiting.isEmpty {
            questions.running += 1
            turns.append(questions.waiting.removeFirst())
        }
        return turns
    }

    private var hasFreeCall: Bool { running + questions.running < max(1, limits.concurrentCalls) }
}
