import GRDB
import HubDriver
package import HubModel

/// What the hub asks of an application for one document.
struct Call: Sendable {
    var operation: Delivery.Operation
    var native: String
    var key: NativeKey?
    var reference: CanonicalID
    var token: VersionToken?
    var fields: Fields

    init(_ delivery: Delivery) {
        operation = delivery.operation
        native = delivery.native
        key = delivery.key
        reference = delivery.reference
        token = delivery.expected?.token
        fields = delivery.fields
    }

    init(row: Row) throws {
        operation = Delivery.Operation(rawValue: row["operation"]) ?? .update
        native = row["native"]
        key = (row["key"] as String?).map { NativeKey($0) }
        reference = CanonicalID(row["reference"])
        token = (row["token"] as String?).map { VersionToken($0) }
        fields = try JSONText.fields(row["body"])
    }
}

extension Work {
    /// Does what the hub asks, wholly or, where a rule forbids it, not at all.
    func answer(_ call: Call) throws -> Answer {
        do {
            var answer = Answer.gone
            try db.inSavepoint {
                answer = try effect(call)
                return .commit
            }
            return answer
        } catch let refused as Refused {
            return .rejected(refused.rejection)
        }
    }

    private func effect(_ call: Call) throws -> Answer {
        guard let entity = rules.entities.first(where: { $0.native == call.native }) else {
            throw Refused("invalid-field", nil, "There is no document type \(call.native).")
        }
        if call.operation == .create {
            if entity.createIsRepeatable, let known = try documents(call.native, reference: call.reference).last {
                return known.isDeleted ? .gone : .unchanged(known.told(entity))
            }
            return .written(try create(call.native, call.fields, reference: call.reference, by: .hub).told(entity))
        }
        guard let key = call.key else { throw Refused("missing-key", nil, "An update and a deletion need the document's key.") }
        guard let document = try document(call.native, key) else { return .gone }
        if entity.hasToken {
            guard let token = call.token else { throw Refused("missing-token", nil, "A write has to name the version it is meant for.") }
            if token.rawValue != String(document.version) { return .changed }
        }
        if call.operation == .delete { return .written(try remove(document, by: .hub).told(entity)) }
        let (after, changed) = try update(document, call.fields, by: .hub)
        return changed ? .written(after.told(entity)) : .unchanged(after.told(entity))
    }

    /// Keeps a call for later: it takes effect at `due` and not after `deadline`.
    func postpone(_ call: Call, due: Instant, deadline: Instant) throws {
        try db.execute(
            sql: """
                INSERT INTO late_call (due, deadline, operation, native, key, reference, token, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                due.milliseconds, deadline.milliseconds, call.operation.rawValue, call.native, call.key?.rawValue,
                call.reference.rawValue, call.token?.rawValue, JSONText.text(.object(call.fields)),
            ])
    }
}

extension ApplicationFile {
    /// Executes the late calls that are due, through the same rules as all calls, and drops those past the settle time.
    ///
    /// Whoever hosts the application calls it now and then; with several hosts each call still happens once.
    /// - Parameter now: the time that decides; nil: this moment.
    /// - Returns: how many were executed, refused ones included.
    @discardableResult
    package func completeLateCalls(now: Instant? = nil) async throws -> Int {
        var count = 0
        while true {
            let executed: Bool? = try await perform { work in
                let present = now ?? work.now
                let sql = "DELETE FROM late_call WHERE id = (SELECT min(id) FROM late_call WHERE due <= ?) RETURNING *"
                guard let row = try Row.fetchOne(work.db, sql: sql, arguments: [present.milliseconds]) else { return nil }
                guard present.milliseconds <= row["deadline"] as Int64 else { return false }
                _ = try Work(db: work.db, now: present, rules: work.rules).answer(Call(row: row))
                return true
            }
            guard let executed else { return count }
            if executed { count += 1 }
        }
    }
}
