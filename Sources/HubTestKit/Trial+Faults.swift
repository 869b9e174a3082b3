import HubDriver
import HubModel

extension Trial {
    /// The answer to one of the requests is lost, each in turn.
    func intentRecovery() async throws -> String {
        try await faultAtEachRequest(isLate: false) { .lostAnswer($0) }
    }

    /// One of the requests does not arrive, each in turn: what came before it has taken effect.
    func halfDone() async throws -> String {
        try await faultAtEachRequest(isLate: false) { .lostRequest($0) }
    }

    /// One of the requests arrives after the call's time-out, each in turn, and within the settle time.
    func lateCompletion() async throws -> String {
        let (answer, settle) = (manifest.answerTime, manifest.settleTime)
        // After the time-out where the settle time allows it; in any case well within the settle time.
        let delay = answer < settle * 0.8 ? answer + (settle - answer) / 4 : settle * 0.8
        return try await faultAtEachRequest(isLate: true) { .lateRequest($0, by: delay) }
    }

    private func faultAtEachRequest(isLate: Bool, _ fault: (Int) -> Fault) async throws -> String {
        var ends: [String: Int] = [:]
        var faulty = 0
        for isCreate in [true, false] where isCreate ? creates() : updates() {
            // Connections and sessions that one call leaves for the next are made before the faults.
            var held = try await newDocument()
            for number in 1...max(1, options.requestLimit) {
                let delivery = isCreate ? try await creation() : try update(held)
                let begun = ContinuousClock.now
                let (ending, hasStruck) = try await with(fault(number)) {
                    let ending = try await apply(delivery)
                    let hasStruck = await faults.hasStruck
                    // A late request arrives whatever the driver has answered meanwhile.
                    if ending.isNoAnswer || hasStruck && isLate { try await settle(begun) }
                    return (ending, hasStruck)
                }
                let place = "\(delivery.operation), fault at request \(number)"
                do {
                    if isCreate {
                        try await recover(delivery, ending)
                    } else {
                        held = try await recover(delivery, held, ending)
                    }
                } catch Verdict.failed(let text) {
                    throw Verdict.failed("\(place), answered \(ending.text): \(text)")
                }
                guard hasStruck else { break }
                faulty += 1
                ends[ending.text, default: 0] += 1
            }
        }
        if !creates() && !updates() { throw Verdict.notApplicable("\(sample.native) takes no writes") }
        try Verdict.require(faulty > 0, "no request of the driver met the fault: does makeDriver() go through the bench's faults?")
        let list = ends.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        return "\(faulty) faults: \(list)"
    }

    // MARK: Creates

    /// Brings a create to its end as the hub does, and makes sure that there is one document, complete.
    func recover(_ delivery: Delivery, _ ending: Ending) async throws {
        var document: NativeDocument?
        switch ending {
        case .answer(.written(let told)), .answer(.unchanged(let told)): document = told
        case .withoutEffect, .answer(.retry):
            let found = try await living(delivery.reference) ?? []
            try Verdict.require(found.isEmpty, "the driver says that nothing happened, but the document is there")
            document = try await written(delivery)
        case .answer(.noAnswer):
            if let found = try await living(delivery.reference) {
                try Verdict.require(found.count < 2, "\(found.count) documents carry the reference")
                document = found.first
            } else if !entity.createIsRepeatable {
                throw Verdict.failed("a create cannot be repeated, and the driver cannot look documents up")
            }
            if let found = document {
                let left = missing(delivery.fields, in: found.fields)
                if !left.isEmpty {
                    let held = Held(
                        reference: delivery.reference, document: found, names: Set(delivery.fields.names), wanted: delivery.fields)
                    document = try await written(update(held, left))
                }
            } else {
                document = try await written(delivery)
            }
        case .answer(let answer): throw Verdict.failed("what is no fault of the document was answered as \(answer.word)")
        }
        guard let document else { throw Verdict.failed("there is no document in the end") }
        let wrong = difference(delivery.fields, document.fields)
        try Verdict.require(wrong.isEmpty, "the document is not complete: \(wrong)")
        if let found = try await living(delivery.reference) {
            try Verdict.require(found.count == 1, "\(found.count) documents carry the reference in the end")
            let wrong = difference(delivery.fields, found[0].fields)
            try Verdict.require(wrong.isEmpty && found[0].key == document.key, "another state is found in the end: \(wrong)")
        }
    }

    // MARK: Updates

    /// Brings an update to its end as the hub does, and makes sure that it stands.
    func recover(_ delivery: Delivery, _ held: Held, _ ending: Ending) async throws -> Held {
        let present = try await existing(held.document.key)
        let before = before(delivery, held)
        var document = present
        switch ending {
        case .answer(.written), .answer(.unchanged): break
        case .withoutEffect, .answer(.retry), .answer(.changed):
            let wrong = difference(before, present.fields)
            try Verdict.require(wrong.isEmpty, "the driver says that nothing happened, but \(wrong)")
            document = try await written(update(held.at(present), delivery.fields))
        case .answer(.noAnswer):
            for (name, value) in delivery.fields {
                let told = present.fields[name] ?? .null
                try Verdict.require(
                    sample.isSame(name, value, told) || sample.isSame(name, before[name] ?? .null, told),
                    "\(name) is \(shown(told)), neither as it was nor as it was written")
            }
            let left = missing(delivery.fields, in: present.fields)
            if !left.isEmpty { document = try await written(update(held.at(present), left)) }
        case .answer(let answer): throw Verdict.failed("what is no fault of the document was answered as \(answer.word)")
        }
        let wrong = difference(delivery.fields, document.fields)
        try Verdict.require(wrong.isEmpty, "the update does not stand in the end: \(wrong)")
        return held.after(delivery, document)
    }
}

extension Trial.Held {
    /// The same document in the state that it has now.
    func at(_ document: NativeDocument) -> Trial.Held {
        var copy = self
        copy.document = document
        return copy
    }
}
