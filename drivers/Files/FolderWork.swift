import Foundation
import GRDB
import HubDriver
import HubModel

/// One transaction on a folder's record.
struct FolderWork {
    let db: Database
    let now: Instant

    init(_ db: Database) {
        self.db = db
        now = Instant(milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)))
    }

    // MARK: Documents

    func document(_ native: String, _ key: NativeKey) throws -> FolderDocument? {
        let statement = try db.cachedStatement(sql: "SELECT * FROM document WHERE native = ? AND key = ?")
        return try Row.fetchOne(statement, arguments: [native, key.rawValue]).map { try FolderDocument($0) }
    }

    /// Documents that carry a reference, deleted ones too.
    func documents(_ native: String, reference: CanonicalID) throws -> [FolderDocument] {
        let statement = try db.cachedStatement(sql: "SELECT * FROM document WHERE native = ? AND reference = ? ORDER BY deleted, key")
        return try Row.fetchAll(statement, arguments: [native, reference.rawValue]).map { try FolderDocument($0) }
    }

    /// Living documents behind a key.
    func documents(_ native: String, after key: String, limit: Int) throws -> [FolderDocument] {
        let statement = try db.cachedStatement(
            sql: "SELECT * FROM document WHERE native = ? AND deleted = 0 AND key > ? ORDER BY key LIMIT ?")
        return try Row.fetchAll(statement, arguments: [native, key, limit]).map { try FolderDocument($0) }
    }

    /// Keeps a document in its new state and tells it: a deletion, or those members of it.
    ///
    /// - Parameters:
    ///   - members: what the change tells; the document's own where nil.
    ///   - snapshot: the number of the snapshot in which it stood, where it stood in one.
    mutating func put(
        _ document: FolderDocument, members: Fields? = nil, company: String?, time: Instant, snapshot: Int64? = nil
    ) throws -> FolderDocument {
        let body = document.isDeleted ? nil : JSONText.text(.object(members ?? document.fields))
        try db.cachedStatement(
            sql: "INSERT INTO change (native, key, reference, company, time, noted, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
        ).execute(arguments: [
            document.native, document.key.rawValue, document.reference?.rawValue, company, time.milliseconds, now.milliseconds, body,
        ])
        var kept = document
        kept.stamp = db.lastInsertedRowID
        try db.cachedStatement(
            sql: """
                INSERT INTO document (native, key, reference, stamp, deleted, body, seen) VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (native, key) DO UPDATE SET reference = excluded.reference, stamp = excluded.stamp,
                    deleted = excluded.deleted, body = excluded.body, seen = coalesce(excluded.seen, seen)
                """
        ).execute(arguments: [
            kept.native, kept.key.rawValue, kept.reference?.rawValue, kept.stamp, kept.isDeleted, JSONText.text(.object(kept.fields)),
            snapshot,
        ])
        return kept
    }

    /// A document stood in a snapshot as it was known.
    func markSeen(_ document: FolderDocument, in snapshot: Int64) throws {
        try db.cachedStatement(sql: "UPDATE document SET seen = ? WHERE native = ? AND key = ?")
            .execute(arguments: [snapshot, document.native, document.key.rawValue])
    }

    /// Living documents that stood in a snapshot before that one, and not in it.
    func absent(_ native: String, from snapshot: Int64, limit: Int) throws -> [FolderDocument] {
        let sql = "SELECT * FROM document WHERE native = ? AND deleted = 0 AND seen < ? ORDER BY key LIMIT ?"
        return try Row.fetchAll(db, sql: sql, arguments: [native, snapshot, limit]).map { try FolderDocument($0) }
    }

    // MARK: The feed

    /// Tells what cannot be read.
    func tell(_ entry: MalformedEntry) throws {
        try db.cachedStatement(sql: "INSERT INTO change (native, noted, code, reason, raw) VALUES (?, ?, ?, ?, ?)").execute(arguments: [
            entry.native ?? "", now.milliseconds, entry.code, entry.reason, Data(entry.raw),
        ])
    }

    /// Entries behind a place.
    func entryCount(after place: Int64, atMost limit: Int) throws -> Int {
        try Int.fetchOne(
            db, sql: "SELECT count(*) FROM (SELECT 1 FROM change WHERE seq > ? LIMIT ?)", arguments: [place, limit]) ?? 0
    }

    func batch(after place: Int64, limit: Int) throws -> (changes: [CapturedChange], malformed: [MalformedEntry], last: Int64?) {
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT * FROM change WHERE seq > ? ORDER BY seq LIMIT ?"), arguments: [place, limit])
        var changes: [CapturedChange] = []
        var malformed: [MalformedEntry] = []
        for row in rows {
            if let code = row["code"] as String? {
                let native: String = row["native"]
                malformed.append(
                    MalformedEntry(
                        native: native.isEmpty ? nil : native, code: code, reason: row["reason"], raw: Array(row["raw"] as Data)))
            } else {
                changes.append(try CapturedChange(row))
            }
        }
        return (changes, malformed, rows.last?["seq"])
    }

    /// The newest place in the feed.
    func lastPlace() throws -> Int64 {
        try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'change'") ?? 0
    }

    /// Forgets entries up to a place that were noted before a time.
    func forget(upTo place: Int64, notedBefore time: Instant) throws {
        let last = try Int64.fetchOne(
            db, sql: "SELECT max(seq) FROM change WHERE seq <= ? AND noted < ?", arguments: [place, time.milliseconds])
        guard let last else { return }
        try db.execute(sql: "DELETE FROM change WHERE seq <= ?", arguments: [last])
        try set("forgotten", String(last))
    }

    /// The last entry that has been forgotten; nil where all are there.
    func forgotten() throws -> Int64? { try setting("forgotten").flatMap { Int64($0) } }

    func setting(_ name: String) throws -> String? {
        try String.fetchOne(db, sql: "SELECT value FROM setting WHERE name = ?", arguments: [name])
    }

    func set(_ name: String, _ value: String) throws {
        try db.execute(sql: "INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", arguments: [name, value])
    }
}

extension FolderDocument {
    fileprivate init(_ row: Row) throws {
        self.init(
            native: row["native"], key: NativeKey(row["key"]), reference: (row["reference"] as String?).map { CanonicalID($0) },
            stamp: row["stamp"], isDeleted: row["deleted"], fields: try JSONText.fields(row["body"]))
    }
}

extension CapturedChange {
    fileprivate init(_ row: Row) throws {
        let (seq, native, body) = (row["seq"] as Int64, row["native"] as String, row["body"] as String?)
        let event = ChangeEvent(
            id: "\(native)-\(seq)", type: native, operation: body == nil ? .delete : .upsert, key: NativeKey(row["key"]),
            position: SourcePosition(minor: seq), token: VersionToken(String(seq)), time: Instant(milliseconds: row["time"]),
            reference: (row["reference"] as String?).map { CanonicalID($0) }, company: row["company"])
        self.init(event: event, fields: try body.map(JSONText.fields))
    }
}
