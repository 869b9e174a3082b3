import HubDriver
import HubModel
import Synchronization

extension Trial {
    /// A write that is meant for a state which is no more.
    func conditionalWrite() async throws -> String {
        guard updates() else { throw Verdict.notApplicable("\(sample.native) takes no updates") }
        let held = try await newDocument()
        let before = try await existing(held.document.key)
        let moved: Fields
        if let edit = sample.edit {
            moved = try await edit(held.document.key, marks.next())
        } else {
            let other = try update(held)
            _ = try await written(other)
            moved = other.fields
        }
        let present = try await existing(held.document.key)
        let wrong = difference(moved, present.fields)
        try Verdict.require(wrong.isEmpty, "a read does not show what was changed meanwhile: \(wrong)")
        if entity.hasStamp {
            guard let old = before.stamp, let new = present.stamp else {
                throw Verdict.failed("the manifest says that reads tell the feed position, but they do not")
            }
            try Verdict.require(new > old, "the feed position stayed at \(old) although the document changed")
        }
        guard entity.hasToken else {
            throw Verdict.absent("there is no version token: the hub reads before it writes, and a read shows the change")
        }
        try Verdict.require(
            present.token != nil && present.token != before.token, "the token did not change when the document did")
        let stale = try update(held)
        let ending = try await apply(stale)
        guard case .answer(.changed) = ending else {
            throw Verdict.failed("a write with an old token ended as \(ending.detail) instead of changed")
        }
        let after = try await existing(held.document.key)
        let covered = difference(moved, after.fields)
        try Verdict.require(covered.isEmpty, "a write with an old token covered a newer state: \(covered)")
        try Verdict.require(after.token == present.token, "a write with an old token left a new token")
        if entity.operations.contains(.delete), entity.delete != .refuses {
            let ending = try await apply(deletion(held))
            guard case .answer(.changed) = ending else {
                throw Verdict.failed("a delete with an old token ended as \(ending.detail) instead of changed")
            }
            _ = try await existing(held.document.key)
        }
        _ = try await written(try update(held.at(after)))
        return "an old token is told changed, today's is accepted"
    }

    /// A person's edit while a write is under way, at each of its requests.
    func editBeforeReadBack() async throws -> String {
        guard let edit = sample.edit else { throw Verdict.absent("the bench has no person's edit of \(sample.native)") }
        guard updates() else { throw Verdict.notApplicable("\(sample.native) takes no updates") }
        var held = try await newDocument()
        // A member that has a value already shows more than an empty one.
        _ = try await edit(held.document.key, marks.next())
        held = held.at(try await existing(held.document.key))
        var ends: [String: Int] = [:]
        var edits = 0
        for number in 1...max(1, options.requestLimit) {
            let delivery = try update(held)
            let (key, mark) = (held.document.key, marks.next())
            let person = Person { try await edit(key, mark) }
            let (ending, hasStruck, isLast) = try await with(.heldAnswer(number) { await person.act() }) {
                (try await apply(delivery), await faults.hasStruck, await isBehind(number))
            }
            let present: NativeDocument
            if hasStruck {
                let edited = try await limited("a person's edit") { try await person.result() }
                if ending.isNoAnswer { try await settle() }
                present = try await existing(key)
                do {
                    try judge(ending, delivery, held, edited, present)
                } catch Verdict.failed(let text) {
                    throw Verdict.failed("edited before the answer to request \(number), answered \(ending.text): \(text)")
                }
                edits += 1
                ends[ending.text, default: 0] += 1
            } else {
                guard ending.document != nil else { throw Verdict.failed("a good update ended as \(ending.detail)") }
                present = try await existing(key)
            }
            held = held.at(present)
            if isLast { break }
        }
        try Verdict.require(edits > 0, "no request of the driver met the fault: does makeDriver() go through the bench's faults?")
        let list = ends.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        return "\(edits) edits: \(list)"
    }

    private func judge(_ ending: Ending, _ delivery: Delivery, _ held: Held, _ edited: Fields, _ present: NativeDocument) throws {
        let lost = difference(edited, present.fields)
        try Verdict.require(lost.isEmpty, "the edit was lost: \(lost)")
        switch ending {
        case .answer(.written(let told)), .answer(.unchanged(let told)):
            let wrong = difference(delivery.fields, present.fields)
            try Verdict.require(wrong.isEmpty, "what was answered as done does not stand: \(wrong)")
            guard entity.hasToken, told.token == present.token else { return }
            let hidden = difference(edited, told.fields)
            try Verdict.require(hidden.isEmpty, "the answer has the token of the edit, but not its values: the next write would cover it")
        case .answer(.changed), .answer(.retry), .answer(.later), .withoutEffect:
            let wrong = difference(before(delivery, held), present.fields)
            try Verdict.require(wrong.isEmpty, "the driver says that nothing happened, but \(wrong)")
        case .answer(.noAnswer): break
        case .answer(let answer): throw Verdict.failed("a person's edit led to \(answer.word)")
        }
    }
}

/// A person who acts once, when told to.
private final class Person: Sendable {
    private let call = Mutex<RunningCall<Fields>?>(nil)
    private let edit: @Sendable () async throws -> Fields

    init(_ edit: @escaping @Sendable () async throws -> Fields) { self.edit = edit }

    /// Begins, and waits for the end for as long as an answer may be held.
    func act() async {
        let running = call.withLock { call in
            let running = call ?? RunningCall(edit)
            call = running
            return running
        }
        _ = await running.result(within: .seconds(1))
    }

    func result() async throws -> Fields {
        guard let running = call.withLock({ $0 }), let result = await running.result(within: .seconds(20)) else {
            throw Verdict.failed("a person's edit does not come back")
        }
        return try result.get()
    }
}
