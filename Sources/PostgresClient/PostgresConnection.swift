import CPostgres
import HubModel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// One connection, for one thread. Statements go out in libpq's pipeline mode: ``send(_:_:)`` only queues them,
/// ``receive()`` waits for all that have been sent.
///
/// Outside a transaction of its own (`BEGIN`), all that stands between two ``receive()`` is one transaction.
package final class PostgresConnection {
    private enum Pending {
        case preparation(String)
        case statement
        /// A statement whose result nobody wants.
        case silent
        case sync
    }

    let handle: OpaquePointer
    private let options: PostgresOptions
    private var pending: ArraySlice<Pending> = []
    /// Results of ``Pending/statement`` that came while statements were still being sent.
    private var early: [Result<PostgresResult, PostgresError>] = []
    private var arguments = ArgumentBuffer()
    private var statements = StatementCache()
    /// The server has refused something since the last sync: all up to the next one is skipped.
    private var failure: PostgresError?
    /// The connection cannot be used any more.
    package private(set) var isBroken = false
    /// Statements sent, for benchmarks.
    package private(set) var sent = 0

    /// Connects. Blocks.
    package convenience init(_ options: PostgresOptions) throws(PostgresError) { try self.init(options, isReplication: false) }

    /// - Parameter isReplication: the server takes commands of the replication protocol, and no pipelines.
    init(_ options: PostgresOptions, isReplication: Bool) throws(PostgresError) {
        self.options = options
        // What stands before dbname is overruled by the connection string, what stands behind it overrules that.
        var parameters: [(String, String)] = [
            ("connect_timeout", String(max(2, options.connectSeconds))), ("application_name", options.name),
            ("tcp_user_timeout", String(options.patience.milliseconds)), ("keepalives_idle", "30"), ("dbname", options.connection),
        ]
        if let password = options.password { parameters.append(("password", password)) }
        parameters.append(("client_encoding", "UTF8"))
        if isReplication { parameters.append(("replication", "database")) }
        guard let handle = Self.connect(parameters) else { throw PostgresError(.unreachable, "There is no memory for a connection.") }
        self.handle = handle
        guard PQstatus(handle) == CONNECTION_OK else {
            let error = PostgresError(.unreachable, Self.message(handle), state: Self.refusal(handle))
            close()
            throw error
        }
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        do throws(PostgresError) {
            try script(Self.session(options))
            guard PQsetnonblocking(handle, 1) == 0, isReplication || PQenterPipelineMode(handle) == 1 else {
                throw PostgresError(.unreachable, Self.message(handle))
            }
        } catch {
            close()
            throw error
        }
    }

    deinit { close() }

    /// Ends the connection; an open transaction is rolled back.
    package func close() {
        if !isFinished { PQfinish(handle) }
        isFinished = true
        isBroken = true
    }
    private var isFinished = false

    /// The process that serves this connection.
    package var serverProcess: Int32 { isFinished ? 0 : PQbackendPID(handle) }
    /// The server's version: 150018 for 15.18.
    package var serverVersion: Int { isFinished ? 0 : Int(PQserverVersion(handle)) }
    /// The connection is encrypted.
    package var isEncrypted: Bool { !isFinished && PQsslInUse(handle) == 1 }

    /// How every session reads and writes values.
    private static func session(_ options: PostgresOptions) -> String {
        func milliseconds(_ duration: Duration?) -> String { String(max(0, duration?.milliseconds ?? 0)) }
        return """
            SET datestyle = 'ISO, YMD'; SET intervalstyle = 'iso_8601'; SET timezone = 'UTC'; SET bytea_output = 'hex';
            SET extra_float_digits = 1; SET standard_conforming_strings = on;
            SET statement_timeout = \(milliseconds(options.statementTimeout)); SET lock_timeout = \(milliseconds(options.lockTimeout));
            SET idle_in_transaction_session_timeout = \(milliseconds(options.patience + options.patience))
            """
    }

    private static func connect(_ parameters: [(String, String)]) -> OpaquePointer? {
        let names = parameters.map { strdup($0.0) }
        let values = parameters.map { strdup($0.1) }
        defer { for text in names + values { free(text) } }
        return (names.map { UnsafePointer<CChar>($0) } + [nil]).withUnsafeBufferPointer { names in
            (values.map { UnsafePointer<CChar>($0) } + [nil]).withUnsafeBufferPointer { values in
                guard let n = names.baseAddress, let v = values.baseAddress else { return nil }
                return PQconnectdbParams(n, v, 1)
            }
        }
    }

    /// libpq tells no SQLSTATE of a connection that was refused; of a password it at least tells that it was asked for one.
    private static func refusal(_ handle: OpaquePointer) -> SQLState? {
        PQconnectionNeedsPassword(handle) == 1 || PQconnectionUsedPassword(handle) == 1 && message(handle).contains("authentication")
            ? .wrongPassword : nil
    }

    private static func message(_ handle: OpaquePointer) -> String {
        let text = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
        return text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    // MARK: Statements

    /// Runs statements that are not worth preparing, several separated by semicolons, as one transaction. Blocks.
    package func script(_ sql: String) throws(PostgresError) { _ = try simple(sql) }

    /// The result of one statement that goes out as a script does: a command of the replication protocol.
    func ask(_ sql: String) throws(PostgresError) -> PostgresResult {
        guard let result = try simple(sql) else { throw PostgresError(.lost, "The server gave no result.") }
        return result
    }

    private func simple(_ sql: String) throws(PostgresError) -> PostgresResult? {
        try drain()
        guard !isBroken else { throw lost() }
        let wasPipeline = PQpipelineStatus(handle) != PQ_PIPELINE_OFF
        if wasPipeline { PQexitPipelineMode(handle) }
        defer { if wasPipeline && !isBroken { PQenterPipelineMode(handle) } }
        guard PQsendQuery(handle, sql) == 1 else { throw broken() }
        var first: PostgresError?
        var last: PostgresResult?
        while let raw = try next() {
            last = PostgresResult(raw)
            switch PQresultStatus(raw) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: break
            default: first = first ?? error(raw)
            }
        }
        if let first { throw first }
        return last
    }

    /// Runs one statement and waits for it, and for all that was sent before it: the first failure of any is thrown.
    @discardableResult
    package func run(_ sql: String, _ arguments: [PostgresValue] = []) throws(PostgresError) -> PostgresResult {
        try send(sql, arguments)
        let results = try receive()
        for case .failure(let error) in results { throw error }
        guard case .success(let result)? = results.last else { throw PostgresError(.lost, "The server gave no result.") }
        return result
    }

    /// Queues a statement. It goes out with what follows; ``receive()`` gives its result.
    package func send(_ sql: String, _ arguments: [PostgresValue] = []) throws(PostgresError) {
        try send(sql, arguments, as: .statement)
    }

    /// Queues a statement whose result nobody wants; its failure is thrown by what waits next.
    package func post(_ sql: String, _ arguments: [PostgresValue] = []) throws(PostgresError) {
        try send(sql, arguments, as: .silent)
        // What has been answered is taken while it is small, and what has been sent leaves libpq's memory.
        if pending.count >= 512 { try settle { early.append($0) } }
    }

    private func send(_ sql: String, _ values: [PostgresValue], as kind: Pending) throws(PostgresError) {
        guard !isBroken else { throw lost() }
        try arguments.fill(values)
        let statement: String
        switch statements.name(of: sql, limit: options.preparedStatements) {
        case .known(let name): statement = name
        case .new(let name, let evicted):
            if let evicted {
                try queue(PQsendQueryParams(handle, "DEALLOCATE \(evicted)", 0, nil, nil, nil, nil, 0), .silent)
            }
            try queue(PQsendPrepare(handle, name, sql, 0, nil), .preparation(sql))
            statement = name
        }
        sent += 1
        let code = arguments.bytes.withUnsafeBytes { bytes in
            let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            let pointers = arguments.starts.map { place in place.flatMap { start?.advanced(by: $0) } }
            return PQsendQueryPrepared(
                handle, statement, Int32(pointers.count), pointers, arguments.lengths, arguments.formats, 0)
        }
        try queue(code, kind)
    }

    private func queue(_ code: Int32, _ kind: Pending) throws(PostgresError) {
        guard code == 1 else { throw broken() }
        pending.append(kind)
    }

    /// Has the server begin with what has been sent, while the caller prepares more.
    package func push() throws(PostgresError) {
        guard !isBroken else { throw lost() }
        guard PQsendFlushRequest(handle) == 1, PQflush(handle) >= 0 else { throw broken() }
    }

    /// Waits for all that has been sent: one result per ``send(_:_:)``, in order. After a failure the rest is skipped by the server.
    package func receive() throws(PostgresError) -> [Result<PostgresResult, PostgresError>] {
        var results: [Result<PostgresResult, PostgresError>] = []
        try receive { results.append($0) }
        return results
    }

    /// As ``receive()``, handing each result over as it comes, while the server works on the next one.
    package func receive(_ take: (Result<PostgresResult, PostgresError>) -> Void) throws(PostgresError) {
        guard !isBroken else { throw lost() }
        try queue(PQpipelineSync(handle), .sync)
        var hasFailed = false
        func hand(_ result: Result<PostgresResult, PostgresError>) {
            if case .failure = result { hasFailed = true }
            take(result)
        }
        let before = early
        early = []
        before.forEach(hand)
        try settle(hand)
        // Of a failed statement without a result of its own, somebody has to hear.
        if let failure {
            self.failure = nil
            if !hasFailed { throw failure }
        }
    }

    /// Takes all results that are under way.
    private func settle(_ hand: (Result<PostgresResult, PostgresError>) -> Void) throws(PostgresError) {
        if case .sync? = pending.last {
        } else if !pending.isEmpty {
            guard PQsendFlushRequest(handle) == 1 else { throw broken() }
        }
        while let awaited = pending.popFirst() {
            if case .sync = awaited {
                guard let raw = try next() else { throw broken() }
                PQclear(raw)
                continue
            }
            guard let raw = try next() else { throw broken() }
            let result = PostgresResult(raw)
            let outcome = take(result, raw, awaited)
            // A statement's results end with nothing.
            while let further = try next() { PQclear(further) }
            if case .statement = awaited { hand(outcome) }
            if isBroken, case .failure(let error) = outcome {
                pending = []
                early = []
                throw error
            }
        }
        pending = []
    }

    private func take(
        _ result: PostgresResult, _ raw: OpaquePointer, _ awaited: Pending
    ) -> Result<PostgresResult, PostgresError> {
        switch PQresultStatus(raw) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
            guard result.size <= options.maxResultBytes else {
                return .failure(
                    PostgresError(.usage, "A result of \(result.size) bytes is more than the \(options.maxResultBytes) allowed."))
            }
            return .success(result)
        case PGRES_PIPELINE_ABORTED:
            if case .preparation(let sql) = awaited { statements.forget(sql) }
            return .failure(failure ?? PostgresError(.statement, "A statement before this one failed."))
        default:
            if case .preparation(let sql) = awaited { statements.forget(sql) }
            let error = error(raw)
            if error.kind == .lost { isBroken = true }
            failure = failure ?? error
            return .failure(error)
        }
    }

    /// Leaves nothing under way, whatever became of it.
    private func drain() throws(PostgresError) {
        guard !pending.isEmpty || !early.isEmpty || failure != nil else { return }
        _ = try receive()
    }

    // MARK: Waiting

    /// The next of libpq's results; nil where a statement's results end.
    func next() throws(PostgresError) -> OpaquePointer? {
        let start = ContinuousClock.now
        while PQisBusy(handle) == 1 {
            let rest = options.patience - start.duration(to: .now)
            if rest <= .zero {
                isBroken = true
                throw PostgresError(.lost, "The server has not answered within \(options.patience).")
            }
            try wait(Int32(clamping: rest.milliseconds))
        }
        return PQgetResult(handle)
    }

    func wait(_ milliseconds: Int32) throws(PostgresError) {
        let unsent = PQflush(handle)
        if unsent < 0 { throw broken() }
        var descriptor = pollfd(fd: PQsocket(handle), events: Int16(POLLIN) | (unsent == 1 ? Int16(POLLOUT) : 0), revents: 0)
        guard descriptor.fd >= 0 else { throw broken() }
        let count = poll(&descriptor, 1, max(1, milliseconds))
        if count < 0 && errno != EINTR { throw broken() }
        if count > 0, descriptor.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0, PQconsumeInput(handle) != 1 { throw broken() }
    }

    func broken() -> PostgresError {
        isBroken = true
        return PostgresError(.lost, Self.message(handle))
    }

    private func lost() -> PostgresError { PostgresError(.lost, "The connection was lost before.") }

    func error(_ raw: OpaquePointer) -> PostgresError {
        func field(_ code: Unicode.Scalar) -> String? {
            PQresultErrorField(raw, Int32(code.value)).map { String(cString: $0) }
        }
        let severity = field("V")
        // FATAL and PANIC end the connection; without a severity libpq itself speaks, of a broken one.
        let isLost = severity == nil || severity == "FATAL" || severity == "PANIC" || PQstatus(handle) != CONNECTION_OK
        var error = PostgresError(
            isLost ? .lost : .statement, field("M") ?? Self.message(handle), state: field("C").map { SQLState($0) })
        error.detail = field("D")
        error.hint = field("H")
        error.schema = field("s")
        error.table = field("t")
        error.column = field("c")
        error.constraint = field("n")
        return error
    }
}
