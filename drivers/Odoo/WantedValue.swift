import HubDriver
import HubModel

/// A rule broken before Odoo is asked.
struct Broken: Error, Sendable {
    var rejection: Rejection

    init(_ rule: String, _ field: String?, _ text: String) { rejection = Rejection(rule: rule, field: field, text: text) }

    /// The rules that this can name.
    static let rules = [
        "invalid-text", "invalid-value", "kept", "precision", "read-only", "unknown-code", "unknown-field", "unprepared", "merged",
    ]
}

extension NativeMember {
    /// Refuses what Odoo would take wrongly or answer with an error that means nothing to people.
    func check(_ value: Value) throws(Broken) {
        if value.isNull { return }
        switch kind {
        case .text, .code:
            guard let text = value.text else { throw Broken("invalid-value", name, "\(name) is text, not \(Self.excerpt(value)).") }
            if text.utf8.contains(0) { throw Broken("invalid-text", name, "Odoo's texts cannot hold the character NUL.") }
        case .boolean:
            guard value.bool != nil else { throw Broken("invalid-value", name, "\(name) is true or false, not \(Self.excerpt(value)).") }
        case .key:
            guard let key = value.keyText, let id = Int64(key), (1...Int64(Int32.max)).contains(id) else {
                throw Broken("unknown-reference", name, "\(Self.excerpt(value)) is no number of a document.")
            }
        case .integer:
            guard let number = value.integer, Int32(exactly: number) != nil else {
                throw Broken("invalid-value", name, "\(name) is a whole number of 32 bits, not \(Self.excerpt(value)).")
            }
        case .decimal:
            guard let number = value.number else { throw Broken("invalid-value", name, "\(name) is a number, not \(Self.excerpt(value)).") }
            guard Self.isExact(number) else {
                throw Broken("precision", name, "\(number) has more than the 15 digits that Odoo keeps exactly.")
            }
        case .date:
            guard let text = value.text, Self.fits(text, "dddd-dd-dd") else {
                throw Broken("invalid-value", name, "\(name) is a date such as 2026-03-01, not \(Self.excerpt(value)).")
            }
        case .moment:
            guard let text = value.text, Self.fits(text, "dddd-dd-dd dd:dd:dd") else {
                throw Broken("invalid-value", name, "\(name) is a moment in UTC such as 2026-03-01 11:00:00, not \(Self.excerpt(value)).")
            }
        }
    }

    /// The value as Odoo's `write` takes it; a code has been looked up already.
    func written(_ value: Value, code: Int64?) -> Value {
        if let code { return .number(Number(code)) }
        if value.isNull { return false }
        if kind == .key { return value.keyText.flatMap { Number($0) }.map { .number($0) } ?? value }
        return value
    }

    /// The value as Odoo's `load` takes it: text.
    func loaded(_ value: Value, code: Int64?) -> String {
        if let code { return String(code) }
        switch value {
        case .bool(let bool): return bool ? "true" : "false"
        case .number, .string: return value.text ?? value.keyText ?? ""
        default: return ""
        }
    }

    /// The column of `load` that takes this member: documents and codes by their number.
    var column: String {
        switch kind {
        case .key, .code: "\(name)/.id"
        default: name
        }
    }

    private static func isExact(_ number: Number) -> Bool {
        let digits = number.description.prefix { $0 != "e" && $0 != "E" }.utf8.filter { (0x30...0x39).contains($0) }.drop { $0 == 0x30 }
        return digits.count <= 15
    }

    private static func fits(_ text: String, _ form: String) -> Bool {
        text.utf8.count == form.utf8.count
            && zip(text.utf8, form.utf8).allSatisfy { byte, place in
                place == UInt8(ascii: "d") ? (0x30...0x39).contains(byte) : byte == place
            }
    }

    private static func excerpt(_ value: Value) -> String {
        let text = JSONText.text(value)
        return text.count > 60 ? text.prefix(60) + "…" : text
    }
}
