import HubCodec
package import HubModel
package import HubRules
package import HubStore

/// Why a request was not carried out, for the person who made it.
package struct OperatorRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String

    package init(_ text: String) { description = text }
}

extension OperatorRequest {
    /// The note under which a pause is kept.
    package static func pauseNote(_ application: ApplicationID) -> String { "paused/\(application)" }
    /// The note under which the instance that an application said to be is kept.
    package static func identityNote(_ application: ApplicationID) -> String { "identity/\(application)" }
    /// The header of a record that was replayed: the dead letter's number.
    package static let replayHeader = "mp-replay"
    /// The words of a ready wait by which delivery knows that a person has spoken: a yes to a creation, or that it be tried
    /// again although the newest version has ended.
    package static let approvedDetail = "approved"
    package static let replayDetail = "replay"

    /// Does what was asked, within the transaction.
    ///
    /// - Returns: what was done, in words.
    /// - Throws: ``OperatorRefusal`` where it cannot be done; errors of the store. Nothing has been changed then.
    package func apply(to transaction: any StoreTransaction, plan: HubPlan, now: Instant) throws -> String {
        switch command {
        case .pause(let application):
            try require(application, plan)
            if try transaction.note(Self.pauseNote(application)) != nil { return "\(application) is paused already" }
            try transaction.putNote(String(now.milliseconds), Self.pauseNote(application))
            return "\(application) is paused"
        case .resume(let application):
            try require(application, plan)
            // A person's word also holds where another instance has been found behind the application's address.
            let hadIdentity = try transaction.note(Self.identityNote(application)) != nil
            try transaction.putNote(nil, Self.identityNote(application))
            if try transaction.note(Self.pauseNote(application)) == nil {
                return "\(application) is not paused" + (hadIdentity ? "; the instance that answers next is taken as the right one" : "")
            }
            try transaction.putNote(nil, Self.pauseNote(application))
            return "\(application) is resumed"
        case .approve(let target):
            let state = try state(of: target, transaction, plan)
            guard state.wait?.reason == .approval else {
                throw OperatorRefusal("\(target) does not wait for approval" + Self.now(state))
            }
            try makeReady(target, state, Self.approvedDetail, transaction, now)
            return "\(target) is approved"
        case .release(let target):
            let state = try state(of: target, transaction, plan)
            try check(release: state, target)
            try makeReady(target, state, Self.replayDetail, transaction, now)
            return "\(target) is released"
        case .replay(let id):
            return try replay(id, transaction, plan, now)
        case .discover, .reload:
            throw OperatorRefusal("no hub is running")
        }
    }

    private func require(_ application: ApplicationID, _ plan: HubPlan) throws(OperatorRefusal) {
        guard plan.applications[application] == nil else { return }
        let near = Suggestion.nearest(application.rawValue, plan.applications.keys.map(\.rawValue)).map { "; did you mean \($0)?" } ?? ""
        throw OperatorRefusal("there is no application \(application)\(near)")
    }

    private func state(of target: Target, _ transaction: any StoreTransaction, _ plan: HubPlan) throws -> TargetState {
        try require(target.application, plan)
        guard try transaction.golden(target.id) != nil else { throw OperatorRefusal("there is no document \(target.id)") }
        return try transaction.target(target)
    }

    /// Waits that may be cut short; those that protect a call or a document may not.
    private func check(release state: TargetState, _ target: Target) throws(OperatorRefusal) {
        guard let wait = state.wait else {
            if state.rejected == nil { throw OperatorRefusal("\(target) waits for nothing") }
            return
        }
        switch wait.reason {
        case .retry, .reference, .changed, .ambiguous, .dead: return
        case .ready, .calling: throw OperatorRefusal("\(target) is to be delivered already")
        case .approval: throw OperatorRefusal("\(target) waits for a yes: use waiting approve")
        case .stopped:
            throw OperatorRefusal(
                "\(target): \(wait.detail). When that is mended, say multipoint discover \(target.application)")
        case .settle: throw OperatorRefusal("\(target): a call without an answer may still take effect; the hub looks again by itself")
        case .unheard:
            throw OperatorRefusal("\(target): the created document has not been heard from the application yet; nothing is sent before")
        }
    }

    private func makeReady(
        _ target: Target, _ state: TargetState, _ word: String, _ transaction: any StoreTransaction, _ now: Instant
    ) throws {
        guard let golden = try transaction.golden(target.id) else { throw OperatorRefusal("there is no document \(target.id)") }
        var state = state
        state.wait = TargetState.Wait(.ready, detail: word, since: now)
        state.attempts = 0
        state.delays = 0
        state.rejected = nil
        try transaction.put(state, target, golden.entity)
    }

    private func replay(_ id: Int64, _ transaction: any StoreTransaction, _ plan: HubPlan, _ now: Instant) throws -> String {
        guard let letter = try transaction.deadLetter(id) else { throw OperatorRefusal("there is no dead letter \(id)") }
        if letter.replayed != nil { throw OperatorRefusal("dead letter \(id) has been replayed already") }
        if let target = letter.target {
            let state = try state(of: target, transaction, plan)
            // A newer version may have been delivered since, or be on its way: then there is nothing left to do.
            if state.wait?.reason == .dead || state.wait == nil && (letter.version.map { state.delivered < $0 } ?? true) {
                try makeReady(target, state, Self.replayDetail, transaction, now)
            }
            try transaction.markReplayed(id, at: now)
            return "dead letter \(id): \(target) is to be delivered again"
        }
        guard var record = letter.record else { throw OperatorRefusal("dead letter \(id) holds nothing that could be replayed") }
        if UnreadableEntry(record) != nil {
            throw OperatorRefusal(
                "dead letter \(id) is no event: it could not be read or published, and would end here again. Mend it at its source")
        }
        let place = "\(record.topic)[\(record.partition)]"
        record.offset = -1
        record.headers.removeAll { $0.name == Self.replayHeader }
        record.headers.append(Record.Header(Self.replayHeader, String(id)))
        try transaction.append(OutboxRow(record: record))
        try transaction.markReplayed(id, at: now)
        return "dead letter \(id): its record goes to \(place) again"
    }

    private static func now(_ state: TargetState) -> String {
        guard let wait = state.wait else { return "; it waits for nothing" }
        return "; it waits for \(wait.reason.rawValue)" + (wait.detail.isEmpty ? "" : " (\(wait.detail))")
    }
}
