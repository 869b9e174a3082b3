import Dispatch
import Synchronization

/// A transaction that a failed statement forbids to keep, whatever its body makes of the error.
protocol RefusableTransaction: StoreTransaction {
    var refusal: StoreError? { get }
}

/// A transaction on its way to the store's thread.
protocol Submitted: AnyObject, Sendable {
    /// Runs the body and keeps its result; gives the error that undoes it.
    func run(_ transaction: any RefusableTransaction) -> StoreError?
    /// Tells whoever submitted it; `failure` where it was not kept.
    func finish(_ failure: StoreError?)
}

// @unchecked Sendable because `result` is touched only by the store's thread.
final class Submission<T: Sendable>: Submitted, @unchecked Sendable {
    private let body: @Sendable (any StoreTransaction) throws -> T
    private let completion: @Sendable (Result<T, StoreError>) -> Void
    private var result: T?

    init(
        _ body: @escaping @Sendable (any StoreTransaction) throws -> T, completion: @escaping @Sendable (Result<T, StoreError>) -> Void
    ) {
        self.body = body
        self.completion = completion
    }

    func run(_ transaction: any RefusableTransaction) -> StoreError? {
        do {
            result = try body(transaction)
            return transaction.refusal
        } catch {
            return StoreError(ofBody: error)
        }
    }

    func finish(_ failure: StoreError?) {
        if let failure {
            completion(.failure(failure))
        } else if let result {
            completion(.success(result))
        } else {
            completion(.failure(StoreError(.failed, "The transaction did not run.")))
        }
    }
}

/// The bounded queue in front of the store's thread.
final class SubmissionQueue: Sendable {
    private struct State {
        var submissions: [any Submitted] = []
        var isClosed = false
        /// The store's thread has found nothing and sleeps.
        var isSleeping = false
        /// Submitters that wait for room.
        var blocked: [DispatchSemaphore] = []
    }

    private let state = Mutex(State())
    private let arrival = DispatchSemaphore(value: 0)
    private let capacity: Int

    init(capacity: Int) { self.capacity = max(1, capacity) }

    /// Puts it at the end, waiting for room unless `isUrgent`; false where the queue has been closed.
    func add(_ submission: any Submitted, isUrgent: Bool) -> Bool {
        while true {
            let room = DispatchSemaphore(value: 0)
            enum Step { case added, closed, wait, wake }
            let step: Step = state.withLock { state in
                if state.isClosed { return .closed }
                if state.submissions.count >= capacity && !isUrgent {
                    state.blocked.append(room)
                    return .wait
                }
                state.submissions.append(submission)
                guard state.isSleeping else { return .added }
                state.isSleeping = false
                return .wake
            }
            switch step {
            case .added: return true
            case .closed: return false
            case .wait: room.wait()
            case .wake:
                arrival.signal()
                return true
            }
        }
    }

    /// All that has arrived; waits while that is nothing. Empty once closed and drained.
    func take() -> [any Submitted] {
        while true {
            let (taken, isClosed, blocked) = state.withLock { state in
                let taken = state.submissions
                state.submissions = []
                state.submissions.reserveCapacity(min(taken.count, capacity))
                state.isSleeping = taken.isEmpty && !state.isClosed
                let blocked = state.blocked
                state.blocked = []
                return (taken, state.isClosed, blocked)
            }
            for room in blocked { room.signal() }
            if !taken.isEmpty || isClosed { return taken }
            arrival.wait()
        }
    }

    /// Takes nothing more; what has been submitted is still given out.
    func close() {
        let (blocked, isSleeping) = state.withLock { state in
            state.isClosed = true
            let old = (state.blocked, state.isSleeping)
            state.blocked = []
            state.isSleeping = false
            return old
        }
        for room in blocked { room.signal() }
        if isSleeping { arrival.signal() }
    }
}
