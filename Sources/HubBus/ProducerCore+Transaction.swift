import CRdKafka
import HubModel

/// What one transactional producer knows of its transaction.
struct TransactionState: Sendable {
    /// One transaction at a time.
    var isBusy = false
    /// A commit that was neither confirmed nor refused: it has to be finished before anything else.
    var hasOpenCommit = false
    /// The newest failure of a record within the transaction.
    var recordError: BusError?
}

extension ProducerCore {
    private static let retryPause = Duration.milliseconds(100)
    private static let abortTime = Duration.seconds(5)

    /// Registers the transactional id with the broker, which fences whoever used it before.
    func initTransactions(until deadline: ContinuousClock.Instant) throws(BusError) {
        try use { rk throws(BusError) in
            while let error = rd_kafka_init_transactions(rk, max(1, deadline.millisecondsLeft)) {
                var problem = BusError(consuming: error, "register transactional id \(transactionalID ?? "")")
                if let newestError, problem.code == .timedOut { problem.message += " (\(newestError.message))" }
                guard problem.isRetriable, ContinuousClock.now < deadline else { throw problem }
                pause(until: deadline)
            }
        }
    }

    /// One transaction with all records; repeated as a whole until it succeeds or the deadline passes.
    func produceTransaction(_ records: [Record], until deadline: ContinuousClock.Instant) throws(BusError) {
        let isMine = transaction.wait(until: deadline) { state -> Bool? in
            guard !state.isBusy else { return nil }
            state.isBusy = true
            return true
        }
        guard isMine == true else { throw BusError(.timedOut, "another transaction took until the deadline", isRetriable: true) }
        defer { transaction.update { $0.isBusy = false } }
        try use { rk throws(BusError) in
            if transaction.withLock({ $0.hasOpenCommit }) { try finishOpenCommit(rk, until: deadline) }
            while true {
                do throws(BusError) {
                    return try attempt(records, rk, until: deadline)
                } catch {
                    // What the library saw of a fencing is in its fatal error; the failed call often says less.
                    if let fatal = BusError(fatalErrorOf: rk, "transaction \(transactionalID ?? "")") { throw fatal }
                    guard error.isRetriable, error.code != .outcomeUnknown, ContinuousClock.now < deadline else { throw error }
                    pause(until: deadline)
                }
            }
        }
    }

    /// Asks again about a commit whose outcome was open. Where the broker has given it up its records did not take effect: whoever was
    /// told `outcomeUnknown` produces them again in any case.
    private func finishOpenCommit(_ rk: OpaquePointer, until deadline: ContinuousClock.Instant) throws(BusError) {
        do throws(BusError) {
            try commit(rk, until: deadline)
        } catch {
            if error.isFatal || error.code == .outcomeUnknown { throw error }
            try abort(rk)
        }
    }

    private func abort(_ rk: OpaquePointer) throws(BusError) {
        if let failure = rd_kafka_abort_transaction(rk, Int32(Self.abortTime.components.seconds) * 1000) {
            throw BusError(consuming: failure, "abort transaction")
        }
    }

    private func attempt(_ records: [Record], _ rk: OpaquePointer, until deadline: ContinuousClock.Instant) throws(BusError) {
        transaction.withLock { $0.recordError = nil }
        if let error = rd_kafka_begin_transaction(rk) { throw BusError(consuming: error, "begin transaction") }
        do throws(BusError) {
            for record in records { try enqueue(record, rk, until: deadline) }
            try commit(rk, until: deadline)
        } catch {
            if error.isFatal || error.code == .outcomeUnknown { throw error }
            try abort(rk)
            // Why a record failed says more than that the commit did; and only some reasons pass.
            throw transaction.withLock { $0.recordError } ?? error
        }
    }

    private func enqueue(_ record: Record, _ rk: OpaquePointer, until deadline: ContinuousClock.Instant) throws(BusError) {
        while true {
            let error = OutgoingRecord.enqueue(record, number: 0, rk)
            if error == RD_KAFKA_RESP_ERR_NO_ERROR { return }
            let problem = BusError(error, "produce to \(record.topic)")
            guard error == RD_KAFKA_RESP_ERR__QUEUE_FULL, ContinuousClock.now < deadline else { throw problem }
            transaction.wait(until: .now + .milliseconds(10)) { $0.recordError == nil ? nil : true }
        }
    }

    /// Commits, asking again as long as the answer is open. Throws a retriable error where the transaction has to be aborted.
    private func commit(_ rk: OpaquePointer, until deadline: ContinuousClock.Instant) throws(BusError) {
        transaction.withLock { $0.hasOpenCommit = true }
        while let error = rd_kafka_commit_transaction(rk, max(1, deadline.millisecondsLeft)) {
            let mustAbort = rd_kafka_error_txn_requires_abort(error) == 1
            var problem = BusError(consuming: error, "commit transaction")
            if mustAbort || problem.isFatal {
                transaction.withLock { $0.hasOpenCommit = false }
                problem.isRetriable = mustAbort
                throw problem
            }
            guard problem.isRetriable else { throw problem }
            if ContinuousClock.now >= deadline {
                problem.code = .outcomeUnknown
                problem.message += "; whether it took effect is open until the next transaction"
                throw problem
            }
            pause(until: deadline)
        }
        transaction.withLock { $0.hasOpenCommit = false }
    }

    /// A record of the running transaction was not delivered.
    func transactionFailed(_ error: rd_kafka_resp_err_t) {
        // Records purged by an abort say nothing about why it was aborted.
        guard error != RD_KAFKA_RESP_ERR__PURGE_QUEUE, error != RD_KAFKA_RESP_ERR__PURGE_INFLIGHT else { return }
        transaction.update { $0.recordError = $0.recordError ?? BusError(error, "produce in transaction") }
    }

    private func pause(until deadline: ContinuousClock.Instant) {
        transaction.wait(until: min(deadline, .now + Self.retryPause)) { _ -> Bool? in nil }
    }
}
