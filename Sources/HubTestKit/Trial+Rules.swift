import HubDriver
import HubModel

extension Trial {
    /// One rule, broken twice: the same answer both times, and nothing changed.
    func breaking(_ breach: Breach) async throws -> String {
        guard let spoil = breach.spoil else { throw Verdict.absent(breach.reason) }
        let held = breach.operation == .create ? nil : try await newDocument()
        var before: NativeDocument?
        var delivery = try await good(breach.operation, held)
        var rejection: Rejection?
        do {
            try await spoil(&delivery, marks.next())
            // What it took to prepare the application stands already.
            if let held { before = try await existing(held.document.key) }
            for attempt in 1...2 {
                let ending = try await apply(delivery)
                guard let found = ending.rejection else {
                    throw Verdict.failed("attempt \(attempt) ended as \(ending.detail) instead of rejected")
                }
                try Verdict.require(found.rule == breach.rule, "it was rejected as \(found) instead of \(breach.rule)")
                try Verdict.require(!found.text.isEmpty, "the rejection has no words for people")
                rejection = found
            }
        } catch {
            try await breach.mend()
            throw error
        }
        try await breach.mend()
        if breach.operation == .create, let left = try await living(delivery.reference) {
            try Verdict.require(left.isEmpty, "the rejected create left a document")
        }
        if let before, let held {
            let after = try await existing(held.document.key)
            let wrong = difference(before.fields, after.fields)
            try Verdict.require(wrong.isEmpty, "the rejected \(breach.operation) changed something: \(wrong)")
        }
        return rejection.map { "\($0.field.map { "\($0): " } ?? "")\($0.text)" } ?? ""
    }

    private func good(_ operation: Delivery.Operation, _ held: Held?) async throws -> Delivery {
        guard let held, operation != .create else { return try await creation() }
        return operation == .delete ? deletion(held) : try update(held)
    }

    /// An application that cannot be reached is no rejection, and the same delivery passes afterwards.
    func retryable() async throws -> String {
        _ = try await newDocument()
        let delivery = try await creation()
        let ending = try await with(.refused) { try await apply(delivery) }
        switch ending {
        case .withoutEffect, .answer(.retry), .answer(.later), .answer(.noAnswer): break
        case .answer: throw Verdict.failed("an application that cannot be reached was answered as \(ending.detail)")
        }
        if ending.isNoAnswer { try await settle() }
        try await recover(delivery, ending)
        return "unreachable is \(ending.text), and the delivery passes afterwards"
    }

    /// The application refuses for the moment.
    func busy() async throws -> String {
        guard let whileBusy = sample.whileBusy else {
            throw Verdict.absent("the bench cannot make the application refuse for the moment")
        }
        let held = try await newDocument()
        let delivery = try update(held)
        try await whileBusy(held.document.key) {
            let begun = ContinuousClock.now
            let ending = try await apply(delivery)
            guard let delay = ending.delay else {
                throw Verdict.failed("a refusal for the moment ended as \(ending.detail) instead of later or retry")
            }
            try Verdict.require(delay >= .zero && delay < .seconds(3600), "the hub is to come back after \(delay)")
            try Verdict.require(ContinuousClock.now - begun < manifest.answerTime, "a refusal for the moment took the whole answer time")
            let wrong = difference(before(delivery, held), try await existing(held.document.key).fields)
            try Verdict.require(wrong.isEmpty, "the driver asks for patience, but has changed something: \(wrong)")
        }
        _ = try await written(delivery)
        return "a refusal for the moment is told as one, and the delivery passes afterwards"
    }

    /// A member that no application has.
    func unknownField() async throws -> String {
        let name = Self.unknown + marks.next()
        var seen: [String] = []
        if creates() {
            var delivery = try await creation()
            delivery.fields[name] = "x"
            let rejection = try await refused(delivery, "a create with an unknown member")
            if let left = try await living(delivery.reference) {
                try Verdict.require(left.isEmpty, "a create with an unknown member was rejected, but left a document")
            }
            seen.append("create: \(rejection.rule)")
        }
        if updates() {
            let held = try await newDocument()
            var delivery = try update(held)
            delivery.fields[name] = "x"
            let rejection = try await refused(delivery, "an update with an unknown member")
            let wrong = difference(before(delivery, held), try await existing(held.document.key).fields)
            try Verdict.require(wrong.isEmpty, "an update with an unknown member was rejected, but changed something: \(wrong)")
            seen.append("update: \(rejection.rule)")
        }
        if seen.isEmpty { throw Verdict.notApplicable("\(sample.native) takes no writes") }
        return seen.joined(separator: ", ")
    }

    private func refused(_ delivery: Delivery, _ what: String) async throws -> Rejection {
        let ending = try await apply(delivery)
        guard let rejection = ending.rejection else { throw Verdict.failed("\(what) ended as \(ending.detail) instead of rejected") }
        return rejection
    }
}
