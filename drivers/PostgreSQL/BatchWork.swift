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
            let later = Answer.later(after: .seconds(1), reason: error.description)
            return .success(answers.map { $0 ?? later })
        }
        return .success(answers.map { $0 ?? .noAnswer(reason: "the delivery was passed over") })
    }

    /// Deliveries that may stand in one transaction: no target and no row twice.
    private struct Round {
        private struct Row: Hashable {
            var native: String
            var key: NativeKey
        }

        private(set) var places: [Int] = []
        private var targets: Set<Target>
        private var rows: Set<Row>

        init(capacity: Int) {
            targets = Set(minimumCapacity: capacity)
            rows = Set(minimumCapacity: capacity)
        }

        /// - Returns: whether there is room for it.
        mutating func take(_ delivery: Delivery, at place: Int) -> Bool {
            guard targets.insert(delivery.target).inserted else { return false }
            if let key = delivery.key, !rows.insert(Row(native: delivery.native, key: key)).inserted {
                targets.remove(delivery.target)
                return false
            }
            places.append(place)
            return true
        }
    }

    private func rounds() -> [[Int]] {
        var rounds = [Round(capacity: deliveries.count)]
        for (place, delivery) in deliveries.enumerated() {
            var number = 0
            while !rounds[number].take(delivery, at: place) {
                number += 1
                if number == rounds.count { rounds.append(Round(capacity: 1)) }
            }
        }
        return rounds.map(\.places)
    }

    /// - Parameter isCareful: nothing is tried without having been looked at.
    /// - Throws: where the database cannot be reached; deliveries without an answer had no effect.
    private mutating func work(_ places: [Int], isCareful: Bool = false) throws(PostgresError) {
        var attempts = WriteAttempts(isCareful: isCareful)
        while true {
            guard ContinuousClock.now < until else { return put(attempts.later(.seconds(1), "the database took too long"), places) }
            do throws(TransactionError) {
                return try write(places, attempts)
            } catch {
                switch attempts.step(after: error) {
                case .again(let pause): usleep(UInt32.random(in: pause))
                case .atOnce: break
                case .withOtherShapes: driver.forgetShapes()
                case .reconnect:
                    session.drop()
                    do throws(PostgresError) { _ = try session.connection() } catch let reconnect {
                        if attempts.isInDoubt { put(.noAnswer(reason: error.cause.description), places) }
                        throw reconnect
                    }
                case .answer(let answer): return put(answer, places)
                case .refused(let cause): return try divide(places, cause)
                case .unreachable(let cause):
                    if attempts.isInDoubt { put(.noAnswer(reason: cause.description), places) }
                    throw cause
                }
            }
        }
    }

    /// One transaction.
    private mutating func write(_ places: [Int], _ attempts: WriteAttempts) throws(TransactionError) {
        let done = try session.transaction { connection throws(PostgresError) in
            var transaction = WriteTransaction(places.map { deliveries[$0] }, driver: driver, connection: connection, attempts)
            try transaction.run()
            guard ContinuousClock.now < until else { throw PostgresError(.late, "the database took too long") }
            return transaction
        } meanwhile: {
            $0.readBack()
        }
        for (place, answer) in zip(places, done.answers) { answers[place] = answer }
        isAnythingDone = true
    }

    /// What was refused is tried in halves, until the one delivery at fault stands alone.
    private mutating func divide(_ places: [Int], _ cause: PostgresError) throws(PostgresError) {
        if places.count > 1 {
            try work(Array(places[..<(places.count / 2)]), isCareful: true)
            return try work(Array(places[(places.count / 2)...]), isCareful: true)
        }
        if [.noTable, .noColumn, .noSchema].contains(cause.state) { driver.forgetShapes() }
        guard let place = places.first else { return }
        let shape = try? driver.shape(deliveries[place].native, on: session.connection())
        put(.rejected(Refusal.rejection(cause, shape)), places)
    }

    private mutating func put(_ answer: Answer, _ places: [Int]) { for place in places { answers[place] = answer } }
}
