import GRDB
import HubDriver
package import HubModel

/// One transaction of an application: every change in it leaves an event in the feed, or none of it happened.
package struct Work {
    let db: Database
    package let now: Instant
    let rules: any Rules

    // MARK: Reading

    /// The living document under that key; nil where there is none of that type.
    package func document(_ native: String, _ key: NativeKey) throws -> StoredDocument? {
        guard let id = Int64(key.rawValue), let document = try document(id: id) else { return nil }
        return document.native == native && !document.isDeleted ? document : nil
    }

    /// Like ``document(_:_:)``, but refuses where there is none.
    package func existing(_ native: String, _ key: NativeKey) throws -> StoredDocument {
        guard let document = try document(native, key) else { throw Refused("not-found", nil, "There is no \(native) \(key).") }
        return document
    }

    /// Any document, deleted ones too.
    func document(id: Int64) throws -> StoredDocument? {
        try Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM document WHERE id = ?"), arguments: [id]).map(StoredDocument.init(row:))
    }

    /// Documents that carry a reference, deleted ones too.
    package func documents(_ native: String, reference: CanonicalID) throws -> [StoredDocument] {
        let statement = try db.cachedStatement(sql: "SELECT * FROM document WHERE native = ? AND reference = ? ORDER BY id")
        return try Row.fetchAll(statement, arguments: [native, reference.rawValue]).map(StoredDocument.init(row:))
    }

    /// Living documents behind `id`, in the order in which they were made.
    func documents(_ native: String, after id: Int64, limit: Int) throws -> [StoredDocument] {
        let statement = try db.cachedStatement(
            sql: "SELECT * FROM document WHERE native = ? AND deleted = 0 AND id > ? ORDER BY id LIMIT ?")
        return try Row.fetchAll(statement, arguments: [native, id, limit]).map(StoredDocument.init(row:))
    }

    /// How much all documents but `document` take of a subject.
    package func used(_ kind: Use.Kind, of subject: Int64, except document: Int64?) throws -> Int64 {
        let statement = try db.cachedStatement(
            sql: "SELECT coalesce(sum(amount), 0) FROM use WHERE subject = ? AND kind = ? AND document <> ?")
        return try Int64.fetchOne(statement, arguments: [subject, kind.rawValue, document ?? 0]) ?? 0
    }

    /// Living documents of a type that take something of a subject.
    package func documents(_ native: String, holding kind: Use.Kind, of subject: Int64) throws -> [StoredDocument] {
        let statement = try db.cachedStatement(
            sql: """
                SELECT DISTINCT document.* FROM document JOIN use ON use.document = document.id
                WHERE use.subject = ? AND use.kind = ? AND native = ? AND deleted = 0 ORDER BY document.id
                """)
        return try Row.fetchAll(statement, arguments: [subject, kind.rawValue, native]).map(StoredDocument.init(row:))
    }

    /// True where any document needs this one.
    package func isInUse(_ document: StoredDocument) throws -> Bool {
        try Int64.fetchOne(db.cachedStatement(sql: "SELECT 1 FROM use WHERE subject = ? LIMIT 1"), arguments: [document.id]) != nil
    }

    /// The living document of that type with that unique code.
    package func document(_ native: String, code: String) throws -> StoredDocument? {
        let statement = try db.cachedStatement(sql: "SELECT * FROM document WHERE native = ? AND code = ? AND deleted = 0")
        return try Row.fetchOne(statement, arguments: [native, code]).map(StoredDocument.init(row:))
    }

    // MARK: Code lists, settings, numbers

    /// The number that a code list gives a code; nil where the list does not hold it.
    package func days(of code: String, in list: String) throws -> Int? {
        try Int.fetchOne(db.cachedStatement(sql: "SELECT days FROM code WHERE list = ? AND code = ?"), arguments: [list, code])
    }

    /// The codes of a list, in their order.
    func codes(of list: String) throws -> [String] {
        try String.fetchAll(db.cachedStatement(sql: "SELECT code FROM code WHERE list = ? ORDER BY code"), arguments: [list])
    }

    package func addCode(_ code: String, to list: String, days: Int = 0) throws {
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO code (list, code, days) VALUES (?, ?, ?)")
            .execute(arguments: [list, code, days])
    }

    package func removeCode(_ code: String, from list: String) throws {
        try db.cachedStatement(sql: "DELETE FROM code WHERE list = ? AND code = ?").execute(arguments: [list, code])
    }

    package func setting(_ name: String) throws -> String? {
        try String.fetchOne(db.cachedStatement(sql: "SELECT value FROM setting WHERE name = ?"), arguments: [name])
    }

    package func set(_ name: String, _ value: String?) throws {
        try db.cachedStatement(sql: "DELETE FROM setting WHERE name = ?").execute(arguments: [name])
        guard let value else { return }
        try db.cachedStatement(sql: "INSERT INTO setting (name, value) VALUES (?, ?)").execute(arguments: [name, value])
    }

    /// The next number of a series: `SO-000017`.
    package func nextNumber(_ series: String) throws -> String {
        let next = (try setting("next-" + series).flatMap { Int($0) } ?? 0) + 1
        try set("next-" + series, String(next))
        let digits = String(next)
        return series + "-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    // MARK: Trying

    /// Everything that the rules have against a new document; writes nothing.
    package func violations(_ native: String, _ fields: Fields, by actor: Actor) throws -> [Rejection] {
        var draft = Draft(native: native, fields: fields, actor: actor, violations: [])
        try draft.gather { try rules.admit(&$0, in: self) }
        if let code = draft.code, let other = try document(draft.native, code: code) {
            draft.violations?.append(Refused("duplicate-code", "code", "\(native) \(other.key) already has the code \(code).").rejection)
        }
        return draft.violations ?? []
    }

    // MARK: Changing

    /// A new document, as far as the rules admit it.
    package func create(
        _ native: String, _ fields: Fields, reference: CanonicalID? = nil, by actor: Actor
    ) throws -> StoredDocument {
        var draft = Draft(native: native, fields: fields, actor: actor)
        try rules.admit(&draft, in: self)
        return try store(draft, over: nil, reference: reference)
    }

    /// The document with those members laid over it (null clears), and whether that changed anything.
    package func update(
        _ document: StoredDocument, _ changes: Fields, by actor: Actor
    ) throws -> (document: StoredDocument, changed: Bool) {
        var draft = Draft(
            native: document.native, id: document.id, before: document.fields, fields: document.fields.overlaid(with: changes),
            actor: actor)
        try rules.admit(&draft, in: self)
        if draft.fields == document.fields { return (document, false) }
        return (try store(draft, over: document, reference: document.reference), true)
    }

    /// Deletes the document, as far as the rules admit it; it is still found by its reference.
    @discardableResult
    package func remove(_ document: StoredDocument, by actor: Actor) throws -> StoredDocument {
        try rules.admitRemoval(of: document, by: actor, in: self)
        var gone = document
        gone.isDeleted = true
        gone.version += 1
        gone.stamp = try tell(gone, delete: true)
        try write(gone, code: nil)
        try db.cachedStatement(sql: "DELETE FROM use WHERE document = ?").execute(arguments: [document.id])
        return gone
    }

    /// Stores a document and its event, no questions asked.
    func store(_ draft: Draft, over old: StoredDocument?, reference: CanonicalID?) throws -> StoredDocument {
        if let code = draft.code, let other = try document(draft.native, code: code), other.id != draft.id {
            throw Refused("duplicate-code", "code", "\(draft.native) \(other.key) already has the code \(code).")
        }
        var document =
            old ?? StoredDocument(id: 0, native: draft.native, version: 0, stamp: 0, isDeleted: false, fields: Fields())
        if old == nil {
            try db.cachedStatement(sql: "INSERT INTO document (native, version, stamp, body) VALUES (?, 0, 0, '')")
                .execute(arguments: [draft.native])
            document.id = db.lastInsertedRowID
        }
        document.reference = reference
        document.version += 1
        document.fields = draft.fields
        document.stamp = try tell(document, delete: false)
        try write(document, code: draft.code)
        try db.cachedStatement(sql: "DELETE FROM use WHERE document = ?").execute(arguments: [document.id])
        for use in draft.uses {
            try db.cachedStatement(sql: "INSERT INTO use (document, subject, kind, amount) VALUES (?, ?, ?, ?)")
                .execute(arguments: [document.id, use.subject, use.kind.rawValue, use.amount])
        }
        return document
    }

    private func write(_ document: StoredDocument, code: String?) throws {
        try db.cachedStatement(
            sql: "UPDATE document SET reference = ?, code = ?, version = ?, stamp = ?, deleted = ?, body = ? WHERE id = ?"
        ).execute(arguments: [
            document.reference?.rawValue, code, document.version, document.stamp, document.isDeleted,
            JSONText.text(.object(document.fields)),
            document.id,
        ])
    }

    /// Appends the event; writers take turns, so the sequence is also the order of commits.
    private func tell(_ document: StoredDocument, delete: Bool) throws -> Int64 {
        try db.cachedStatement(
            sql: "INSERT INTO feed (native, document, reference, version, time, body) VALUES (?, ?, ?, ?, ?, ?)"
        ).execute(arguments: [
            document.native, document.id, document.reference?.rawValue, document.version, now.milliseconds,
            delete ? nil : JSONText.text(.object(document.fields)),
        ])
        return db.lastInsertedRowID
    }
}

extension StoredDocument {
    init(row: Row) throws {
        self.init(
            id: row["id"], native: row["native"], reference: (row["reference"] as String?).map { CanonicalID($0) }, version: row["version"],
            stamp: row["stamp"], isDeleted: row["deleted"], fields: try JSONText.fields(row["body"]))
    }
}
