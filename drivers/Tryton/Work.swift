import HubDriver
import HubModel

/// The calls of one question or delivery, in one company's context; remembers whether any of them may have changed something.
struct Work: Sendable {
    let connection: TrytonConnection
    let profile: Profile
    let company: Int64?
    let deadline: ContinuousClock.Instant
    /// What the calls' context holds besides the company.
    private var circumstances = Fields()
    /// True from the first call on that may have had an effect; see ``undone()``.
    private(set) var hasWritten = false

    var settings: TrytonSettings { connection.settings }

    init(_ connection: TrytonConnection, _ profile: Profile, company: String?, deadline: ContinuousClock.Instant) {
        self.connection = connection
        self.profile = profile
        self.company = company.flatMap { Int64($0) } ?? connection.settings.company ?? profile.company
        self.deadline = deadline
    }

    /// This work under further circumstances, of which Tryton's computed fields depend: a day, places, a price list.
    func under(_ circumstances: Fields) -> Work {
        var copy = self
        copy.circumstances = self.circumstances.overlaid(with: circumstances)
        return copy
    }

    /// Everything that was done has been taken back.
    mutating func undone() { hasWritten = false }

    private var context: Fields {
        // Inactive records are documents too, deleted ones to the hub.
        var fields: Fields = ["active_test": false]
        if let company { fields["company"] = .id(company) }
        return fields.overlaid(with: circumstances)
    }

    /// The domain of what belongs to one of the companies that are exchanged.
    var ofCompanies: [Value] { [["company", "in", .array(settings.companies.values.sorted().map { .id($0) })]] }

    // MARK: Reading

    /// Records that a domain holds, as rows of `fields`; nested ones stand under their field's name with a dot.
    func rows(
        _ model: String, _ domain: [Value], _ fields: [String], limit: Int? = nil, order: [(String, String)] = []
    ) async throws(TrytonFailure) -> [Fields] {
        let order: Value = order.isEmpty ? .null : .array(order.map { [.string($0.0), .string($0.1)] })
        let found = try await call(
            model, "search_read",
            [.array(domain), 0, limit.map { .id(Int64($0)) } ?? .null, order, .array(fields.map { .string($0) })])
        return (found.array ?? []).compactMap(\.object)
    }

    /// How many records a domain holds.
    func count(_ model: String, _ domain: [Value]) async throws(TrytonFailure) -> Int64 {
        try await call(model, "search_count", [.array(domain)]).integer ?? 0
    }

    /// Keys of records that a domain holds, in their order.
    func keys(_ model: String, _ domain: [Value], limit: Int) async throws(TrytonFailure) -> [Int64] {
        let found = try await call(model, "search", [.array(domain), 0, .id(Int64(limit)), [["id", "ASC"]]])
        return (found.array ?? []).compactMap(\.integer)
    }

    /// A call that changes nothing.
    func call(_ model: String, _ method: String, _ parameters: [Value]) async throws(TrytonFailure) -> Value {
        do {
            return try await connection.call(model, method, parameters, context: context, deadline: deadline)
        } catch {
            // Nothing is unsure about a question without an answer.
            guard case .driver(var told) = error, told.code == .noAnswer, !hasWritten else { throw error }
            told.code = .unreachable
            throw .driver(told)
        }
    }

    /// What follows in a form where these values stand and those fields have just been filled in, as Tryton's own client asks for it.
    func completed(_ model: String, _ values: Fields, after fields: [String]) async throws(TrytonFailure) -> Fields {
        let answer = try await call(model, "on_change", [.object(values), .array(fields.map { .string($0) })])
        // Series 6.0 answers with a list of one.
        return (answer.array?.first ?? answer).object ?? Fields()
    }

    /// The company's day, as Tryton's clock has it.
    func today() async throws(TrytonFailure) -> Value {
        let today = try await call("ir.date", "today", [])
        guard today.text.flatMap(Wire.date) != nil else {
            throw .driver(DriverError(.protocolViolation, "Tryton does not say what day it is: \(JSONText.text(today))"))
        }
        return today
    }

    /// The key of the record that people name like this; nil where there is none.
    func key(_ model: String, _ name: String, by fields: [String]) async throws(TrytonFailure) -> Int64? {
        var domain: [Value] = fields.map { [.string($0), "=", .string(name)] }
        if domain.count > 1 { domain.insert("OR", at: 0) }
        return try await keys(model, domain.count > 1 ? [.array(domain)] : domain, limit: 1).first
    }

    // MARK: Writing

    /// A call that changes something; Tryton's warnings are answered as the settings say.
    ///
    /// - Parameter timestamps: records that must not have changed since, as ``Record/timestamps(_:)`` tells them.
    mutating func write(
        _ model: String, _ method: String, _ parameters: [Value], timestamps: Fields = Fields()
    ) async throws(TrytonFailure) -> Value {
        var context = context
        if !timestamps.isEmpty { context["_timestamp"] = .object(timestamps) }
        var accepted = 0
        var waits = 0
        while true {
            do {
                let result = try await connection.call(model, method, parameters, context: context, deadline: deadline)
                hasWritten = true
                return result
            } catch {
                switch error {
                case .warning(let name, let text):
                    // Bounded: a warning that comes back for ever is no warning.
                    guard settings.warnings.accepts(name), accepted < 8 else {
                        throw settings.warnings.asks ? .asked(name: name, text: text) : .refused(TrytonRules.warning(name, text))
                    }
                    accepted += 1
                    try await accept(name)
                case .busy(let after, _) where hasWritten && waits < Self.mostWaits:
                    // The call was rolled back, and what came before it stands: better to wait a little than to leave it half done.
                    waits += 1
                    try await rest(min(after, .milliseconds(100 << waits)))
                case .driver(let told) where told.code == .noAnswer || told.code == .protocolViolation:
                    hasWritten = true
                    throw error
                default: throw error
                }
            }
        }
    }

    private static let mostWaits = 5

    private func rest(_ time: Duration) async throws(TrytonFailure) {
        do { try await Task.sleep(for: time) } catch {
            throw .driver(DriverError(.unreachable, "The call was called off.", cause: error))
        }
    }

    /// Says yes to a warning once, as a person does in Tryton's client.
    private func accept(_ name: String) async throws(TrytonFailure) {
        let user = try await connection.user()
        _ = try await connection.call(
            "res.user.warning", "create", [[["user": .id(user), "name": .string(name), "always": false]]], context: context,
            deadline: deadline)
    }
}

extension Value {
    /// A key of Tryton's.
    static func id(_ key: Int64) -> Value { .number(Number(key)) }
}
