import HubDriver
import HubModel

/// Tryton through its JSON-RPC, as its own client uses it.
final class TrytonDriver: Driver {
    let manifest: Manifest
    let settings: TrytonSettings
    let connection: TrytonConnection
    let types: [any DocumentType]

    init(_ settings: TrytonSettings, _ acquaintance: Acquaintance = Acquaintance()) {
        self.settings = settings
        connection = TrytonConnection(settings, acquaintance)
        types =
            [
                PartyType(settings: settings), ProductType(settings: settings), SaleType(settings: settings),
                InvoiceType(settings: settings),
                ShipmentType(settings: settings),
            ] + (settings.hasAccounts ? [AccountType(settings: settings)] : [])
        manifest = Manifest(
            driver: TrytonFactory.name, version: "1.0", summary: "Tryton \(settings.series.rawValue) through JSON-RPC",
            entities: types.map(\.manifest), settleTime: settings.settleTime, answerTime: settings.answerTime,
            limits: Manifest.Limits(batch: 1, concurrentCalls: settings.concurrentCalls), pollTime: settings.pollTime, window: Self.window,
            functions: Self.functions)
    }

    private static let window = """
        Updates name the versions of the records that they touch, and Tryton refuses them where one has changed; whether another part of \
        the document has changed (an address edited outside its party) is only compared before the write. Versions are the times at which \
        transactions began: two changes within a microsecond look like one. A create is not repeatable: Tryton has no unique key for the \
        hub's reference, so the driver looks for it before it makes a document, and again only after the settle time; Tryton itself sets \
        no limit to a call that is under way. An order takes several calls: one that a crash leaves half made is finished by the next. \
        The feed is polled: what happens between two looks is told as one change, a document made and deleted between two looks is not \
        told, and a transaction that is open for longer than overlapSeconds may be missed. Parts deleted outside their document are \
        noticed with the document's next change.
        """

    /// People take their time.
    private static let askAgain = Duration.seconds(30)

    func type(_ native: String) -> (any DocumentType)? { types.first { $0.native == native } }

    /// A piece of work in one company's context.
    ///
    /// - Parameter patience: how long it may take at least; nil: as long as an answer may.
    func work(_ company: String?, patience: Duration? = nil) async throws(TrytonFailure) -> Work {
        let deadline = ContinuousClock.now + max(settings.answerTime, patience ?? .zero)
        if let profile = connection.acquaintance.profile { return Work(connection, profile, company: company, deadline: deadline) }
        let made = try await Profile.read(connection, deadline: deadline)
        connection.acquaintance.sentences = try await Sentence.read(connection, deadline: deadline)
        connection.acquaintance.profile = made
        return Work(connection, made, company: company, deadline: deadline)
    }

    // MARK: Driver

    func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] {
        try await connection.together { () async throws(DriverError) in try await applied(batch) }
    }

    private func applied(_ batch: [Delivery]) async throws(DriverError) -> [Answer] {
        var answers: [Answer] = []
        for delivery in batch {
            do { answers.append(try await answer(delivery)) } catch {
                // Only what has no effect at all may be thrown: earlier deliveries have their answers.
                if answers.isEmpty { throw error }
                answers.append(.later(after: .seconds(1), reason: error.message))
            }
        }
        return answers
    }

    private func answer(_ delivery: Delivery) async throws(DriverError) -> Answer {
        guard let type = type(delivery.native) else {
            return .rejected(Rejection(rule: "unknown-field", text: "There is no document type \(delivery.native)."))
        }
        var hasWritten = false
        do throws(TrytonFailure) {
            var work = try await work(delivery.company)
            do throws(TrytonFailure) {
                return try await effect(delivery, type, &work)
            } catch {
                hasWritten = work.hasWritten
                throw error
            }
        } catch {
            return try Self.answer(to: error, hasWritten: hasWritten)
        }
    }

    private func effect(_ delivery: Delivery, _ type: any DocumentType, _ work: inout Work) async throws(TrytonFailure) -> Answer {
        if delivery.operation == .create { return try await create(delivery, type, &work) }
        guard let key = delivery.key else {
            throw .refused(Rejection(rule: "missing-token", text: "An update and a deletion need the document's key."))
        }
        guard let id = Int64(key.rawValue), let record = try await records(type, [id], work).first else { return .gone }
        if type.manifest.operations.isEmpty { try await type.delete(record, &work) }
        guard let token = delivery.expected?.token else {
            throw .refused(Rejection(rule: "missing-token", text: "A write has to name the version that it is meant for."))
        }
        if record.token != token { return .changed }
        if delivery.operation == .delete {
            if type.isDeleted(record) { return .unchanged(document(record, type, work)) }
            try await type.delete(record, &work)
            guard let after = try await records(type, [id], work).first else {
                var gone = document(record, type, work)
                gone.isDeleted = true
                return .written(gone)
            }
            return .written(document(after, type, work))
        }
        guard try await type.update(record, delivery.fields, &work) else { return .unchanged(document(record, type, work)) }
        return .written(try await readBack(id, type, work))
    }

    private func create(_ delivery: Delivery, _ type: any DocumentType, _ work: inout Work) async throws(TrytonFailure) -> Answer {
        let found = try await carriers(of: [delivery.reference], type, work)
        if let record = found.first {
            if type.isWhole(record, work) {
                return type.isDeleted(record) ? .gone : .unchanged(document(record, type, work))
            }
            try await type.resume(record, delivery, &work)
            return .written(try await readBack(record.id, type, work))
        }
        let id = try await type.create(delivery, &work)
        return .written(try await readBack(id, type, work))
    }

    private func readBack(_ id: Int64, _ type: any DocumentType, _ work: Work) async throws(TrytonFailure) -> NativeDocument {
        guard let record = try await records(type, [id], work).first else {
            throw .driver(DriverError(.noAnswer, "\(type.native) \(id) was written and is not there to be read back."))
        }
        return document(record, type, work)
    }

    /// What a failure is as an answer; thrown where nothing has been done and nothing can be.
    private static func answer(to failure: TrytonFailure, hasWritten: Bool) throws(DriverError) -> Answer {
        switch failure {
        case .driver(let error):
            if hasWritten { return .noAnswer(reason: error.message) }
            var error = error
            // A write without an answer counts as written, so this was a question.
            if error.code == .noAnswer || error.code == .protocolViolation { error.code = .unreachable }
            throw error
        case .refused(let rejection):
            return hasWritten ? .noAnswer(reason: "refused half-way: \(rejection)") : .rejected(rejection)
        case .warning(let name, let text):
            return hasWritten ? .noAnswer(reason: "warned half-way: \(text)") : .rejected(TrytonRules.warning(name, text))
        case .asked(let name, let text):
            let reason = "Tryton asks (\(name)), and a person there has to answer: \(text)"
            return hasWritten ? .noAnswer(reason: reason) : .later(after: Self.askAgain, reason: reason)
        case .changed: return hasWritten ? .noAnswer(reason: "a record changed half-way") : .changed
        case .busy(let after, let reason): return hasWritten ? .noAnswer(reason: reason) : .later(after: after, reason: reason)
        }
    }

    func probe() async throws(DriverError) -> ApplicationIdentity {
        try await asked { () throws(TrytonFailure) in
            let work = try await work(nil)
            let version = try await connection.version()
            let made = try await work.rows("res.user", [["id", "=", .id(work.profile.user)]], ["create_date"]).first?["create_date"]?.text
            var details = ["user \(settings.user), company \(work.company.map(String.init) ?? "none")"]
            for type in types where !work.profile.has(type.model) { details.append("not installed: \(type.native)") }
            return ApplicationIdentity(instance: "\(settings.database)@\(made ?? "")", version: version, details: details)
        }
    }

    func close() async { await connection.close() }

    /// Asks something that changes nothing.
    func asked<T>(_ question: () async throws(TrytonFailure) -> T) async throws(DriverError) -> T {
        do { return try await question() } catch {
            switch error {
            case .driver(let error):
                // Nothing is unsure about a question without an answer.
                throw error.code == .noAnswer ? DriverError(.unreachable, error.message, cause: error.cause) : error
            case .refused(let rejection): throw DriverError(.protocolViolation, "Tryton refuses a question: \(rejection)")
            case .warning(_, let text), .asked(_, let text): throw DriverError(.protocolViolation, "Tryton warns of a question: \(text)")
            case .changed: throw DriverError(.protocolViolation, "Tryton takes a question for a write.")
            case .busy(_, let reason): throw DriverError(.unreachable, reason)
            }
        }
    }
}
