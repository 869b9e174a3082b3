import Foundation
import GRDB
import HubDriver
import HubModel
import Synchronization

/// Takes files that come in and works their rows into the record and its feed.
///
/// A file is taken by renaming it into the driver's own folder, so that whoever dropped it cannot change it any more. How far it has been
/// read stands in the same transaction as what was read, with a digest of it.
final class Intake: Sendable {
    let types: [TypeDeclaration]
    let paths: FolderPaths
    /// The file that was read last, where reading goes on.
    private let open = Mutex<OpenFile?>(nil)
    /// Files that are gone from their places have been forgotten.
    private let hasForgotten = Atomic<Bool>(false)

    /// Files that are taken, and documents that are deleted, in one go.
    private static let atOnce = 500

    init(_ types: [TypeDeclaration], _ paths: FolderPaths) {
        self.types = types
        self.paths = paths
    }

    /// Reads up to so many rows that have not been read yet.
    ///
    /// - Returns: true where there are more.
    func read(_ limit: Int, _ work: inout FolderWork) throws -> Bool {
        guard paths.inbound != nil else { return false }
        var left = limit
        while true {
            let taken = try takeFiles(work)
            while let file = try InboundFile.next(work.db) {
                guard left > 0 else { return true }
                left -= max(1, try read(file, atMost: left, &work))
            }
            if taken < Self.atOnce { return false }
        }
    }

    /// True while files of that type have not been read to their ends.
    func hasUnread(_ native: String, _ work: FolderWork) throws -> Bool {
        try Bool.fetchOne(
            work.db, sql: "SELECT EXISTS (SELECT 1 FROM file WHERE ended IS NULL AND native = ?)", arguments: [native]) ?? false
    }

    // MARK: Taking files

    /// - Returns: how many were taken, at most ``atOnce``.
    private func takeFiles(_ work: FolderWork) throws -> Int {
        guard let inbound = paths.inbound, let taken = paths.taken else { return 0 }
        var count = 0
        try takeStrays(taken, work)
        if !hasForgotten.load(ordering: .relaxed) {
            try InboundFile.forgetVanished(work.db)
            hasForgotten.store(true, ordering: .relaxed)
        }
        for found in try FoundFile.all(in: inbound) where count < Self.atOnce {
            guard let type = types.first(where: { $0.inbound.map(found.matches) == true }) else { continue }
            if type.quiet > 0, work.now.milliseconds - found.changed < Int64(type.quiet) * 1000 { continue }
            if type.processed == .keep {
                if try InboundFile.isKnown(found, work.db) { continue }
                _ = try InboundFile.note(found, type, path: { _ in found.path }, work.db)
            } else {
                let file = try InboundFile.note(found, type, path: { FolderPaths.free(in: taken, $0, found.name) }, work.db)
                try DurableFile.move(found.path, to: file.path)
            }
            count += 1
        }
        return count
    }

    /// Files that were taken by a transaction which then did not happen, in this process or in another one. They come before newer ones,
    /// and are looked for every time: whoever took them may never come back.
    private func takeStrays(_ taken: String, _ work: FolderWork) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: taken)
        if names.isEmpty { return }
        let noted = try InboundFile.unsettledPaths(work.db)
        let strays = names.filter { !noted.contains("\(taken)/\($0)") }
        for stray in strays.sorted(by: { $0.precedesInBytes($1) }) {
            guard let name = FolderPaths.dropped(stray), let found = FoundFile(name: name, path: "\(taken)/\(stray)"),
                let type = types.first(where: { $0.inbound.map(found.matches) == true })
            else { continue }
            _ = try InboundFile.note(found, type, path: { _ in found.path }, work.db)
        }
    }

    // MARK: Reading

    /// Reads rows of one file.
    /// - Returns: how many entries that gave, or rows that it passed.
    private func read(_ file: InboundFile, atMost limit: Int, _ work: inout FolderWork) throws -> Int {
        var file = file
        guard let type = types.first(where: { $0.native == file.native }) else {
            // The type was taken out of the configuration while its file was being read.
            try refuse(&file, "the type \(file.native) is not declared any more", &work)
            return 1
        }
        let reading: OpenFile
        do {
            reading = try opened(file, type)
        } catch let problem as RowReader.Problem {
            try refuse(&file, problem.text, &work)
            return 1
        } catch let failure as DurableFile.Failure where failure.isOfTheFile {
            try refuse(&file, "it cannot be read: \(failure)", &work)
            return 1
        }
        var count = 0
        var line = file.offset > 0 ? file.line : reading.firstLine
        while count < limit, file.ended == nil {
            guard let row = try type.scanner().next(reading.source, line: &line) else {
                try end(&file, type, &work)
                break
            }
            count += 1
            switch Result(catching: { () throws(RowReader.Problem) in try reading.rows.read(row) }) {
            case .success(let told):
                file.rows += 1
                try work.take(told, type, file)
            case .failure(let problem): try refuse(row, problem, &file, type, &work)
            }
        }
        file.offset = reading.source.offset
        file.line = line
        file.digest = reading.source.digest.text
        try file.save(work.db)
        open.withLock { $0 = file.ended == nil ? reading : nil }
        return count
    }

    private func opened(_ file: InboundFile, _ type: TypeDeclaration) throws -> OpenFile {
        let known = open.withLock { $0 }
        // A number may have come again for another file: what has been read tells them apart.
        if let known, known.number == file.number, file.offset > 0, known.source.offset == file.offset,
            known.source.digest.text == file.digest
        {
            return known
        }
        return try OpenFile(file, type)
    }

    private func refuse(
        _ row: ScannedRow, _ problem: RowReader.Problem, _ file: inout InboundFile, _ type: TypeDeclaration, _ work: inout FolderWork
    ) throws {
        file.malformed += 1
        let lines = row.lines.count > 1 ? "lines \(row.lines.lowerBound)–\(row.lines.upperBound)" : "line \(row.lines.lowerBound)"
        try work.tell(
            MalformedEntry(native: file.native, code: "bad-row", reason: "\(file.name), \(lines): \(problem.text)", raw: row.raw))
        guard file.malformed >= type.malformedLimit else { return }
        try refuse(
            &file, "\(file.malformed) rows cannot be read; what stands behind line \(row.lines.upperBound) is not read", &work)
    }

    /// Leaves the rest of a file unread, and says so.
    private func refuse(_ file: inout InboundFile, _ reason: String, _ work: inout FolderWork) throws {
        file.malformed = max(1, file.malformed)
        try work.tell(
            MalformedEntry(native: file.native, code: "bad-file", reason: "\(file.name): \(reason); mend it and drop it again", raw: []))
        file.ended = try work.lastPlace()
        try file.save(work.db)
    }

    /// All rows have been read.
    private func end(_ file: inout InboundFile, _ type: TypeDeclaration, _ work: inout FolderWork) throws {
        if type.absentIsDeleted {
            if file.malformed > 0 || file.rows == 0 {
                let why = file.rows == 0 ? "it holds no rows" : "\(file.malformed) of its rows cannot be read"
                try work.tell(
                    MalformedEntry(
                        native: file.native, code: "no-deletions",
                        reason: "\(file.name): \(why), so that nothing is taken for deleted that is missing in it", raw: []))
            } else {
                while case let gone = try work.absent(type.native, from: file.number, limit: Self.atOnce), !gone.isEmpty {
                    for document in gone { try work.delete(document, type, time: Instant(milliseconds: file.changed)) }
                }
            }
        }
        file.ended = try work.lastPlace()
    }

    // MARK: Files that have been read

    /// Puts away the files whose entries lie at or before a place that Kafka has reached.
    func settle(upTo place: Int64, _ work: FolderWork) throws {
        for file in try InboundFile.settleable(upTo: place, work.db) {
            let processed = types.first { $0.native == file.native }?.processed ?? .archive
            switch processed {
            case .keep: break
            case .remove where file.malformed == 0:
                guard unlink(file.path) == 0 || errno == ENOENT else { throw DurableFile.Failure("\(file.path) cannot be removed") }
            case .archive, .remove:
                // Nothing is removed of which something could not be read.
                guard let archive = paths.archive, FoundFile(name: file.name, path: file.path) != nil else { break }
                try DurableFile.move(file.path, to: "\(archive)/\(file.number)-\(file.name)")
            }
            try file.settle(keepsName: processed == .keep, work.db)
        }
    }
}
