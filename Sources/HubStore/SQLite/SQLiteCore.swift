import Foundation
import GRDB
import GRDBSQLite
import HubModel

/// What the thread of a ``SQLiteStore`` owns: the connection, the lock and the loop.
// @unchecked Sendable because after the initialiser only the store's thread touches it, `counter` aside, which is safe by itself.
final class SQLiteCore: @unchecked Sendable {
    let counter = StatementCounter()
    private let path: String
    private let options: SQLiteOptions
    private let lock: StoreLock
    let database: DatabaseQueue
    private let connection: SQLConnection
    private let transaction: SQLTransaction<SQLConnection>
    private let checkpointer: Checkpointer
    /// Pages in the write-ahead log at the end of the last commit.
    private let log = LogLength()
    /// The caches could not be filled again after a lost transaction: to be tried before the next one.
    private var needsReload = false

    init(path: String, options: SQLiteOptions) throws(StoreError) {
        self.path = path
        self.options = options
        let lock = try StoreLock(of: path)
        self.lock = lock
        do throws(StoreError) {
            var configuration = Configuration()
            configuration.label = "store"
            configuration.busyMode = .timeout(10)
            let database = try DatabaseQueue.opened(path, configuration)
            self.database = database
            let connection = SQLConnection(try database.handle(), counter: counter)
            self.connection = connection
            transaction = SQLTransaction(connection, isReadOnly: false, limits: options.limits)
            checkpointer = Checkpointer(path: path)
            do throws(StoreError) {
                try Self.prepare(database, connection, transaction, path: path, options: options)
                log.watch(connection.handle)
                checkpointer.start()
            } catch {
                database.inDatabase { _ in connection.close() }
                try? database.close()
                throw error
            }
        } catch {
            lock.release()
            throw error
        }
    }

    private static func prepare(
        _ database: DatabaseQueue, _ connection: SQLConnection, _ transaction: SQLTransaction<SQLConnection>, path: String,
        options: SQLiteOptions
    ) throws(StoreError) {
        try database.withConnection { () throws(StoreError) in
            try options.schema.check(connection, path: path, mustExist: false)
            // Counts only before the first table. Small pages: what a changed row costs is its whole page in the log.
            try connection.execute("PRAGMA page_size = 4096")
            try connection.execute("PRAGMA journal_mode = WAL")
            // After the journal mode: setting that resets this to NORMAL in some layers, and then a commit survives no power cut.
            try connection.execute("PRAGMA synchronous = FULL")
            try connection.execute("PRAGMA journal_size_limit = 134217728")
            try connection.execute("PRAGMA cache_size = -32768")
            try connection.execute("PRAGMA temp_store = MEMORY")
            try options.schema.migrate(connection)
            if let pages = options.maxPages { try connection.execute("PRAGMA max_page_count = \(pages)") }
            try transaction.reload()
        }
    }

    // MARK: The thread

    /// Works until the queue has been closed and drained.
    func run(_ queue: SubmissionQueue) {
        while true {
            var submissions = queue.take()[...]
            if submissions.isEmpty { break }
            while !submissions.isEmpty { commit(&submissions) }
        }
        checkpointer.close()
        database.inDatabase { _ in connection.close() }
        // What could not be closed ends with the process; the file is whole at any moment.
        try? database.close()
        lock.release()
    }

    /// Runs as many as may share a commit, commits, and tells them.
    private func commit(_ submissions: inout ArraySlice<any Submitted>) {
        var run: [(submission: any Submitted, failure: StoreError?)] = []
        database.inDatabase { _ in
            do throws(StoreError) {
                if needsReload {
                    try transaction.reload()
                    needsReload = false
                }
                try connection.run("BEGIN IMMEDIATE")
            } catch {
                run = submissions.prefix(options.limits.transactionsPerCommit).map { ($0, error) }
                submissions = submissions.dropFirst(run.count)
                return
            }
            let start = ContinuousClock.now
            repeat {
                guard let submission = submissions.popFirst() else { break }
                let isAlone = run.isEmpty && submissions.isEmpty
                let failure = perform(submission, isAlone: isAlone)
                run.append((submission, failure))
                if !connection.isInTransaction {
                    // SQLite has rolled everything back by itself, what came before in this commit too.
                    lose(&run, failure ?? StoreError(.failed, "\(path): the transaction was lost."))
                    return
                }
            } while run.count < options.limits.transactionsPerCommit && start.duration(to: .now) < options.limits.commitInterval
            do throws(StoreError) {
                try transaction.writeCounters()
                try connection.run("COMMIT")
                transaction.counters.written()
            } catch {
                lose(&run, error)
            }
        }
        for (submission, failure) in run { submission.finish(failure) }
        shortenLog()
    }

    /// Keeps the write-ahead log from growing without end.
    private func shortenLog() {
        if log.pages >= Checkpointer.late {
            log.pages = 0
            // Where it fails, the next commit tells the length again.
            _ = database.inDatabase { _ in
                sqlite3_wal_checkpoint_v2(connection.handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
            }
        } else if log.pages >= Checkpointer.early {
            checkpointer.ask()
        }
    }

    /// Runs one body; what it did is undone where it fails.
    private func perform(_ submission: any Submitted, isAlone: Bool) -> StoreError? {
        transaction.begin()
        do throws(StoreError) {
            if !isAlone { try connection.run("SAVEPOINT body") }
            if let failure = submission.run(transaction) { throw failure }
            if !isAlone { try connection.run("RELEASE body") }
            return nil
        } catch {
            guard connection.isInTransaction else { return error }
            transaction.rollBack()
            do throws(StoreError) {
                if isAlone {
                    try connection.run("ROLLBACK")
                    try connection.run("BEGIN IMMEDIATE")
                } else {
                    try connection.run("ROLLBACK TO body")
                    try connection.run("RELEASE body")
                }
            } catch {
                try? connection.execute("ROLLBACK")
            }
            return error
        }
    }

    /// Nothing of the commit has been kept.
    private func lose(_ run: inout [(submission: any Submitted, failure: StoreError?)], _ error: StoreError) {
        if connection.isInTransaction { try? connection.execute("ROLLBACK") }
        for place in run.indices where run[place].failure == nil { run[place].failure = error }
        do throws(StoreError) { try transaction.reload() } catch { needsReload = true }
    }
}

/// How long SQLite says that the write-ahead log is.
private final class LogLength {
    var pages: Int32 = 0

    /// In place of SQLite's own habit of shortening the log within a commit.
    func watch(_ handle: OpaquePointer) {
        // The connection is closed before this object goes: both belong to the same SQLiteCore.
        sqlite3_wal_hook(
            handle,
            { context, _, _, pages in
                if let context { Unmanaged<LogLength>.fromOpaque(context).takeUnretainedValue().pages = pages }
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}

extension DatabaseQueue {
    /// Opens a file, saying what is wrong with it in the store's words.
    static func opened(_ path: String, _ configuration: Configuration) throws(StoreError) -> DatabaseQueue {
        do { return try DatabaseQueue(path: path, configuration: configuration) } catch { throw StoreError(error, file: path) }
    }

    /// The connection itself, for ``SQLConnection``.
    func handle() throws(StoreError) -> OpaquePointer {
        // nonisolated(unsafe) because the queue keeps the connection open, and SQLConnection is used only inside it.
        nonisolated(unsafe) let handle = inDatabase { $0.sqliteConnection }
        guard let handle else { throw StoreError(.closed, "The database is closed.") }
        return handle
    }

    func withConnection<T>(_ work: () throws(StoreError) -> T) throws(StoreError) -> T {
        try inDatabase { _ in Result { () throws(StoreError) -> T in try work() } }.get()
    }
}
