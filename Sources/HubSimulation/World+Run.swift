import HubModel
import HubRules
import HubStore

extension World {
    /// Runs people and faults, then drains, then checks.
    package func run() throws {
        for _ in 0..<options.steps {
            now += 1
            try forceDue()
            try step(try possible(isQuiet: false))
        }
        for _ in 0..<20_000 {
            now += 1
            try forceDue()
            let steps = try possible(isQuiet: true)
            if steps.isEmpty {
                guard let wake = try nextWake() else { return try check() }
                now = max(now, wake.milliseconds - World.epoch - 1)
                continue
            }
            try step(steps)
        }
        throw Violation(invariant: 11, text: "writes do not cease")
    }

    private func step(_ steps: [(weight: Double, step: Step)]) throws {
        guard !steps.isEmpty else { return }
        var place = random.unit() * steps.reduce(0) { $0 + $1.weight }
        for (weight, step) in steps {
            place -= weight
            if place < 0 { return try carryOut(step) }
        }
        if let last = steps.last { try carryOut(last.step) }
    }

    /// The next wait that ends by time alone; waits for the feed do not count.
    private func nextWake() throws -> Instant? {
        try transaction { store in
            try self.routed.compactMap { try store.nextWake($0) }.filter { $0 - self.instant < .seconds(10_000) }.min()
        }
    }

    // MARK: Invariants

    func countOutcome(_ record: Record) {
        guard let target = record.header("ce_subject"), let id = record.header("ce_id"), let kind = record.header("ce_type"),
            !kind.hasSuffix(".waiting"), let version = id.split(separator: "/").dropLast().last.flatMap({ Version(String($0)) })
        else { return }
        var first = version.number
        if kind.hasSuffix(".superseded"), let value = record.value, let told = SimulationChecks.firstVersion(value) { first = told }
        for number in first...version.number { outcomes[OutcomeEnd(target: target, number: number), default: 0] += 1 }
    }

    private func check() throws {
        for (edit, fate) in edits.sorted(by: { ($0.key.application, $0.key.position) < ($1.key.application, $1.key.position) })
        where fate == nil {
            throw Violation(invariant: 5, text: "edit lost: \(edit.application) \(edit.position) \(edit.field)")
        }
        try transaction { store in
            if let waiting = try store.waitingEvents(after: 0, limit: 1).first {
                throw Violation(invariant: 9, text: "event waits for ever: \(waiting.document) for \(waiting.awaits)")
            }
            var ends: [String: Int] = [:]
            for end in try store.eventEnds() { ends[end.topic, default: 0] += end.count }
            for application in applications
            where routed.contains(application.id) && ends[application.inboundTopic, default: 0] != application.topic.count {
                throw Violation(
                    invariant: 9,
                    text: "\(application.topic.count) events of \(application.id) have \(ends[application.inboundTopic, default: 0]) ends")
            }
            let alarms = try store.alarms(after: 0, limit: 1000)
            var newest: [CanonicalID: Version] = [:]
            for entry in topic {
                if let entry, let key = entry.record.key { newest[CanonicalID(String(decoding: key, as: UTF8.self))] = entry.version }
            }
            for entity in ["customer", "order"] as [EntityName] {
                for golden in try store.goldenRecords(entity, after: nil, limit: 10_000) {
                    guard newest[golden.id] == golden.version else {
                        throw Violation(
                            invariant: 3,
                            text: "last record of \(golden.id) is \(newest[golden.id]?.description ?? "none"), newest \(golden.version)")
                    }
                    for id in routed { try check(golden, at: id, alarms, store) }
                }
            }
            for application in applications where routed.contains(application.id) {
                for key in application.keys where alarms.isEmpty {
                    guard let entity = application.documents[key]?.entity,
                        try store.link(NativeReference(application.id, .shared, EntityName(entity), key)) == nil
                    else { continue }
                    throw Violation(invariant: 7, text: "\(key) is not linked")
                }
            }
        }
    }

    private func check(_ golden: GoldenRecord, at id: ApplicationID, _ alarms: [Alarm], _ store: any StoreTransaction) throws {
        let application = application(id)
        let target = plan.target(id, golden.entity, .shared, golden.id)
        let documents = try application.keys.filter { key in
            try application.documents[key]?.reference == golden.id
                || store.link(NativeReference(id, .shared, golden.entity, key)) == golden.id
        }
        if documents.count > 1, alarms.isEmpty { throw Violation(invariant: 7, text: "\(golden.id) twice at \(id): \(documents)") }
        let state = try store.target(target)
        if state.wait?.reason == .reference, alarms.contains(where: { $0.document == golden.id }) { return }
        if let wait = state.wait { throw Violation(invariant: 9, text: "delivery \(target) waits for ever: \(wait.reason) \(wait.detail)") }
        for number in 1...max(1, golden.version.number) {
            let ends = outcomes[OutcomeEnd(target: target.description, number: number), default: 0]
            if ends != 1 {
                throw Violation(invariant: 9, text: "version \(number) of \(golden.version.number) has \(ends) ends at \(target)")
            }
        }
        let document = documents.first.flatMap { application.documents[$0] }
        if golden.isDeleted {
            if let document, !document.isDeleted { throw Violation(invariant: 10, text: "\(golden.id) lives at \(id)") }
            return
        }
        let wanted = try Fields(
            golden.fields.map { field in
                let value =
                    field.name == "customer"
                    ? try store.target(plan.target(id, "customer", .shared, CanonicalID(field.value.text ?? ""))).key.map {
                        .string($0.rawValue)
                    }
                        ?? .null : field.value
                return (field.name, application.normal(field.name, value))
            })
        guard let document, !document.isDeleted, document.state == wanted else {
            throw Violation(
                invariant: 0,
                text:
                    "\(target) holds \(documents.first.map { "\($0)" } ?? "nothing") \(Self.text(document?.state)), golden \(Self.text(wanted))"
            )
        }
    }

    private static func text(_ fields: Fields?) -> String {
        fields.map { $0.map { "\($0.name)=\($0.value.text ?? "?")" }.joined(separator: " ") } ?? "-"
    }
}
