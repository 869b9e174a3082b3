import GRDB
import HubDriver
import HubModel

/// A file that came in, and how far it has been read.
struct InboundFile: Sendable, Hashable {
    /// Rises in the order in which files are read.
    var number: Int64
    var native: String
    /// As it was dropped.
    var name: String
    /// Where it lies while it is being read.
    var path: String
    /// Milliseconds since 1970.
    var changed: Int64
    /// Bytes that have been read, and the line that comes next.
    var offset: Int64
    var line: Int
    /// Of the bytes that have been read.
    var digest: String
    var rows: Int
    var malformed: Int
    /// The place in the feed behind all that it told; nil while it is being read.
    var ended: Int64?

    // MARK: In the record

    /// The file to read next.
    static func next(_ db: Database) throws -> InboundFile? {
        try Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM file WHERE ended IS NULL ORDER BY number LIMIT 1")).map { InboundFile($0) }
    }

    /// Those whose telling has reached its end by that place in the feed.
    static func settleable(upTo place: Int64, _ db: Database) throws -> [InboundFile] {
        let statement = try db.cachedStatement(sql: "SELECT * FROM file WHERE ended <= ? AND settled = 0 ORDER BY number")
        return try Row.fetchAll(statement, arguments: [place]).map { InboundFile($0) }
    }

    /// Where the files lie that have been taken and not been put away.
    static func unsettledPaths(_ db: Database) throws -> Set<String> {
        Set(try String.fetchAll(db, sql: "SELECT path FROM file WHERE settled = 0"))
    }

    /// True where a file that stays in its place has been noted with the content that it has now.
    static func isKnown(_ found: FoundFile, _ db: Database) throws -> Bool {
        let sql = "SELECT EXISTS (SELECT 1 FROM file WHERE name = ? AND identity = ?)"
        return try Bool.fetchOne(db, sql: sql, arguments: [found.name, found.identity]) ?? false
    }

    /// Gives a file its number, and the path that this makes.
    static func note(_ found: FoundFile, _ type: TypeDeclaration, path: (Int64) -> String, _ db: Database) throws -> InboundFile {
        try db.execute(
            sql: "INSERT INTO file (native, name, path, identity, changed) VALUES (?, ?, '', ?, ?)",
            arguments: [type.native, found.name, found.identity, found.changed])
        let number = db.lastInsertedRowID
        let file = InboundFile(
            number: number, native: type.native, name: found.name, path: path(number), changed: found.changed, offset: 0, line: 1,
            digest: "",
            rows: 0, malformed: 0, ended: nil)
        try db.execute(sql: "UPDATE file SET path = ? WHERE number = ?", arguments: [file.path, number])
        return file
    }

    func save(_ db: Database) throws {
        try db.cachedStatement(
            sql: "UPDATE file SET offset = ?, line = ?, digest = ?, rows = ?, malformed = ?, ended = ? WHERE number = ?"
        ).execute(arguments: [offset, line, digest, rows, malformed, ended, number])
    }

    /// It has been put away; one that stays in its place is remembered, so that it is not read again.
    func settle(keepsName: Bool, _ db: Database) throws {
        if keepsName {
            try db.execute(sql: "DELETE FROM file WHERE name = ? AND settled = 1", arguments: [name])
            try db.execute(sql: "UPDATE file SET settled = 1 WHERE number = ?", arguments: [number])
        } else {
            try db.execute(sql: "DELETE FROM file WHERE number = ?", arguments: [number])
        }
    }

    /// Files that were read in their place and are there no more.
    static func forgetVanished(_ db: Database) throws {
        for row in try Row.fetchAll(db, sql: "SELECT number, name, path FROM file WHERE settled = 1") {
            if FoundFile(name: row["name"], path: row["path"]) != nil { continue }
            try db.execute(sql: "DELETE FROM file WHERE number = ?", arguments: [row["number"] as Int64])
        }
    }

    private init(
        number: Int64, native: String, name: String, path: String, changed: Int64, offset: Int64, line: Int, digest: String, rows: Int,
        malformed: Int, ended: Int64?
    ) {
        self.number = number
        self.native = native
        self.name = name
        self.path = path
        self.changed = changed
        self.offset = offset
        self.line = line
        self.digest = digest
        self.rows = rows
        self.malformed = malformed
        self.ended = ended
    }

    private init(_ row: Row) {
        self.init(
            number: row["number"], native: row["native"], name: row["name"], path: row["path"], changed: row["changed"],
            offset: row["offset"], line: row["line"], digest: row["digest"], rows: row["rows"], malformed: row["malformed"],
            ended: row["ended"])
    }
}

/// A file open for reading, at the place that its record names.
struct OpenFile: Sendable {
    let number: Int64
    let source: ByteSource
    let rows: RowReader
    /// The line of the first row.
    let firstLine: Int

    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    private static let wideMarks: [[UInt8]] = [[0xFF, 0xFE], [0xFE, 0xFF]]

    /// - Throws: ``RowReader/Problem`` where the file is not the one that the record knows, or not what its type says.
    init(_ file: InboundFile, _ type: TypeDeclaration) throws {
        let source = try Self.source(file)
        number = file.number
        self.source = source
        if try Self.wideMarks.contains(where: { try source.begins(with: $0) }) { throw RowReader.Problem(text: "it is UTF-16") }
        if type.encoding == .utf8, try source.begins(with: Self.mark) { _ = try source.skip(to: Int64(Self.mark.count)) }
        var line = 1
        if type.hasHeader {
            guard let header = try type.scanner().next(source, line: &line) else { throw RowReader.Problem(text: "it is empty") }
            rows = try RowReader(type, header: header)
        } else {
            rows = RowReader(type)
        }
        firstLine = line
        guard file.offset > 0 else { return }
        // Reading was interrupted: it goes on only where all before is still the same.
        let isThere = try source.skip(to: file.offset)
        guard isThere, source.digest.text == file.digest else {
            throw RowReader.Problem(text: "it was changed while it was being read; what stands from line \(file.line) on is not read")
        }
    }

    private static func source(_ file: InboundFile) throws -> ByteSource {
        do throws(DurableFile.Failure) { return try ByteSource(path: file.path) } catch {
            guard error.isMissing else { throw error }
            throw RowReader.Problem(text: "it was taken away; what stood from line \(file.line) on is not read")
        }
    }
}
