import Foundation
import GRDB
import HubDriver
import HubModel

/// Puts files out: each whole or not at all, and each once.
///
/// A file is written and brought to the disk under a hidden name, then noted in the transaction of what it tells, and then given its name
/// where other programs look. After a crash a noted file that still has its hidden name is given its name; one that has none any more has
/// been seen, and perhaps taken, already.
struct Drop: Sendable {
    let paths: FolderPaths

    private static let digits = 16

    /// Rows of one type on their way out.
    struct Rows {
        let writer: RowWriter
        var bytes: [UInt8]
        /// The place in the feed of the first.
        let first: Int64
        /// Of which deliveries they are.
        var deliveries: [Delivery] = []

        init(_ type: TypeDeclaration, first: Int64) {
            writer = RowWriter(type: type)
            bytes = writer.head
            self.first = first
        }

        /// Names sort in the order of writing, and are the same for the same deliveries in the same place.
        var name: String {
            var digest = Digest()
            for delivery in deliveries { digest.add("\(delivery.target) \(delivery.version) \(delivery.operation.rawValue)\n".utf8) }
            let place = String(first)
            let padding = String(repeating: "0", count: max(0, Drop.digits - place.count))
            return "\(writer.type.outbound ?? "")-\(padding)\(place)-\(digest.text)\(writer.suffix)"
        }

        mutating func add(_ row: [UInt8], _ delivery: Delivery) {
            bytes += row
            deliveries.append(delivery)
        }
    }

    /// Writes a file under its hidden name and notes it.
    func stage(_ rows: Rows, _ work: FolderWork) throws {
        guard let staging = paths.staging else { return }
        let name = rows.name
        let staged = staging + "/" + name
        try DurableFile.make(staged, holding: rows.bytes)
        try DurableFile.syncFolder(of: staged)
        try work.db.execute(sql: "INSERT INTO outgoing (name, staged) VALUES (?, ?)", arguments: [name, staged])
    }

    /// Gives the files that have been noted their names.
    func publish(_ work: FolderWork) throws {
        guard let outbound = paths.outbound else { return }
        for row in try Row.fetchAll(work.db, sql: "SELECT name, staged FROM outgoing ORDER BY name") {
            let (name, staged) = (row["name"] as String, row["staged"] as String)
            do throws(DurableFile.Failure) { try DurableFile.move(staged, to: outbound + "/" + name) } catch {
                guard error.isMissing, FileManager.default.fileExists(atPath: outbound) else { throw error }
            }
            try work.db.execute(sql: "DELETE FROM outgoing WHERE name = ?", arguments: [name])
        }
    }

    /// Removes what was written by transactions that then did not happen.
    func sweep(_ work: FolderWork) throws {
        guard let staging = paths.staging else { return }
        let noted = Set(try String.fetchAll(work.db, sql: "SELECT name FROM outgoing"))
        for found in try FoundFile.all(in: staging) where !noted.contains(found.name) { unlink(found.path) }
    }
}
