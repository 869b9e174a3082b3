import Foundation
import GRDB

/// The yardstick of the hub's own speed, and never changed: what SQLite gives one thread that does nothing else.
///
/// Per event three point reads and three upserts of 600-byte documents by key through GRDB's cached statements, batches of 500,
/// `synchronous=FULL`, the working set there already.
enum StoreBaseline {
    private static let batch = 500

    static func eventsPerSecond(_ events: Int, of documents: Int) throws -> Double {
        let folder = NSTemporaryDirectory() + "multipoint-baseline-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var configuration = GRDB.Configuration()
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            try db.execute(sql: "PRAGMA synchronous = FULL")
            try db.execute(sql: "PRAGMA wal_autocheckpoint = 4000")
            try db.execute(sql: "PRAGMA cache_size = -65536")
        }
        let queue = try DatabaseQueue(path: folder + "/baseline.db", configuration: configuration)
        try queue.write { db in
            for table in ["one", "two", "three"] {
                try db.execute(sql: "CREATE TABLE \(table) (id TEXT NOT NULL PRIMARY KEY, doc TEXT NOT NULL)")
            }
        }
        let keys = (0..<documents).map { "customer-1-\($0)" }
        let texts = (0..<documents).map { String(decoding: BenchCustomer.json($0, phone: BenchCustomer.phone($0)), as: UTF8.self) }
        _ = try run(documents, queue, keys, texts)
        let elapsed = try run(events, queue, keys, texts)
        try queue.close()
        return Double(events) / elapsed.inSeconds
    }

    private static func run(_ events: Int, _ queue: DatabaseQueue, _ keys: [String], _ texts: [String]) throws -> Duration {
        let start = ContinuousClock.now
        var next = 0
        while next < events {
            let end = min(next + batch, events)
            try queue.write { db in
                let reads = try ["one", "two", "three"].map { try db.cachedStatement(sql: "SELECT doc FROM \($0) WHERE id = ?") }
                let writes = try ["one", "two", "three"].map {
                    try db.cachedStatement(
                        sql: "INSERT INTO \($0) (id, doc) VALUES (?, ?) ON CONFLICT DO UPDATE SET doc = excluded.doc")
                }
                for event in next..<end {
                    let key = keys[event % keys.count]
                    // Another text each time round.
                    let text = texts[(event + event / keys.count) % texts.count]
                    for statement in reads { _ = try String.fetchOne(statement, arguments: [key]) }
                    for statement in writes { try statement.execute(arguments: [key, text]) }
                }
            }
            next = end
        }
        return ContinuousClock.now - start
    }
}
