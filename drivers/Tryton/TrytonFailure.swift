import HubDriver
import HubModel

/// Why a call of Tryton's did not do what was asked.
enum TrytonFailure: Error, Sendable {
    /// No usable answer; the error says whether there may have been an effect.
    case driver(DriverError)
    /// Tryton refused, and rolled the call back.
    case refused(Rejection)
    /// Tryton wants a person's word, and rolled the call back.
    case warning(name: String, text: String)
    /// Tryton wants a person's word, and shall have it; the call was rolled back.
    case asked(name: String, text: String)
    /// A record is not as it was any more; the call was rolled back.
    case changed
    /// Not now; the call had no effect.
    case busy(after: Duration, reason: String)

    /// What stands in the member `error` of an answer.
    ///
    /// - Parameter sentences: Tryton's messages in another language than English.
    init(error: Value, call: String, _ sentences: [Sentence] = []) {
        let parts = error.array ?? []
        let first = parts.first?.text ?? ""
        let details = parts.count > 1 ? parts[1] : .null
        let words = details.array ?? []
        switch first {
        case "UserError", "ValidationError":
            let text = [words.first?.text, words.count > 1 ? words[1].text : nil].compactMap { $0 }.filter { !$0.isEmpty }
            self = .refused(TrytonRules.rejection(text.joined(separator: " "), sentences))
        case "UserWarning":
            self = .warning(name: words.first?.text ?? details.text ?? "", text: words.count > 1 ? words[1].text ?? "" : "")
        case "ConcurrencyException": self = .changed
        case "LoginException", "NotLogged": self = .driver(DriverError(.unauthorised, "Tryton refuses the user or its password."))
        case "RateLimitException": self = .busy(after: .seconds(5), reason: "Tryton has had too many log-ins")
        default:
            // A mistake inside Tryton, or a name that it does not know; the transaction was rolled back.
            self = .refused(TrytonRules.internalError(first, call: call))
        }
    }
}

/// The rules that Tryton enforces, by the names under which the hub tells them.
enum TrytonRules {
    /// What Tryton's English sentences hold, and the rule that each is.
    private static let sentences: [(part: String, rule: String)] = [
        ("A value is required for field", "required"), ("The number of digits in the value", "too-many-digits"),
        ("must be unique", "not-unique"), ("is not valid according to its domain", "not-allowed"),
        ("is not in the selection", "not-allowed"), ("is not one of the allowed options", "not-allowed"), ("is too long", "too-long"),
        ("exceeds the limit", "too-long"),
        ("does not exist", "unknown-value"), ("that don't exist", "unknown-value"), ("You can not call", "illegal-transition"),
        ("no longer in", "illegal-transition"), ("you must cancel", "illegal-transition"), ("you must enter a", "missing-address"),
        ("could not be deleted", "in-use"), ("is used on", "in-use"), ("You are not allowed", "no-right"),
        ("is not valid.", "invalid-identifier"), ("must create a period", "closed-period"), ("must reopen the period", "closed-period"),
        ("credit limit", "credit-limit"), ("\" defined for \"", "missing-account"),
        ("no account category defined", "missing-account"),
        ("PostgreSQL text fields cannot contain NUL", "invalid-text"), ("index row", "too-long"), ("value too long", "too-long"),
    ]

    /// Rules that documents of every type know; those besides Tryton's own sentences the driver keeps, as Tryton leaves them to its client.
    private static let common = [
        "unknown-field", "read-only", "invalid-text", "invalid-value", "required", "too-many-digits", "too-long", "missing-token",
        "no-right", "warning", "internal-error", "refused",
    ]
    static let party =
        common + ["not-unique", "unknown-payment-terms", "unknown-price-list", "unknown-country", "invalid-identifier"]
    static let account = common + ["unknown-customer", "unknown-payment-terms", "unknown-price-list"]
    static let product = common + ["not-unique", "not-allowed", "unknown-unit", "unknown-category"]
    static let sale =
        common + [
            "unknown-customer", "unknown-product", "unknown-payment-terms", "illegal-transition", "credit-limit", "missing-address",
            "missing-account", "closed-period", "not-processed",
        ]
    /// The name of the warning that a customer is over their limit.
    static let creditLimitWarning = "credit_limit_amount"

    /// Every name that ``rejection(_:_:)`` can give.
    static var told: Set<String> { Set(sentences.map(\.rule) + ["refused"]) }

    /// The rule that a sentence of Tryton's tells, with the field's label as Tryton shows it.
    static func rejection(_ text: String, _ translated: [Sentence] = []) -> Rejection {
        let rule = sentences.first { text.contains($0.part) }?.rule ?? translated.first { $0.fits(text) }?.rule ?? "refused"
        let field = text.firstRange(of: "field \"").map { String(text[$0.upperBound...].prefix { $0 != "\"" }) }
        return Rejection(rule: rule, field: field, text: text)
    }

    static func warning(_ name: String, _ text: String) -> Rejection {
        Rejection(rule: name.contains("credit_limit") ? "credit-limit" : "warning", text: text)
    }

    static func internalError(_ text: String, call: String) -> Rejection {
        let told = rejection(text)
        if told.rule != "refused" { return Rejection(rule: told.rule, text: text) }
        return Rejection(rule: "internal-error", text: "Tryton failed in \(call): \(text)")
    }
}
