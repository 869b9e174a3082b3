import GRDB
package import HubDriver
package import HubModel
import Synchronization

/// The driver of a folder through which another program exchanges CSV and NDJSON files.
///
/// To the hub the folder's record is the application: its documents are what files have told and been told, its feed is both in the order
/// in which they came about. A write is told in the feed like any change, so that the hub hears it back.
package struct FilesDriver: Driver, LookingUp, Reading, Paging, Capturing {
    package let manifest: Manifest
    let types: [TypeDeclaration]
    let paths: FolderPaths
    let state: FolderState
    let intake: Intake
    let drop: Drop
    /// What a crash left half done has been looked for.
    private let isSwept = Swept()

    /// Entries that have been told are forgotten after this time.
    private static let memory = Duration.seconds(86_400)
    /// Rows that are read before a question is answered, and before a write.
    private static let rowsBefore = 5000
    private static let pageLimit = 1000

    private final class Swept: Sendable {
        let isDone = Atomic<Bool>(false)
    }

    init(manifest: Manifest, types: [TypeDeclaration], paths: FolderPaths) {
        self.manifest = manifest
        self.types = types
        self.paths = paths
        state = FolderState(path: paths.database, patience: manifest.answerTime / 4)
        intake = Intake(types, paths)
        drop = Drop(paths: paths)
    }

    // MARK: Asking

    package func probe() async throws(DriverError) -> ApplicationIdentity {
        let (instance, unread, leaving) = try await ask { work in
            (
                try work.setting("instance") ?? "", try Int.fetchOne(work.db, sql: "SELECT count(*) FROM file WHERE ended IS NULL") ?? 0,
                try Int.fetchOne(work.db, sql: "SELECT count(*) FROM outgoing") ?? 0
            )
        }
        let folders = [paths.inbound.map { "in: \($0)" }, paths.outbound.map { "out: \($0)" }].compactMap(\.self)
        return ApplicationIdentity(
            instance: instance, version: manifest.version, details: folders + ["\(unread) files to read, \(leaving) to put out"])
    }

    package func lookUp(_ references: [LookUp]) async throws(DriverError) -> [[NativeDocument]] {
        try await ask { [types] work in
            try references.map { wanted in
                let type = types.first { $0.native == wanted.native }
                return try work.documents(wanted.native, reference: wanted.reference).filter { type?.isOf(wanted.company, $0) == true }
                    .map(\.told)
            }
        }
    }

    package func read(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?] {
        try await ask { [types] work in
            try references.map { wanted in
                guard let type = types.first(where: { $0.native == wanted.native }),
                    let document = try work.document(wanted.native, wanted.key), !document.isDeleted, type.isOf(wanted.company, document)
                else { return nil }
                return document.told
            }
        }
    }

    package func page(native: String, company: String?, after cursor: String?, limit: Int) async throws(DriverError) -> Page {
        let limit = max(1, min(limit, Self.pageLimit))
        return try await ask { [types] work in
            guard let type = types.first(where: { $0.native == native }) else { return Page(documents: [], next: nil) }
            let found = try work.documents(native, after: cursor ?? "", limit: limit)
            let next = found.count < limit ? nil : found.last?.key.rawValue
            return Page(documents: found.filter { type.isOf(company, $0) }.map(\.told), next: next)
        }
    }

    package func capture(after position: String?, limit: Int) async throws(DriverError) -> CapturedBatch {
        guard let place = Int64(position ?? "0") else {
            throw DriverError(.configuration, "the position “\(position ?? "")” is none of a folder's feed")
        }
        let limit = max(1, limit)
        return try await perform { [intake] work in
            try intake.settle(upTo: place, work)
            try work.forget(upTo: place, notedBefore: work.now + (.zero - Self.memory))
            let waiting = try work.entryCount(after: place, atMost: limit)
            if waiting < limit { _ = try intake.read(limit - waiting, &work) }
            // A file may end with more entries than rows: deletions of what was missing in it.
            guard position != nil, let forgotten = try work.forgotten(), place < forgotten else {
                let batch = try work.batch(after: place, limit: limit)
                return CapturedBatch(
                    changes: batch.changes, malformed: batch.malformed, position: batch.last.map { String($0) } ?? position)
            }
            let gap = MalformedEntry(
                native: nil, code: "feed-gap", reason: "entries \(place + 1) to \(forgotten) of the feed are no longer kept; compare",
                raw: [])
            // The gap takes one entry's room. It is told once: even where nothing stands behind it, the feed goes on behind it.
            let batch = try work.batch(after: forgotten, limit: limit - 1)
            return CapturedBatch(
                changes: batch.changes, malformed: [gap] + batch.malformed, position: String(batch.last ?? forgotten))
        }
    }

    package func close() async { state.close() }

    // MARK: The record

    /// Answers from the record, after what lies in the folder has been read.
    private func ask<T: Sendable>(_ question: @escaping @Sendable (FolderWork) throws -> T) async throws(DriverError) -> T {
        try await perform { [intake] work in
            _ = try intake.read(Self.rowsBefore, &work)
            return try question(work)
        }
    }

    /// One transaction, in which what an earlier one left to be put out is put out first.
    func perform<T: Sendable>(_ step: @escaping @Sendable (inout FolderWork) throws -> T) async throws(DriverError) -> T {
        try paths.prepare()
        do {
            return try await state.perform { [drop, isSwept] db in
                var work = FolderWork(db)
                try drop.publish(work)
                if !isSwept.isDone.load(ordering: .relaxed) {
                    try drop.sweep(work)
                    isSwept.isDone.store(true, ordering: .relaxed)
                }
                return try step(&work)
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            throw DriverError(.unreachable, "another process holds the folder's record", cause: error)
        } catch {
            throw DriverError(.unreachable, "the folder cannot be used: \(error)", cause: error)
        }
    }

    /// Rows read before a write: all that lie there, unless they are very many.
    func readFirst(_ work: inout FolderWork) throws { _ = try intake.read(Self.rowsBefore, &work) }
}

extension TypeDeclaration {
    func isOf(_ company: String?, _ document: FolderDocument) -> Bool {
        guard let company, self.company != nil else { return true }
        return self.company(of: document) == company
    }
}
