import HTTPApplication
import HubModel

/// What an application's refusals mean, and where their words stand.
struct ErrorRecipe: Sendable {
    enum Meaning: String, Sendable, CaseIterable {
        case rejected
        case changed
        case gone
        /// It failed this time, and may pass.
        case retry
        /// Not yet, through no fault of the document.
        case later
        case unauthorised
        /// It may have had an effect.
        case unclear
        /// The recipe does not fit the application.
        case configuration
    }

    /// Refusals by status, the application's code and words of its message; the first that fits counts.
    struct Rule: Sendable {
        var status: Int?
        var code: String?
        var contains: String?
        /// The rule's stable name.
        var name: String
        var means: Meaning
    }

    /// Where the application's code stands in an error's body.
    var code: Place?
    var text: Place?
    var field: Place?
    var rules: [Rule]
    /// Over the standard of HTTP.
    var statuses: [Int: Meaning]

    /// The name of a refusal that no rule fits.
    static let otherRule = "refused"

    /// Names of rules that a document of any type can break.
    var names: [String] {
        var names: [String] = []
        for rule in rules where rule.means == .rejected && !names.contains(rule.name) { names.append(rule.name) }
        return names
    }

    /// What HTTP itself says of a status (RFC 9110, RFC 6585).
    static func standard(_ status: Int) -> Meaning {
        switch status {
        case 401: .unauthorised
        case 404, 410: .gone
        case 412: .changed
        // A method, a form or a condition that the recipe has wrong: no document can mend it. Redirects too.
        case 300...399, 405, 406, 411, 415, 428: .configuration
        case 408, 425: .retry
        case 423, 429, 503: .later
        case 400...499: .rejected
        default: .unclear
        }
    }

    /// How long to wait where a refusal says that it is for now and not how long.
    private static let pause = Duration.seconds(1)

    private static func wait(_ reply: HTTPReply, _ now: Instant) -> Duration {
        reply.header("Retry-After").flatMap { RetryAfter.duration($0, now: now) } ?? pause
    }

    /// What an answer that is no success means.
    func failure(_ reply: HTTPReply, _ call: String, now: Instant) -> CallFailure {
        let body = (try? reply.json()) ?? .null
        let code = code?.value(in: body)?.keyText
        let words = text?.value(in: body)?.keyText ?? (reply.excerpt.isEmpty ? "status \(reply.status)" : reply.excerpt)
        let rule = rules.first { rule in
            rule.status.map { $0 == reply.status } ?? true && rule.code.map { $0 == code } ?? true
                && rule.contains.map { words.contains($0) } ?? true
        }
        let place = "\(call): \(reply.status)\(code.map { " \($0)" } ?? ""): \(words)"
        switch rule?.means ?? statuses[reply.status] ?? Self.standard(reply.status) {
        case .rejected:
            return .refused(Rejection(rule: rule?.name ?? Self.otherRule, field: field?.value(in: body)?.text, text: words))
        case .changed: return .changed
        case .gone: return .gone
        case .retry: return .passing(after: Self.wait(reply, now), place)
        case .later: return .busy(after: Self.wait(reply, now), place)
        case .unauthorised: return .unauthorised(place)
        case .unclear: return .noAnswer(place)
        case .configuration:
            let hint =
                reply.status == 428
                ? "the application wants conditional writes: declare the token of the type in the recipe" : "the recipe does not fit"
            return .misconfigured("\(place) (\(hint))")
        }
    }
}
