import GRDB
package import HubDriver
package import HubModel

/// The driver of both reference applications: the way in through their rules, and what their files plan to go wrong on it.
package struct ReferenceDriver: Driver, LookingUp, Reading, Paging, Capturing, Answering {
    package let manifest: Manifest
    package let file: ApplicationFile

    package init(manifest: Manifest, file: ApplicationFile) {
        self.manifest = manifest
        self.file = file
    }

    /// Opens the file that the settings name; `manifest` is given the settle and answer times.
    package init(
        _ settings: DriverSettings, rules: any Rules, manifest: (_ settle: Duration, _ answer: Duration) -> Manifest
    ) throws(DriverError) {
        guard let path = settings.values["file"], !path.isEmpty else {
            throw DriverError(.configuration, "\(settings.application) needs the setting file: the application's SQLite file.")
        }
        func duration(_ name: String, _ standard: Int64) throws(DriverError) -> Duration {
            guard let text = settings.values[name] else { return .milliseconds(standard) }
            guard let value = Int64(text), value > 0 else {
                throw DriverError(.configuration, "\(settings.application): \(name) has to be a whole number of milliseconds.")
            }
            return .milliseconds(value)
        }
        self.manifest = manifest(try duration("settleMilliseconds", 1000), try duration("answerMilliseconds", 2000))
        do {
            file = try ApplicationFile(path: path, rules: rules)
        } catch {
            throw DriverError(.configuration, "\(settings.application): the file \(path) cannot be opened.", cause: error)
        }
    }

    /// The settings that both have.
    package static var settings: [SettingDescription] {
        [
            SettingDescription("file", "the application's SQLite file; made where it is not there", isRequired: true, isPath: true),
            SettingDescription("settleMilliseconds", "after this time a call takes effect no more (1000)"),
            SettingDescription("answerMilliseconds", "how long the hub waits for an answer (2000)"),
        ]
    }

    package func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] {
        _ = try await arrive()
        var answers: [Answer] = []
        answers.reserveCapacity(batch.count)
        for delivery in batch { answers.append(await answer(delivery)) }
        return answers
    }

    private func answer(_ delivery: Delivery) async -> Answer {
        if Task.isCancelled { return .retry(after: .zero, reason: "the call was called off before this document's turn") }
        let call = Call(delivery)
        let begun = file.now()
        let settle = manifest.settleTime
        do {
            return try await file.perform { work in
                guard work.now - begun < settle else { return .retry(after: .zero, reason: "the application's file was locked too long") }
                guard let plan = try work.faults() else { return try work.answer(call) }
                switch plan.fate(try work.draw(plan)) {
                case .none: return try work.answer(call)
                case .failure: return .retry(after: .milliseconds(20), reason: "planned failure before the work")
                case .lostAnswer:
                    _ = try work.answer(call)
                    return .noAnswer(reason: "planned loss of the answer")
                case .late:
                    let delay = Int64(try work.draw(plan) * Double(settle.milliseconds))
                    try work.postpone(call, due: begun + .milliseconds(delay), deadline: begun + settle)
                    return .noAnswer(reason: "planned delay of the call")
                }
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            return .retry(after: .milliseconds(100), reason: "the application's file is locked")
        } catch {
            return .noAnswer(reason: "the application's file: \(error)")
        }
    }

    package func probe() async throws(DriverError) -> ApplicationIdentity {
        let instance = try await ask { work in (try work.setting("instance") ?? "", try work.faults() != nil) }
        return ApplicationIdentity(
            instance: instance.0, version: manifest.version, details: instance.1 ? ["faults are planned in this application"] : [])
    }

    package func close() async { try? file.close() }

    package func lookUp(_ references: [LookUp]) async throws(DriverError) -> [[NativeDocument]] {
        try await ask { work in
            try references.map { look in
                guard let entity = manifest.entity(native: look.native) else { return [] }
                return try work.documents(look.native, reference: look.reference).map { $0.told(entity) }
            }
        }
    }

    package func read(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?] {
        try await ask { work in
            try references.map { request in
                guard let entity = manifest.entity(native: request.native) else { return nil }
                return try work.document(request.native, request.key)?.told(entity)
            }
        }
    }

    package func page(native: String, company: String?, after cursor: String?, limit: Int) async throws(DriverError) -> Page {
        let start = try number(cursor)
        guard let entity = manifest.entity(native: native) else { return Page(documents: [], next: nil) }
        return try await ask { work in
            let documents = try work.documents(native, after: start, limit: max(1, limit))
            let next = documents.count < max(1, limit) ? nil : documents.last?.key.rawValue
            return Page(documents: documents.map { $0.told(entity) }, next: next)
        }
    }

    package func capture(after position: String?, limit: Int) async throws(DriverError) -> CapturedBatch {
        let start = try number(position)
        return try await ask { work in
            let statement = try work.db.cachedStatement(sql: "SELECT * FROM feed WHERE seq > ? ORDER BY seq LIMIT ?")
            let rows = try Row.fetchAll(statement, arguments: [start, max(1, limit)])
            let changes = try rows.map { row in try change(row) }
            return CapturedBatch(changes: changes, position: (rows.last?["seq"] as Int64?).map(String.init) ?? position)
        }
    }

    package func answer(_ question: Question) async throws(DriverError) -> FunctionReply {
        guard manifest.functions.contains(where: { $0.name == question.function }) else {
            return .cannotSay(reason: "\(manifest.driver) has no function \(question.function)")
        }
        return try await ask { work in
            do { return try work.rules.answer(question, in: work) } catch let refused as Refused { return .refused(refused.rejection) }
        }
    }

    private func change(_ row: Row) throws -> CapturedChange {
        let native: String = row["native"]
        let entity = manifest.entity(native: native)
        let body: String? = row["body"]
        let reference = entity?.tellsReference == true ? row["reference"] as String? : nil
        let event = ChangeEvent(
            id: "\(native)-\(row["seq"] as Int64)", type: native, operation: body == nil ? .delete : .upsert,
            key: NativeKey(String(row["document"] as Int64)), position: SourcePosition(minor: row["seq"]),
            token: entity?.hasToken == true ? VersionToken(String(row["version"] as Int64)) : nil,
            time: Instant(milliseconds: row["time"]), reference: reference.map { CanonicalID($0) })
        return CapturedChange(event: event, fields: try body.map(JSONText.fields))
    }

    private func number(_ text: String?) throws(DriverError) -> Int64 {
        guard let text else { return 0 }
        guard let number = Int64(text) else { throw DriverError(.configuration, "\(text) is no position of this application.") }
        return number
    }

    // MARK: Planned faults of whole calls

    /// Lets a call arrive, late or not at all where that is planned.
    /// - Returns: true where the answer of a question shall be lost.
    private func arrive() async throws(DriverError) -> Bool {
        guard let plan = try await reached({ try await file.look { try $0.faults() } }) else { return false }
        if plan.isDown { throw DriverError(.unreachable, "\(manifest.driver) is down, as planned.") }
        guard plan.needsDraw else { return false }
        let drawn = try await reached {
            try await file.perform { work in (try work.draw(plan), try work.draw(plan), try work.draw(plan)) }
        }
        if plan.latency > .zero { try await reached { try await Task.sleep(for: plan.latency * drawn.0) } }
        if drawn.1 < plan.unreachable { throw DriverError(.unreachable, "\(manifest.driver) could not be reached, as planned.") }
        return drawn.2 < plan.lostAnswer
    }

    func ask<T: Sendable>(_ look: @escaping @Sendable (Work) throws -> T) async throws(DriverError) -> T {
        let isLost = try await arrive()
        let answer = try await reached { try await file.look(look) }
        if isLost { throw DriverError(.noAnswer, "\(manifest.driver) gave no answer, as planned.") }
        return answer
    }

    private func reached<T: Sendable>(_ body: () async throws -> T) async throws(DriverError) -> T {
        do {
            return try await body()
        } catch {
            throw DriverError(.unreachable, "\(manifest.driver)'s file cannot be read.", cause: error)
        }
    }
}
