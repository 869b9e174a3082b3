import HubModel

extension OdooRefusal {
    /// Words of Odoo's English messages and the stable names of the rules that they stand for; the first that fits counts.
    private static let words: [(part: String, rule: String)] = [
        ("Another model is using the record", "in-use"),
        ("another model requires the record being deleted", "missing-field"),
        ("Missing required value", "missing-field"),
        ("require a name", "missing-field"),
        ("duplicate key value", "duplicate"),
        ("already exists", "duplicate"),
        ("must be unique", "duplicate"),
        ("already assigned", "duplicate"),
        ("can not delete a sent quotation or a confirmed", "confirmed-order"),
        ("can't remove one of its lines", "confirmed-line"),
        ("cannot decrease the ordered quantity", "confirmed-line"),
        ("forbidden to modify", "locked-order"),
        ("locked", "locked-order"),
        ("VAT", "invalid-vat"),
        ("Invalid field", "unknown-field"),
        ("NUL (0x00)", "invalid-text"),
        ("No matching record found", "unknown-reference"),
        ("recursive", "circular"),
        ("is not in a state requiring confirmation", "illegal-transition"),
    ]

    /// The rules that this can name.
    static let rules: [String] = [
        "access", "circular", "confirmed-line", "confirmed-order", "duplicate", "in-use", "invalid-text", "invalid-value", "invalid-vat",
        "illegal-transition", "locked-order", "missing-field", "refused", "server-error", "unknown-field", "unknown-reference",
        "validation",
    ]

    /// The refusal as a rule with a stable name.
    var rejection: Rejection { Rejection(rule: rule, field: place, text: message) }

    private var rule: String {
        if isMissing { return "unknown-reference" }
        if kind == "AccessError" || kind == "AccessDenied" { return "access" }
        if let known = Self.words.first(where: { message.contains($0.part) }) { return known.rule }
        switch kind {
        case "ValidationError": return "validation"
        case "UserError", "RedirectWarning": return "refused"
        case "KeyError": return "unknown-field"
        case "ValueError", "TypeError", "AttributeError", "UnprocessableEntity", "BadRequest", "OverflowError": return "invalid-value"
        default: return name.hasPrefix("psycopg2.") ? "invalid-value" : "server-error"
        }
    }

    /// The native member that the message names: `… 'Customer' (partner_id)`, or a key error's own text.
    private var place: String? {
        if let field { return field }
        if kind == "KeyError", Self.isName(message[...]) { return message }
        for mark in ["' (", "'Invalid field name '", "Invalid field name '"] {
            guard let range = Self.range(of: mark, in: message) else { continue }
            let name = message[range.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "_" }
            if Self.isName(name) { return String(name) }
        }
        return nil
    }

    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, (0x61...0x7A).contains(first), text.utf8.count <= 63 else { return false }
        return text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
    }

    private static func range(of part: String, in text: String) -> Range<String.Index>? { text.firstRange(of: part) }
}
