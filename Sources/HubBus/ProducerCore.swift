import CRdKafka
import HubModel
import Logging

/// The inside of a producer: the thread that serves reports, the resend plan, and batches on their way.
///
/// `@unchecked Sendable` because shared state is in monitors, and `reports` is touched by the polling thread alone.
final class ProducerCore: ClientContext, @unchecked Sendable {
    typealias Completion = @Sendable ([Int: BusError]) -> Void

    /// One record on its way.
    private struct Sending: Sendable {
        var record: Record
        var batch: Int
        var index: Int
        /// Whether librdkafka holds it, so that a report will come.
        var isOut = false
        /// No longer in the plan; only its report is awaited.
        var isAbandoned = false
        var newestError: BusError?
    }

    private struct Batch: Sendable {
        var left: Int
        var first: UInt
        var count: Int
        var errors: [Int: BusError] = [:]
        var deadline: ContinuousClock.Instant
        var completion: Completion
    }

    private struct State: Sendable {
        var plan = ResendPlan()
        var sendings: [UInt: Sending] = [:]
        var batches: [Int: Batch] = [:]
        var nextNumber: UInt = 1
        var nextBatch = 0
        var bytes = 0
        /// When broken lanes are sent again; nil while none is broken.
        var resendAt: ContinuousClock.Instant?
        var backoff = ProducerCore.shortestBackoff
        /// Batches that have ended and whose completions are to be called, outside the lock.
        var ended: [Batch] = []
        /// How many completions are being called just now.
        var completing = 0

        var isIdle: Bool { sendings.isEmpty && completing == 0 }
        var isStopping = false
        var failure: BusError?
    }

    private static let shortestBackoff = Duration.milliseconds(50)
    private static let longestBackoff = Duration.seconds(2)
    private static let pollMilliseconds: Int32 = 50

    let transactionalID: String?
    let transaction = Monitor(TransactionState())
    private let limits: BusProducer.Limits
    private let monitor = Monitor(State())
    /// Set once by `start`, before any other thread sees this object.
    private var client: Client?
    private var thread: BusThread?
    /// The polling thread's own: the reports of one poll, worked on together.
    private var reports: [(number: UInt, error: rd_kafka_resp_err_t)] = []

    init(transactionalID: String?, limits: BusProducer.Limits, logger: Logger) {
        self.transactionalID = transactionalID
        self.limits = limits
        super.init(logger: logger)
    }

    /// The hub's own properties of a producer. The last three give way to the user's.
    static func properties(transactionalID: String?) -> [BusConfiguration.Property] {
        var properties = [
            ("enable.idempotence", "true"), ("acks", "all"), ("partitioner", "murmur2_random"),
            ("linger.ms", "5"), ("queue.buffering.max.messages", "200000"), ("queue.buffering.max.kbytes", "262144"),
        ]
        if let transactionalID { properties.append(("transactional.id", transactionalID)) }
        return properties.map { BusConfiguration.Property(name: $0.0, value: $0.1) }
    }

    func start(_ configuration: BusConfiguration, until deadline: ContinuousClock.Instant) throws(BusError) {
        let client = try Client(
            .producer, configuration, own: Self.properties(transactionalID: transactionalID), context: self)
        do throws(BusError) {
            self.client = client
            // The thread keeps this object alive until the client, which calls it back, is destroyed.
            thread = try BusThread("bus-producer") { self.run(client) }
        } catch {
            client.destroy()
            throw error
        }
        guard transactionalID != nil else { return }
        do throws(BusError) {
            try initTransactions(until: deadline)
        } catch {
            close(until: .now)
            throw error
        }
    }

    /// Runs `body` with librdkafka's instance.
    func use<R>(_ body: (OpaquePointer) throws(BusError) -> R) throws(BusError) -> R {
        guard let client else { throw BusError(.closed, "the producer is closed") }
        return try client.use(body)
    }

    // MARK: The caller's side

    func produce(_ records: [Record], deadline: ContinuousClock.Instant) throws(BusError) {
        if transactionalID != nil { return try produceTransaction(records, until: deadline) }
        let answer = Monitor<[Int: BusError]?>(nil)
        try submit(records, deadline: deadline) { errors in answer.update { $0 = errors } }
        let errors = answer.wait { $0 } ?? [:]
        guard let first = errors.min(by: { $0.key < $1.key }) else { return }
        var error = first.value
        error.message = "\(errors.count) of \(records.count) records not delivered, the first at index \(first.key): \(error.message)"
        throw error
    }

    func submit(_ records: [Record], deadline: ContinuousClock.Instant, completion: @escaping Completion) throws(BusError) {
        if transactionalID != nil {
            throw BusError(.unsupported, "a transactional producer takes whole transactions only: use produce")
        }
        if records.isEmpty { return completion([:]) }
        let bytes = records.reduce(0) { $0 + $1.size }
        try use { rk throws(BusError) in
            // A batch larger than the limits goes alone.
            let result = monitor.wait(until: deadline) { state -> Result<Void, BusError>? in
                if let failure = state.failure { return .failure(failure) }
                if state.isStopping { return .failure(BusError(.closed, "the producer is closed")) }
                let fits = state.sendings.count + records.count <= limits.records && state.bytes + bytes <= limits.bytes
                guard fits || state.sendings.isEmpty else { return nil }
                enter(records, bytes, deadline, completion, &state, rk)
                return .success(())
            }
            guard let result else {
                let reason = newestError.map { " (\($0.message))" } ?? ""
                throw BusError(.queueFull, "no room for \(records.count) more records in time\(reason)", isRetriable: true)
            }
            try result.get()
        }
    }

    func flush(deadline: ContinuousClock.Instant) throws(BusError) {
        guard monitor.wait(until: deadline, { $0.isIdle ? true : nil }) == nil else { return }
        let left = outstanding
        throw BusError(.timedOut, "\(left) records not delivered in time", isRetriable: true)
    }

    var outstanding: Int { monitor.withLock { $0.sendings.count } }

    func close(until deadline: ContinuousClock.Instant) {
        try? flush(deadline: deadline)
        monitor.update { $0.isStopping = true }
        if let thread, !thread.isCurrent { thread.join() }
    }

    // MARK: Under the lock

    private func enter(
        _ records: [Record], _ bytes: Int, _ deadline: ContinuousClock.Instant, _ completion: @escaping Completion,
        _ state: inout State, _ rk: OpaquePointer
    ) {
        let batch = state.nextBatch
        state.nextBatch += 1
        state.batches[batch] = Batch(
            left: records.count, first: state.nextNumber, count: records.count, deadline: deadline, completion: completion)
        state.bytes += bytes
        for (index, record) in records.enumerated() {
            let number = state.nextNumber
            state.nextNumber += 1
            state.sendings[number] = Sending(record: record, batch: batch, index: index)
            let lane = record.key.map { ResendPlan.Lane(topic: record.topic, partition: record.partition, key: $0) }
            if state.plan.add(number, lane: lane) { send(number, &state, rk) }
        }
    }

    /// Hands one record to librdkafka. What it refuses at once counts as a report of failure.
    private func send(_ number: UInt, _ state: inout State, _ rk: OpaquePointer) {
        guard let record = state.sendings[number]?.record else { return }
        let error = OutgoingRecord.enqueue(record, number: number, rk)
        if error == RD_KAFKA_RESP_ERR_NO_ERROR {
            state.sendings[number]?.isOut = true
        } else {
            notDelivered(number, error, &state)
        }
    }

    private func reported(_ number: UInt, _ error: rd_kafka_resp_err_t, _ state: inout State) {
        guard let sending = state.sendings[number] else { return }
        state.sendings[number]?.isOut = false
        if sending.isAbandoned {
            forget(number, &state)
        } else if error == RD_KAFKA_RESP_ERR_NO_ERROR {
            state.backoff = Self.shortestBackoff
            for settled in state.plan.delivered(number) { end(settled, nil, &state) }
        } else {
            notDelivered(number, error, &state)
        }
    }

    private func notDelivered(_ number: UInt, _ error: rd_kafka_resp_err_t, _ state: inout State) {
        guard let sending = state.sendings[number] else { return }
        let problem = BusError(error, "produce to \(sending.record.topic)")
        if problem.isRetriable {
            state.sendings[number]?.newestError = problem
            state.plan.failed(number)
            if state.resendAt == nil {
                state.resendAt = .now + state.backoff
                state.backoff = min(state.backoff * 2, Self.longestBackoff)
            }
        } else {
            if problem.isFatal { state.failure = state.failure ?? problem }
            let settled = state.plan.refused(number)
            end(number, problem, &state)
            for number in settled { end(number, nil, &state) }
        }
    }

    /// A record has come to its end for the caller.
    private func end(_ number: UInt, _ error: BusError?, _ state: inout State) {
        guard let sending = state.sendings[number], !sending.isAbandoned else { return }
        if sending.isOut { state.sendings[number]?.isAbandoned = true } else { forget(number, &state) }
        guard var batch = state.batches[sending.batch] else { return }
        batch.left -= 1
        if let error { batch.errors[sending.index] = error }
        state.batches[sending.batch] = batch.left > 0 ? batch : nil
        if batch.left == 0 { state.ended.append(batch) }
    }

    private func forget(_ number: UInt, _ state: inout State) {
        if let sending = state.sendings.removeValue(forKey: number) { state.bytes -= sending.record.size }
    }

    /// Gives up what is not settled of batches whose time is over (all of them when the producer ends).
    private func expire(_ state: inout State, reason: BusError?) {
        let now = ContinuousClock.now
        let expired = state.batches.filter { reason != nil || $0.value.deadline <= now }
        for batch in expired.values.sorted(by: { $0.first < $1.first }) {
            for number in batch.first..<batch.first + UInt(batch.count) {
                guard let sending = state.sendings[number], !sending.isAbandoned else { continue }
                for dropped in state.plan.abandon(number) {
                    let error: BusError
                    if dropped == number {
                        error =
                            reason ?? sending.newestError
                            ?? BusError(.timedOut, "no delivery report in time\(newestErrorText)", isRetriable: true)
                    } else {
                        error = BusError(
                            .predecessorFailed, "an older record of this key was not delivered in time", isRetriable: true)
                    }
                    end(dropped, error, &state)
                }
            }
        }
    }

    private var newestErrorText: String { newestError.map { " (\($0.message))" } ?? "" }

    // MARK: The polling thread's side

    private func run(_ client: Client) {
        try? client.use { rk throws(BusError) in
            while !monitor.withLock({ $0.isStopping }) {
                rd_kafka_poll(rk, Self.pollMilliseconds)
                work(rk)
            }
            rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
            rd_kafka_flush(rk, 1_000)
            work(rk)
            let closed = BusError(.closed, "the producer was closed before the record was delivered", isRetriable: true)
            finish { expire(&$0, reason: closed) }
        }
        client.destroy()
    }

    private func work(_ rk: OpaquePointer) {
        let reports = self.reports
        self.reports.removeAll(keepingCapacity: true)
        finish { state in
            for report in reports { reported(report.number, report.error, &state) }
            if !state.batches.isEmpty { expire(&state, reason: state.failure) }
            if let moment = state.resendAt, moment <= .now, !state.isStopping {
                for number in state.plan.takeResends() { send(number, &state, rk) }
                state.resendAt = state.plan.hasBroken ? .now + state.backoff : nil
            }
        }
    }

    /// Changes the state, then calls the completions of the batches that have ended by it.
    private func finish(_ change: (inout State) -> Void) {
        let ended = monitor.update { state in
            change(&state)
            defer { state.ended = [] }
            state.completing += state.ended.count
            return state.ended
        }
        guard !ended.isEmpty else { return }
        for batch in ended { batch.completion(batch.errors) }
        monitor.update { $0.completing -= ended.count }
    }

    override func reported(_ message: rd_kafka_message_t) {
        let number = UInt(bitPattern: message._private)
        if number != 0 {
            reports.append((number, message.err))
        } else if message.err != RD_KAFKA_RESP_ERR_NO_ERROR {
            transactionFailed(message.err)
        }
    }

    override func clientFailed(_ error: BusError) {
        super.clientFailed(error)
        if error.isFatal { monitor.update { $0.failure = $0.failure ?? error } }
    }
}
