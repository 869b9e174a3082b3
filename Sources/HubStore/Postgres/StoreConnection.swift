import HubModel
import PostgresClient

/// The store's statements on a PostgreSQL connection. Those that only write go out in libpq's pipeline without waiting; the first one
/// that reads waits for them all.
///
/// Text with the characters U+0000 or U+0001 is kept as `\u{1}\u{1}` and `\u{1}\u{2}`: PostgreSQL's text cannot hold the first, and so its
/// order stays that of the bytes.
final class StoreConnection: SQLConnecting {
    static let isServer = true
    private(set) var connection: PostgresConnection?
    /// Texts of statements, by the address of the literal.
    private var texts: [UnsafePointer<UInt8>: String] = [:]
    /// What has been gathered for statements that are still to be sent.
    private var gathered: [GatheredRows] = []
    /// Why the open transaction, or the savepoint in it, cannot be kept: PostgreSQL does nothing more in it.
    var failure: StoreError?

    var isBroken: Bool { connection?.isBroken ?? true }
    /// Statements sent, those of earlier connections too.
    var sent: Int { earlier + (connection?.sent ?? 0) }
    private var earlier = 0

    /// Connects anew. Blocks.
    func open(_ options: PostgresOptions) throws(StoreError) {
        close()
        do throws(PostgresError) { connection = try PostgresConnection(options) } catch { throw StoreError(error) }
        failure = nil
        gathered = []
    }

    func close() {
        earlier += connection?.sent ?? 0
        connection?.close()
        connection = nil
    }

    /// Sends a statement that has no rows to give.
    func run(_ sql: StaticString, _ arguments: SQLValue...) throws(StoreError) {
        let (text, values) = (text(sql), arguments.map(\.escaped))
        try sendGathered()
        try attempt { (connection) throws(PostgresError) in try connection.post(text, values) }
    }

    /// Keeps a row for a statement that changes many; it goes out before any other statement.
    func gather(_ statement: RowStatement, _ arguments: SQLValue...) throws(StoreError) {
        if let failure { throw failure }
        let known = gathered.firstIndex { $0.statement.many.utf8Start == statement.many.utf8Start }
        let place = known ?? gathered.count
        if known == nil { gathered.append(GatheredRows(statement)) }
        if !gathered[place].add(arguments) {
            try send(&gathered[place])
            _ = gathered[place].add(arguments)
        }
        if gathered[place].isFull {
            try send(&gathered[place])
            try attempt { (connection) throws(PostgresError) in try connection.push() }
        }
    }

    private func sendGathered() throws(StoreError) {
        for place in gathered.indices { try send(&gathered[place]) }
    }

    private func send(_ rows: inout GatheredRows) throws(StoreError) {
        if rows.count == 0 { return }
        let (text, arguments) = (text(rows.statement.many), rows.arguments)
        rows = GatheredRows(rows.statement)
        try attempt { (connection) throws(PostgresError) in try connection.post(text, arguments) }
    }

    /// The first row; nil where there is none.
    func first<T>(_ sql: StaticString, _ arguments: SQLValue..., read: (StoreRow) throws(StoreError) -> T) throws(StoreError) -> T? {
        guard let row = try rows(sql, arguments).first else { return nil }
        return try read(StoreRow(row: row))
    }

    /// All rows.
    func all<T>(_ sql: StaticString, _ arguments: SQLValue..., read: (StoreRow) throws(StoreError) -> T) throws(StoreError) -> [T] {
        let result = try rows(sql, arguments)
        var found: [T] = []
        found.reserveCapacity(result.count)
        for index in 0..<result.count { found.append(try read(StoreRow(row: result[index]))) }
        return found
    }

    private func rows(_ sql: StaticString, _ arguments: [SQLValue]) throws(StoreError) -> PostgresResult {
        let (text, values) = (text(sql), arguments.map(\.escaped))
        try sendGathered()
        return try attempt { (connection) throws(PostgresError) in try connection.run(text, values) }
    }

    /// Stores counters in one statement, whole columns at once.
    func write(_ counters: [(key: Counters.Key, count: Int64)]) throws(StoreError) {
        let text = text(
            """
            INSERT INTO counter (kind, a, b, count) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
            ON CONFLICT (kind, a, b) DO UPDATE SET count = excluded.count
            """)
        let columns: [PostgresValue] = [
            .texts(counters.map(\.key.kind.rawValue)), .texts(counters.map(\.key.a.rawValue.escaped)),
            .texts(counters.map(\.key.b.rawValue.escaped)), .integers(counters.map(\.count)),
        ]
        try sendGathered()
        try attempt { (connection) throws(PostgresError) in try connection.post(text, columns) }
    }

    /// Runs statements that are not worth preparing.
    func execute(_ sql: String) throws(StoreError) {
        try sendGathered()
        try attempt { (connection) throws(PostgresError) in try connection.script(sql) }
    }

    /// Waits for all that has been sent.
    func settle() throws(StoreError) {
        try sendGathered()
        try attempt { (connection) throws(PostgresError) in for case .failure(let error) in try connection.receive() { throw error } }
    }

    /// Ends the transaction.
    func commit() throws(PostgresError) {
        guard let connection else { throw PostgresError(.lost, "There is no connection.") }
        let tag = try connection.run("COMMIT").tag
        guard tag == "COMMIT" else { throw PostgresError(.statement, "The transaction was rolled back.") }
    }

    /// Undoes what came since the savepoint.
    func rollBackBody() throws(StoreError) {
        failure = nil
        gathered = []
        // A statement that failed unseen would have the server skip all that is sent with it.
        _ = try? connection?.receive()
        try run("ROLLBACK TO SAVEPOINT body")
        try run("RELEASE SAVEPOINT body")
        try settle()
    }

    /// Undoes the whole transaction, where the connection still lives.
    func rollBack() {
        failure = nil
        gathered = []
        guard let connection, !connection.isBroken else { return }
        _ = try? connection.receive()
        _ = try? connection.run("ROLLBACK")
    }

    @discardableResult
    private func attempt<T>(_ work: (PostgresConnection) throws(PostgresError) -> T) throws(StoreError) -> T {
        if let failure { throw failure }
        guard let connection else { throw StoreError(.failed, "The store has no connection to its server.") }
        do throws(PostgresError) {
            return try work(connection)
        } catch {
            let error = StoreError(error)
            failure = error
            throw error
        }
    }

    private func text(_ sql: StaticString) -> String {
        if let known = texts[sql.utf8Start] { return known }
        let text = sql.description
        texts[sql.utf8Start] = text
        return text
    }
}

/// The row that a statement gave.
struct StoreRow: SQLRowReading {
    let row: PostgresRow

    func integer(_ column: Int32) -> Int64 { row.integer(column) }
    func isNull(_ column: Int32) -> Bool { row.isNull(column) }
    func text(_ column: Int32) -> String { row.text(column).unescaped }
    /// A document's JSON, or a `bytea`: those begin with `\x`, which no JSON does.
    func bytes(_ column: Int32) -> [UInt8] { row.bytes(column) ?? [] }
    func optionalBytes(_ column: Int32) -> [UInt8]? { row.bytes(column) }
}

extension SQLValue {
    var escaped: PostgresValue {
        switch self {
        case .null: .null
        case .integer(let integer): .integer(integer)
        case .text(let text): .text(text.escaped)
        case .json(let bytes): .utf8(bytes)
        case .bytes(let bytes): .bytes(bytes)
        }
    }
}

extension String {
    /// Without the zero byte; the order of the bytes stays.
    var escaped: String {
        guard utf8.contains(where: { $0 < 2 }) else { return self }
        var scalars = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if scalar.value < 2 {
                scalars.append("\u{1}")
                scalars.append(scalar.value == 0 ? "\u{1}" : "\u{2}")
            } else {
                scalars.append(scalar)
            }
        }
        return String(scalars)
    }

    /// What was ``escaped``.
    var unescaped: String {
        guard utf8.contains(1) else { return self }
        var scalars = String.UnicodeScalarView()
        var isMarked = false
        for scalar in unicodeScalars {
            if isMarked {
                scalars.append(scalar.value == 1 ? "\u{0}" : "\u{1}")
                isMarked = false
            } else if scalar.value == 1 {
                isMarked = true
            } else {
                scalars.append(scalar)
            }
        }
        return String(scalars)
    }
}

extension StoreError {
    init(_ error: PostgresError) {
        switch (error.kind, error.state?.group) {
        case (.unreachable, _):
            self.init(
                .failed, "The store's server cannot be reached: \(error). Nothing is lost; start it, or mend the connection.", cause: error)
        case (.lost, _): self.init(.failed, "The connection to the store's server was lost: \(error).", cause: error)
        case (_, "53"?):
            self.init(.full, "The store's server has no room: \(error). Nothing is lost; make room and start the hub again.", cause: error)
        default: self.init(.failed, "The store's server refused a statement: \(error).", cause: error)
        }
    }
}
