import HubDriver
import HubModel
import PostgresClient

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Carries one batch out: as one transaction where that goes well, in halves where the database refuses something in it.
struct BatchWork {
    let deliveries: [Delivery]
    let driver: PostgreSQLDriver
    let session: PostgresSession
    /// Nothing is committed past this.
    let until: ContinuousClock.Instant
    /// How often one transaction is tried where others stand in its way.
    private static let tries = 5

    private var answers: [Answer?]
    private var isAnythingDone = false

    init(_ deliveries: [Delivery], driver: PostgreSQLDriver, session: PostgresSession, until: ContinuousClock.Instant) {
        self.deliveries = deliveries
        self.driver = driver
        self.session = session
        self.until = until
        answers = Array(repeating: nil, count: deliveries.count)
    }

    /// One answer per delivery; a failure only where the whole batch had no effect for sure.
    mutating func run() -> Result<[Answer], DriverError> {
        do throws(PostgresError) {
            let connection = try session.connection()
            try driver.prepare(connection)
            for rest in rounds() { try work(rest) }
        } catch {
            let nothing = !isAnythingDone && answers.allSatisfy { if case .noAnswer? = $0 { false } else { true } }
            if nothing, error.kind != .usage { return .failure(PostgreSQLDriver.failure(error)) }
            let later = Answer.retry(after: .seconds(1), reason: error.description)
            return .success(answers.map { $0 ?? later })
        }
        return .success(answers.map { $0 ?? .noAnswer(reason: "the delivery was passed over") })
    }

    private struct Row: Hashable {
        var native: String
        var key: NativeKey
    }

    /// Deliveries that may stand in one transaction: no target and no row twice.
    private func rounds() -> [[Int]] {
        var rounds: [[Int]] = []
        var targets: [Set<Target>] = []
        var rows: [Set<Row>] = []
        for (index, delivery) in deliveries.enumerated() {
            let row = delivery.key.map { Row(native: delivery.native, key: $0) }
            let free = rounds.indices.first { round in
                !targets[round].contains(delivery.target) && row.map { !rows[round].contains($0) } ?? true
            }
            let round = free ?? rounds.count
            if free == nil {
                rounds.append([])
                targets.append([])
                rows.append([])
            }
            rounds[round].append(index)
            targets[round].insert(delivery.target)
            if let row { rows[round].insert(row) }
        }
        return rounds
    }

    /// - Parameter isCareful: nothing is tried without having been looked at.
    /// - Throws: where the database cannot be reached; deliveries without an answer had no effect.
    private mutating func work(_ places: [Int], isCareful: Bool = false) throws(PostgresError) {
        var attempt = 0
        var isCareful = isCareful
        var isRepeated = false
        // A COMMIT of this transaction has had no answer.
        var isInDoubt = false
        while true {
            attempt += 1
            guard ContinuousClock.now < until else {
                let reason = "the database took too long"
                return put(isInDoubt ? .noAnswer(reason: reason) : .retry(after: .seconds(1), reason: reason), places)
            }
            do throws(TransactionError) {
                let known = try session.transaction { connection throws(PostgresError) in
                    var transaction = WriteTransaction(
                        places.map { deliveries[$0] }, driver: driver, connection: connection, isRepeated: isRepeated,
                        isCareful: isCareful)
                    let answers = try transaction.run()
                    guard ContinuousClock.now < until else { throw PostgresError(.late, "the database took too long") }
                    return answers
                }
                for (place, answer) in zip(places, known) { answers[place] = answer }
                isAnythingDone = true
                return
            } catch {
                let cause = error.cause
                isInDoubt = isInDoubt || error.isOutcomeUnknown
                let isDoubled = cause.schema == "multipoint" && cause.constraint == "write_log_pkey"
                if cause.isTransient || isDoubled {
                    // Others stood in the way, or the same delivery was being written elsewhere: what it left is seen now.
                    guard attempt < Self.tries else {
                        let reason = cause.description
                        return put(isInDoubt ? .noAnswer(reason: reason) : .retry(after: .milliseconds(200), reason: reason), places)
                    }
                    usleep(UInt32.random(in: 1000...5000) << UInt32(attempt))
                    continue
                }
                switch cause.kind {
                case .lost where !isRepeated:
                    // Whether it was kept stands in the write log, which the repetition looks into first, waiting for the old one's locks.
                    isRepeated = true
                    session.drop()
                    do throws(PostgresError) { _ = try session.connection() } catch let reconnect {
                        if isInDoubt { put(.noAnswer(reason: cause.description), places) }
                        throw reconnect
                    }
                    continue
                case .lost, .unreachable:
                    if isInDoubt { put(.noAnswer(reason: cause.description), places) }
                    throw cause
                case .late, .usage:
                    if isInDoubt { return put(.noAnswer(reason: cause.message), places) }
                    return put(.retry(after: .seconds(1), reason: cause.message), places)
                case .statement:
                    // Refused now, but perhaps kept before: only a look after the settle time can tell.
                    if isInDoubt { return put(.noAnswer(reason: cause.description), places) }
                    if Refusal.isPassing(cause) { return put(.retry(after: .milliseconds(500), reason: cause.description), places) }
                    if cause.state == .readOnly { throw PostgresError(.unreachable, cause.description, state: cause.state) }
                    guard isCareful || isRepeated else {
                        // Whoever is at fault, the way of one step after the other finds out.
                        isCareful = true
                        if ["42", "0A"].contains(cause.state?.group) { driver.forgetShapes() }
                        continue
                    }
                    if places.count > 1 {
                        try work(Array(places[..<(places.count / 2)]), isCareful: true)
                        return try work(Array(places[(places.count / 2)...]), isCareful: true)
                    }
                    if [.noTable, .noColumn, .noSchema].contains(cause.state) { driver.forgetShapes() }
                    guard let place = places.first else { return }
                    let shape = try? driver.shape(deliveries[place].native, on: session.connection())
                    return put(.rejected(Refusal.rejection(cause, shape)), places)
                }
            }
        }
    }

    private mutating func put(_ answer: Answer, _ places: [Int]) { for place in places { answers[place] = answer } }
}
