import HubDriver
import HubModel
import PostgresClient
import Testing

@testable import PostgreSQL

/// What follows where a transaction was not kept, without a database.
@Suite struct WriteAttemptsTests {
    private func refusal(_ state: String) -> TransactionError {
        TransactionError(PostgresError(.statement, "no", state: SQLState(state)), isOutcomeUnknown: false)
    }

    /// The step's name, and of an answer the answer's.
    private func word(_ step: WriteAttempts.Step) -> String {
        switch step {
        case .again: "again"
        case .atOnce: "at once"
        case .withOtherShapes: "with other shapes"
        case .reconnect: "reconnect"
        case .answer(.later): "later"
        case .answer(.noAnswer): "no answer"
        case .answer(let other): "\(other)"
        case .refused: "refused"
        case .unreachable: "unreachable"
        }
    }

    private func words(_ attempts: inout WriteAttempts, _ states: [String]) -> [String] {
        var words: [String] = []
        for state in states { words.append(word(attempts.step(after: refusal(state)))) }
        return words
    }

    @Test func whatStandsInTheWayOfOthersIsTriedSomeTimesAndThenLater() {
        for state in ["40001", "40P01"] {
            var attempts = WriteAttempts(isCareful: false)
            #expect(words(&attempts, Array(repeating: state, count: 5)) == ["again", "again", "again", "again", "later"])
            // After a deadlock nothing is tried blindly, and whoever was let through is waited for.
            #expect(attempts.isCareful == (state == "40P01") && attempts.waits == (state == "40P01"))
        }
    }

    @Test func pausesGrow() {
        var attempts = WriteAttempts(isCareful: false)
        var last: UInt32 = 0
        for _ in 1..<WriteAttempts.most {
            guard case .again(let pause) = attempts.step(after: refusal("40001")) else {
                Issue.record("it is not tried again")
                return
            }
            #expect(pause.lowerBound > last && pause.upperBound <= 100_000)
            last = pause.lowerBound
        }
    }

    @Test func aRowThatIsHeldEndsTheFirstTryOnly() {
        var attempts = WriteAttempts(isCareful: false)
        #expect(words(&attempts, ["55P03", "55P03"]) == ["at once", "later"])
        #expect(attempts.isCareful && !attempts.waits)
    }

    @Test func afterADeadlockHeldRowsAreWaitedForAndThenPassedOver() {
        var attempts = WriteAttempts(isCareful: false)
        #expect(words(&attempts, ["40P01"]) == ["again"] && attempts.waits)
        #expect(words(&attempts, ["55P03"]) == ["at once"] && !attempts.waits && attempts.isCareful)
        #expect(words(&attempts, ["55P03"]) == ["later"])
    }

    @Test(arguments: [
        ("23505", "at once"), ("42703", "with other shapes"), ("57014", "later"), ("53200", "later"), ("25006", "unreachable"),
    ])
    func refusalsOfTheFirstTryAreLookedAtCarefully(_ state: String, _ expected: String) {
        var attempts = WriteAttempts(isCareful: false)
        #expect(words(&attempts, [state]) == [expected])
        var careful = WriteAttempts(isCareful: true)
        let refused = ["23505", "42703"].contains(state)
        #expect(words(&careful, [state]) == [refused ? "refused" : expected])
    }

    @Test func aCommitWithoutAnAnswerIsRepeatedOnceAndNeverCalledRefused() {
        var attempts = WriteAttempts(isCareful: false)
        let lost = TransactionError(PostgresError(.lost, "gone"), isOutcomeUnknown: true)
        #expect(word(attempts.step(after: lost)) == "reconnect" && attempts.isRepeated && attempts.isInDoubt && attempts.waits)
        var again = attempts
        #expect(word(again.step(after: lost)) == "unreachable")
        #expect(words(&attempts, ["23505"]) == ["no answer"])
        #expect(words(&attempts, Array(repeating: "40P01", count: 3)) == ["again", "again", "no answer"])
        if case .noAnswer = attempts.later(.seconds(1), "late") {} else { Issue.record("it may have been kept") }
    }

    @Test func whatIsBeingCreatedElsewhereIsLookedAtAgain() {
        var attempts = WriteAttempts(isCareful: true)
        var cause = PostgresError(.statement, "twice", state: .unique)
        (cause.schema, cause.constraint) = ("multipoint", "write_log_pkey")
        #expect(word(attempts.step(after: TransactionError(cause, isOutcomeUnknown: false))) == "again")
    }
}
