import HubDriver
import HubModel
import PostgresClient

/// How one transaction of deliveries is tried, and what follows where it was not kept: plain state that is told what happened.
struct WriteAttempts {
    /// What is to be done next.
    enum Step {
        /// The same once more, after a pause of so many microseconds.
        case again(after: ClosedRange<UInt32>)
        /// The same once more, at once.
        case atOnce
        /// The same once more, with what the catalog says now.
        case withOtherShapes
        /// The same once more, on a new connection.
        case reconnect
        /// Every delivery has this answer.
        case answer(Answer)
        /// The database refuses it: the deliveries apart, and the one at fault alone.
        case refused(PostgresError)
        /// The database cannot be reached.
        case unreachable(PostgresError)
    }

    /// Nothing is tried without having been looked at.
    private(set) var isCareful: Bool
    /// The transaction may have been kept before: its connection broke.
    private(set) var isRepeated = false
    /// A COMMIT of this transaction has had no answer.
    private(set) var isInDoubt = false
    /// Somebody who stood in the way is about to end: rows that are held are waited for, and not passed over.
    private var waitsForOthers = false
    private var count = 0

    /// How often it is tried where others stand in its way.
    static let most = 5
    /// Microseconds; doubled with each try.
    private static let pause: ClosedRange<UInt32> = 1000...5000

    init(isCareful: Bool) { self.isCareful = isCareful }

    /// Rows that somebody holds are waited for, as long as the server lets a statement wait.
    var waits: Bool { isRepeated || waitsForOthers }

    /// What an error, or the time, makes of deliveries whose transaction has not been kept.
    func later(_ duration: Duration, _ reason: String) -> Answer {
        isInDoubt ? .noAnswer(reason: reason) : .later(after: duration, reason: reason)
    }

    /// A transaction was not kept, or nobody knows.
    mutating func step(after error: TransactionError) -> Step {
        let cause = error.cause
        count += 1
        isInDoubt = isInDoubt || error.isOutcomeUnknown
        let isDoubled = cause.schema == "multipoint" && cause.constraint == "write_log_pkey"
        if cause.isTransient || isDoubled {
            // Others stood in the way, or the same delivery was being written elsewhere: what it left is seen now.
            guard count < Self.most else { return .answer(later(.milliseconds(200), cause.description)) }
            if cause.state == .deadlock { (isCareful, waitsForOthers) = (true, true) }
            return .again(after: (Self.pause.lowerBound << UInt32(count))...(Self.pause.upperBound << UInt32(count)))
        }
        switch cause.kind {
        case .lost where !isRepeated:
            // Whether it was kept stands in the write log, which the repetition looks into first, waiting for the old one's locks.
            isRepeated = true
            return .reconnect
        case .lost, .unreachable: return .unreachable(cause)
        case .late: return .answer(later(.seconds(1), cause.message))
        case .usage: return .answer(isInDoubt ? .noAnswer(reason: cause.message) : .retry(after: .seconds(1), reason: cause.message))
        case .statement: return step(afterRefusal: cause)
        }
    }

    private mutating func step(afterRefusal cause: PostgresError) -> Step {
        // Refused now, but perhaps kept before: only a look after the settle time can tell.
        if isInDoubt { return .answer(.noAnswer(reason: cause.description)) }
        if cause.state == .lockTimeout, waitsForOthers {
            // They go on for longer than that: what they hold is passed over after all.
            waitsForOthers = false
            return .atOnce
        }
        // What is tried at once gives up early where a row is held; the careful way leaves that row out.
        let isImpatient = cause.state == .lockTimeout && !isCareful && !isRepeated
        if Refusal.isPassing(cause), !isImpatient { return .answer(later(.milliseconds(500), cause.description)) }
        if cause.state == .readOnly { return .unreachable(PostgresError(.unreachable, cause.description, state: cause.state)) }
        if isCareful || isRepeated { return .refused(cause) }
        // Whoever is at fault, the way of one step after the other finds out.
        isCareful = true
        return ["42", "0A"].contains(cause.state?.group) ? .withOtherShapes : .atOnce
    }
}
