import Foundation
import HubModel
import PostgresClient
import Synchronization

/// What the thread of a ``PostgresStore`` owns: the connection and the loop.
///
/// Whoever writes holds the one row of `store_turn` until its commit: transactions of several hubs run one after another, as those of one
/// hub do. The row names the last writer; another one's name there means that what is in memory may be old, and is forgotten.
// @unchecked Sendable because after the initialiser only the store's thread touches it, `statements` aside, which is safe by itself.
final class PostgresCore: @unchecked Sendable {
    let statements = Atomic<Int>(0)
    private let options: PostgresStoreOptions
    private let connection = StoreConnection()
    private let transaction: SQLTransaction<StoreConnection>
    private let lock: StoreLock?
    /// This store among those that write to the same tables.
    private let writer = UUID().uuidString
    private var needsReload = true
    /// The open transaction, by which the server can be asked afterwards whether it was kept.
    private var current = ""

    init(_ options: PostgresStoreOptions) throws(StoreError) {
        self.options = options
        transaction = SQLTransaction(connection, isReadOnly: false, limits: options.limits)
        let path = options.lockPath
        lock = if let path { try StoreLock(of: path) } else { nil }
        do throws(StoreError) {
            try connection.open(options.server)
            try options.schema.migrate(connection)
        } catch {
            connection.close()
            lock?.release()
            throw error
        }
    }

    /// Works until the queue has been closed and drained.
    func run(_ queue: SubmissionQueue) {
        while true {
            var submissions = queue.take()[...]
            if submissions.isEmpty { break }
            while !submissions.isEmpty { commit(&submissions) }
        }
        connection.close()
        lock?.release()
    }

    private typealias Run = [(submission: any Submitted, failure: StoreError?)]

    /// Runs as many as may share a commit, commits, and tells them.
    private func commit(_ submissions: inout ArraySlice<any Submitted>) {
        var run: Run = []
        defer {
            statements.store(connection.sent, ordering: .relaxed)
            for (submission, failure) in run { submission.finish(failure) }
        }
        do throws(StoreError) {
            try begin()
        } catch {
            connection.rollBack()
            run = submissions.prefix(options.limits.transactionsPerCommit).map { ($0, error) }
            submissions = submissions.dropFirst(run.count)
            return
        }
        let start = ContinuousClock.now
        repeat {
            guard let submission = submissions.popFirst() else { break }
            let failure = perform(submission)
            run.append((submission, failure))
            if connection.isBroken || connection.failure != nil {
                // What came before in this commit is gone too.
                return lose(&run, failure ?? connection.failure ?? StoreError(.failed, "The store's transaction was lost."))
            }
        } while run.count < options.limits.transactionsPerCommit && start.duration(to: .now) < options.limits.commitInterval
        do throws(StoreError) { try transaction.writeCounters() } catch { return lose(&run, error) }
        do throws(PostgresError) {
            try connection.commit()
            transaction.counters.written()
        } catch {
            if error.kind == .lost, wasKept() {
                needsReload = true
                return
            }
            lose(&run, StoreError(error))
        }
    }

    /// Opens a transaction and takes the turn, connecting anew where the connection was lost.
    private func begin() throws(StoreError) {
        if connection.isBroken { try reconnect() }
        connection.failure = nil
        do throws(StoreError) {
            try take()
        } catch {
            // The connection may have been lost since its last use; nothing has been done yet.
            guard connection.isBroken else { throw error }
            try reconnect()
            try take()
        }
    }

    private func take() throws(StoreError) {
        try connection.run("BEGIN")
        let turn = try connection.first("SELECT writer, version, pg_current_xact_id()::text FROM store_turn FOR UPDATE") { row in
            (writer: row.text(0), version: Int(row.integer(1)), transaction: row.text(2))
        }
        guard let turn else { throw StoreError(.corrupt, "The store's table store_turn is empty. Restore a backup.") }
        guard turn.version <= options.schema.steps.count else {
            throw StoreError(.newer, "A newer hub has brought the store to version \(turn.version). Install that hub.")
        }
        current = turn.transaction
        if turn.writer != writer {
            needsReload = true
            try connection.run("UPDATE store_turn SET writer = $1", .text(writer))
        }
        if needsReload {
            try transaction.reload()
            needsReload = false
        }
    }

    private func reconnect() throws(StoreError) {
        needsReload = true
        let start = ContinuousClock.now
        while true {
            do throws(StoreError) {
                return try connection.open(options.server)
            } catch {
                if start.duration(to: .now) > options.reconnectTime { throw error }
                Thread.sleep(forTimeInterval: 0.5)
            }
        }
    }

    /// Runs one body; what it did is undone where it fails.
    private func perform(_ submission: any Submitted) -> StoreError? {
        transaction.begin()
        do throws(StoreError) {
            try connection.run("SAVEPOINT body")
            if let failure = submission.run(transaction) { throw connection.failure ?? failure }
            try connection.run("RELEASE SAVEPOINT body")
            // A write that failed is this body's own, and no other's.
            try connection.settle()
            return nil
        } catch {
            if connection.isBroken { return error }
            transaction.rollBack()
            do throws(StoreError) { try connection.rollBackBody() } catch let further {
                connection.failure = further
            }
            return error
        }
    }

    /// Asks, on a new connection, whether the transaction whose COMMIT had no answer was kept.
    private func wasKept() -> Bool {
        guard (try? reconnect()) != nil else { return false }
        let start = ContinuousClock.now
        while start.duration(to: .now) < options.reconnectTime {
            let status = try? connection.first("SELECT pg_xact_status($1::xid8)", .text(current)) { $0.text(0) }
            switch status {
            case "committed"?: return true
            case "in progress"?: Thread.sleep(forTimeInterval: 0.05)
            case nil where connection.isBroken:
                guard (try? reconnect()) != nil else { return false }
            default: return false
            }
        }
        return false
    }

    /// Nothing of the commit has been kept.
    private func lose(_ run: inout Run, _ error: StoreError) {
        connection.rollBack()
        for place in run.indices where run[place].failure == nil { run[place].failure = error }
        needsReload = true
    }
}
