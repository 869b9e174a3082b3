import GRDB
package import HubDriver
package import HubModel

extension FilesDriver {
    private static let retry = Duration.seconds(1)

    package func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] {
        let begun = ContinuousClock.now
        let patience = manifest.answerTime / 2
        let busy = batch.map { _ in Answer.later(after: Self.retry, reason: "another process holds the folder's record") }
        let answers: [Answer]
        do throws(DriverError) {
            answers = try await perform { [self] work in
                guard ContinuousClock.now - begun < patience else { return busy }
                try readFirst(&work)
                return try written(batch, &work)
            }
        } catch {
            guard let cause = error.cause as? DatabaseError, cause.resultCode == .SQLITE_BUSY else { throw error }
            answers = busy
        }
        guard answers.contains(where: { if case .written = $0 { true } else { false } }) else { return answers }
        // The files are whole and noted; any call gives them their names, this one at best.
        do throws(DriverError) { try await perform { _ in } } catch {
            return answers.map { answer in
                guard case .written = answer else { return answer }
                return .noAnswer(reason: "the file is written, and could not be given its name yet: \(error.message)")
            }
        }
        return answers
    }

    /// Decides every delivery and stages one file for each type.
    private func written(_ batch: [Delivery], _ work: inout FolderWork) throws -> [Answer] {
        var answers: [Answer] = []
        var rows: [String: Drop.Rows] = [:]
        for delivery in batch {
            do throws(Refusal) {
                answers.append(try answer(delivery, &rows, &work))
            } catch {
                switch error {
                case .rule(let rejection): answers.append(.rejected(rejection))
                case .record(let failure): throw failure
                }
            }
        }
        for native in rows.keys.sorted() { if let rows = rows[native] { try drop.stage(rows, work) } }
        return answers
    }

    private func answer(
        _ delivery: Delivery, _ rows: inout [String: Drop.Rows], _ work: inout FolderWork
    ) throws(Refusal) -> Answer {
        guard let type = types.first(where: { $0.native == delivery.native }), type.outbound != nil else {
            throw Refusal("unknown-type", nil, "No files go out for \(delivery.native).")
        }
        let hasUnread = try Refusal.passing { try intake.hasUnread(type.native, work) }
        if hasUnread { return .later(after: Self.retry, reason: "files of \(type.native) are still being read") }
        let wanted: FolderDocument
        switch try WantedDocument(delivery, type, work).outcome {
        case .ends(let answer): return answer
        case .writes(let document): wanted = document
        }
        let row = RowWriter(type: type).row(wanted, delivery.operation)
        guard row.count <= type.limit else {
            throw Refusal("too-long", nil, "The row would have \(row.count) bytes, \(type.limit) are allowed.")
        }
        let now = work.now
        let kept = try Refusal.passing {
            let kept = try work.put(wanted, company: type.company(of: wanted) ?? delivery.company, time: now)
            rows[type.native, default: Drop.Rows(type, first: kept.stamp)].add(row, delivery)
            return kept
        }
        return .written(kept.told)
    }
}

/// Why a delivery, or with it the whole transaction, cannot be carried out.
enum Refusal: Error {
    case rule(Rejection)
    /// The record or the disk failed: nothing of the transaction has happened.
    case record(any Error)

    init(_ rule: String, _ field: String?, _ text: String) { self = .rule(Rejection(rule: rule, field: field, text: text)) }

    /// Errors of the record, told apart from rules.
    static func passing<T>(_ body: () throws -> T) throws(Refusal) -> T {
        do { return try body() } catch { throw .record(error) }
    }
}
