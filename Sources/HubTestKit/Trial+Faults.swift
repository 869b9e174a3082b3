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
                let (ending, hasStruck, isLast) = try await with(fault(number)) {
                    let ending = try await apply(delivery)
                    let hasStruck = await faults.hasStruck
                    let isLast = await isBehind(number)
                    // A late request arrives whatever the driver has answered meanwhile.
                    if ending.isNoAnswer || hasStruck && isLate { try await settle() }
                    return (ending, hasStruck, isLast)
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
                if isLast { break }
                if hasStruck { faulty += 1 }
                ends[ending.text, default: 0] += 1
            }
        }
        if !creates() && !updates() { throw Verdict.notApplicable("\(sample.native) takes no writes") }
        try Verdict.require(faulty > 0, "no request of the driver met the fault: does makeDriver() go through the bench's faults?")
        return "\(faulty) faults: \(Self.counts(ends))"
    }

    /// True where the call had fewer requests. A request that is never answered (the last words of a connection) is none to stop at.
    func isBehind(_ number: Int) async -> Bool {
        if await faults.hasStruck { return false }
        return await faults.traffic.map { $0.requests.count < number } ?? true
    }

    /// The application goes away in the middle of a call with several deliveries, after each request in turn: *unreachable* is thrown only
    /// where nothing of all of them has happened.
    func outage() async throws -> String {
        guard creates() else { throw Verdict.notApplicable("\(sample.native) takes no creates") }
        let size = min(max(1, manifest.limits.batch), 2)
        var ends: [String: Int] = [:]
        var outages = 0
        _ = try await newDocument()
        for number in 1...max(1, options.requestLimit) {
            var batch: [Delivery] = []
            for _ in 0..<size { batch.append(try await creation()) }
            let (endings, isLast) = try await with(.outage(after: number)) { (try await apply(batch), await isBehind(number)) }
            if endings.contains(where: \.isNoAnswer) { try await settle() }
            for (index, ending) in endings.enumerated() {
                do {
                    try await recover(batch[index], ending)
                } catch Verdict.failed(let text) {
                    let place = "outage after request \(number), delivery \(index + 1) of \(size)"
                    throw Verdict.failed("\(place), answered \(ending.text): \(text)")
                }
            }
            if isLast { break }
            outages += 1
            for ending in endings { ends[ending.text, default: 0] += 1 }
        }
        try Verdict.require(outages > 0, "no request of the driver met the fault: does makeDriver() go through the bench's faults?")
        return "\(outages) outages, \(size) deliveries in each: \(Self.counts(ends))"
    }

    private static func counts(_ ends: [String: Int]) -> String {
        ends.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }

    // MARK: Creates

    /// Brings a create to its end as the hub does, and makes sure that there is one document, complete.
    func recover(_ delivery: Delivery, _ ending: Ending) async throws {
        var document: NativeDocument?
        switch ending {
        case .answer(.written(let told)), .answer(.unchanged(let told)): document = told
        case .withoutEffect, .answer(.retry), .answer(.later):
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
        case .withoutEffect, .answer(.retry), .answer(.later), .answer(.changed):
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
