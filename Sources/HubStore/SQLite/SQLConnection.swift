import GRDB
import GRDBSQLite
import HubModel
import Synchronization

/// Prepared statements on one of GRDB's connections, run without its layers: text is bound with its length (a key may hold a zero byte,
/// at which GRDB would cut it) and nothing is looked up by a statement's text.
///
/// Used only inside `inDatabase` of the queue that owns the connection.
final class SQLConnection: SQLConnecting {
    static let isServer = false
    let handle: OpaquePointer
    /// Statements that were run; shared with whoever measures.
    private let counter: StatementCounter
    /// By the address of the statement's text, which is a literal.
    private var statements: [UnsafePointer<UInt8>: OpaquePointer] = [:]

    init(_ handle: OpaquePointer, counter: StatementCounter) {
        self.handle = handle
        self.counter = counter
    }

    /// True while a transaction is open; false after SQLite itself has rolled it back.
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Rows that the last statement changed.
    var changes: Int { Int(sqlite3_changes(handle)) }

    /// Frees the statements; has to come before the connection is closed.
    func close() {
        for statement in statements.values { sqlite3_finalize(statement) }
        statements = [:]
    }

    /// Runs a statement that has no rows to give.
    func run(_ sql: StaticString, _ arguments: SQLValue...) throws(StoreError) { try run(sql, all: arguments) }

    func gather(_ statement: RowStatement, _ arguments: SQLValue...) throws(StoreError) { try run(statement.one, all: arguments) }

    private func run(_ sql: StaticString, all arguments: [SQLValue]) throws(StoreError) {
        let statement = try prepared(sql, arguments)
        defer { sqlite3_reset(statement) }
        while try step(statement) {}
    }

    /// The first row; nil where there is none.
    func first<T>(_ sql: StaticString, _ arguments: SQLValue..., read: (SQLRow) throws(StoreError) -> T) throws(StoreError) -> T? {
        let statement = try prepared(sql, arguments)
        defer { sqlite3_reset(statement) }
        return try step(statement) ? try read(SQLRow(statement: statement)) : nil
    }

    /// All rows.
    func all<T>(_ sql: StaticString, _ arguments: SQLValue..., read: (SQLRow) throws(StoreError) -> T) throws(StoreError) -> [T] {
        let statement = try prepared(sql, arguments)
        defer { sqlite3_reset(statement) }
        var found: [T] = []
        while try step(statement) { found.append(try read(SQLRow(statement: statement))) }
        return found
    }

    func write(_ counters: [(key: Counters.Key, count: Int64)]) throws(StoreError) {
        for (key, count) in counters {
            try run(
                "INSERT INTO counter (kind, a, b, count) VALUES ($1, $2, $3, $4) ON CONFLICT DO UPDATE SET count = excluded.count",
                .text(key.kind.rawValue), .text(key.a), .text(key.b), .integer(count))
        }
    }

    /// Runs statements that are not worth keeping.
    func execute(_ sql: String) throws(StoreError) {
        counter.add()
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        if code != SQLITE_OK { throw error(code) }
    }

    private func step(_ statement: OpaquePointer) throws(StoreError) -> Bool {
        switch sqlite3_step(statement) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw error(code)
        }
    }

    private func prepared(_ sql: StaticString, _ arguments: [SQLValue]) throws(StoreError) -> OpaquePointer {
        counter.add()
        let statement = try statement(sql)
        var index: Int32 = 0
        for argument in arguments {
            index += 1
            // SQLITE_TRANSIENT (-1) has SQLite take its own copy.
            let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
            let code: Int32
            switch argument {
            case .null: code = sqlite3_bind_null(statement, index)
            case .integer(let integer): code = sqlite3_bind_int64(statement, index, integer)
            case .text(var text):
                code = text.withUTF8 { utf8 in
                    utf8.withMemoryRebound(to: CChar.self) { chars in
                        // An empty buffer may have no address, which SQLite takes for NULL.
                        guard let start = chars.baseAddress else { return sqlite3_bind_text(statement, index, "", 0, transient) }
                        return sqlite3_bind_text64(statement, index, start, UInt64(chars.count), transient, UInt8(SQLITE_UTF8))
                    }
                }
            case .json(let bytes):
                code = bytes.withUnsafeBytes { raw in
                    sqlite3_bind_text64(
                        statement, index, raw.baseAddress?.assumingMemoryBound(to: CChar.self), UInt64(raw.count), transient,
                        UInt8(SQLITE_UTF8))
                }
            case .bytes(let bytes):
                if bytes.isEmpty {
                    code = sqlite3_bind_zeroblob(statement, index, 0)
                } else {
                    code = bytes.withUnsafeBytes { sqlite3_bind_blob64(statement, index, $0.baseAddress, UInt64($0.count), transient) }
                }
            }
            if code != SQLITE_OK { throw error(code) }
        }
        return statement
    }

    private func statement(_ sql: StaticString) throws(StoreError) -> OpaquePointer {
        if let statement = statements[sql.utf8Start] { return statement }
        var made: OpaquePointer?
        let code = sql.withUTF8Buffer { text in
            text.withMemoryRebound(to: CChar.self) { chars in
                sqlite3_prepare_v3(handle, chars.baseAddress, Int32(chars.count), UInt32(SQLITE_PREPARE_PERSISTENT), &made, nil)
            }
        }
        guard code == SQLITE_OK, let made else { throw error(code) }
        statements[sql.utf8Start] = made
        return made
    }

    private func error(_ code: Int32) -> StoreError {
        StoreError(
            sqlite: code, String(cString: sqlite3_errmsg(handle)), file: sqlite3_db_filename(handle, nil).map { String(cString: $0) })
    }
}

/// How many statements a store has run: what benchmarks compare.
final class StatementCounter: Sendable {
    private let count = Atomic<Int>(0)
    func add() { count.add(1, ordering: .relaxed) }
    var value: Int { count.load(ordering: .relaxed) }
}

/// The row that a statement stands on.
struct SQLRow: SQLRowReading {
    let statement: OpaquePointer

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }

    func text(_ column: Int32) -> String {
        guard let start = sqlite3_column_text(statement, column) else { return "" }
        return String(decoding: UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))), as: UTF8.self)
    }

    func bytes(_ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(statement, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
    }
}
