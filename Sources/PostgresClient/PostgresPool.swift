import Foundation
import Synchronization

/// A few connections, each on a thread of its own, with one bounded queue of jobs in front: what lets asynchronous code use libpq.
///
/// A connection is made when its first job comes, and made again when it was lost.
package final class PostgresPool: Sendable {
    private struct State {
        var jobs: ArraySlice<any PostgresJob> = []
        var isClosed = false
        var running = 0
        var isDone: [CheckedContinuation<Void, Never>] = []
    }

    private let options: PostgresOptions
    private let capacity: Int
    private let connections: Int
    private let state = Mutex(State())
    private let arrival = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - connections: threads, and connections at most.
    ///   - capacity: jobs that wait; more are refused.
    package init(_ options: PostgresOptions, connections: Int, capacity: Int = 256) {
        self.options = options
        self.capacity = capacity
        self.connections = max(1, connections)
        state.withLock { $0.running = self.connections }
        for number in 0..<self.connections {
            let thread = Thread { [self] in work() }
            thread.name = "\(options.name)-\(number)"
            thread.start()
        }
    }

    /// Runs a job on a connection.
    ///
    /// - Parameters:
    ///   - patience: a job that has not begun by then is not begun at all.
    ///   - body: may not keep the session. It is never run twice.
    package func perform<T: Sendable>(
        patience: Duration, _ body: @escaping @Sendable (PostgresSession) throws(PostgresError) -> T
    ) async throws(PostgresError) -> T {
        let until = ContinuousClock.now + patience
        let result: Result<T, PostgresError> = await withCheckedContinuation { continuation in
            let job = Job(until: until, body: body) { continuation.resume(returning: $0) }
            let refusal: PostgresError? = state.withLock { state in
                if state.isClosed { return PostgresError(.usage, "The connections have been closed.") }
                if state.jobs.count >= capacity { return PostgresError(.late, "\(capacity) calls wait for a connection already.") }
                state.jobs.append(job)
                return nil
            }
            if let refusal { continuation.resume(returning: .failure(refusal)) } else { arrival.signal() }
        }
        return try result.get()
    }

    /// Ends after the jobs that have been handed over; returns when the connections are closed.
    package func close() async {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                state.isClosed = true
                if state.running > 0 { state.isDone.append(continuation) }
                return state.running == 0
            }
            if isDone { continuation.resume() }
            for _ in 0..<connections { arrival.signal() }
        }
    }

    private func work() {
        let session = PostgresSession(options)
        while true {
            arrival.wait()
            let (job, isClosed) = state.withLock { ($0.jobs.popFirst(), $0.isClosed) }
            if let job {
                job.run(session)
            } else if isClosed {
                break
            }
        }
        session.drop()
        let waiting = state.withLock { state in
            state.running -= 1
            guard state.running == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.isDone = [] }
            return state.isDone
        }
        for continuation in waiting { continuation.resume() }
    }

    private struct Job<T: Sendable>: PostgresJob {
        let until: ContinuousClock.Instant
        let body: @Sendable (PostgresSession) throws(PostgresError) -> T
        let completion: @Sendable (Result<T, PostgresError>) -> Void

        func run(_ session: PostgresSession) {
            guard ContinuousClock.now < until else {
                return completion(.failure(PostgresError(.late, "No connection was free in time.")))
            }
            do throws(PostgresError) {
                completion(.success(try body(session)))
            } catch {
                completion(.failure(error))
            }
        }
    }
}

private protocol PostgresJob: Sendable {
    func run(_ session: PostgresSession)
}
