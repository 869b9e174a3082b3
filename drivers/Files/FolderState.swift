import Foundation
import GRDB
import HubDriver
import HubModel
import Synchronization

/// The driver's own record of a folder, in SQLite: the documents as files have told and been told them, the feed made of that, how far
/// files have been read, and which files are on their way out. Several processes may have it open.
final class FolderState: Sendable {
    private let path: String
    private let queue = Mutex<DatabaseQueue?>(nil)

    /// How long a transaction waits for another process.
    private let patience: Duration

    init(path: String, patience: Duration) {
        self.path = path
        self.patience = patience
    }

    /// One transaction. It is not ended early where the caller is called off: what is committed is then told.
    func perform<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
        let queue = try opened()
        return try await withCheckedThrowingContinuation { continuation in
            queue.asyncWrite {
                try body($0)
            } completion: { _, result in
                continuation.resume(with: result)
            }
        }
    }

    func close() {
        let queue = queue.withLock { queue in
            defer { queue = nil }
            return queue
        }
        try? queue?.close()
    }

    private func opened() throws -> DatabaseQueue {
        try queue.withLock { queue in
            if let queue { return queue }
            var configuration = Configuration()
            configuration.busyMode = .timeout(Double(patience.milliseconds) / 1000)
            configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            let made = try DatabaseQueue(path: path, configuration: configuration)
            try made.write { try Self.prepare($0) }
            queue = made
            return made
        }
    }

    private static func prepare(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
                CREATE TABLE IF NOT EXISTS document (
                    native TEXT NOT NULL, key TEXT NOT NULL, reference TEXT, stamp INTEGER NOT NULL, deleted INTEGER NOT NULL,
                    body TEXT NOT NULL, seen INTEGER, PRIMARY KEY (native, key)) WITHOUT ROWID;
                CREATE INDEX IF NOT EXISTS document_reference ON document (native, reference) WHERE reference IS NOT NULL;
                CREATE TABLE IF NOT EXISTS change (
                    seq INTEGER PRIMARY KEY AUTOINCREMENT, native TEXT NOT NULL, key TEXT, reference TEXT, company TEXT, time INTEGER,
                    noted INTEGER NOT NULL, body TEXT, code TEXT, reason TEXT, raw BLOB);
                CREATE TABLE IF NOT EXISTS file (
                    number INTEGER PRIMARY KEY AUTOINCREMENT, native TEXT NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL,
                    identity TEXT NOT NULL, changed INTEGER NOT NULL, offset INTEGER NOT NULL DEFAULT 0, line INTEGER NOT NULL DEFAULT 1,
                    digest TEXT NOT NULL DEFAULT '', rows INTEGER NOT NULL DEFAULT 0, malformed INTEGER NOT NULL DEFAULT 0, ended INTEGER,
                    settled INTEGER NOT NULL DEFAULT 0);
                CREATE TABLE IF NOT EXISTS outgoing (name TEXT PRIMARY KEY, staged TEXT NOT NULL) WITHOUT ROWID;
                """)
        guard try String.fetchOne(db, sql: "SELECT value FROM setting WHERE name = 'instance'") == nil else { return }
        let instance = String(UInt64.random(in: .min ... .max), radix: 16)
        try db.execute(sql: "INSERT INTO setting (name, value) VALUES ('instance', ?)", arguments: [instance])
        // Both go on from the clock, so that feed positions and file numbers rise even where this record was lost.
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        for table in ["change", "file"] {
            try db.execute(sql: "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", arguments: [table, now])
        }
    }
}

/// A document as the record holds it.
struct FolderDocument: Sendable, Hashable {
    var native: String
    var key: NativeKey
    var reference: CanonicalID?
    /// The place in the feed of its last change, which is its version too.
    var stamp: Int64
    var isDeleted: Bool
    var fields: Fields

    var told: NativeDocument {
        NativeDocument(
            key: key, token: VersionToken(String(stamp)), stamp: SourcePosition(minor: stamp), reference: reference, isDeleted: isDeleted,
            fields: fields)
    }
}
