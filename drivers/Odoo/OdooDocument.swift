import HubModel

/// One document as read from Odoo, in the form that the driver tells.
struct OdooDocument: Sendable {
    var id: Int64
    /// The members, lines included.
    var fields: Fields
    /// Nil for types without lines.
    var lines: [Line]?
    var reference: CanonicalID?

    struct Line: Sendable {
        /// Odoo's own number of it.
        var record: Int64
        /// What it is called towards the hub: the hub's own id where the hub added it, otherwise its number.
        var id: String
        var fields: Fields
    }

    /// Marked inactive by someone.
    var isArchived: Bool { fields["active"] == .some(.bool(false)) }

    func told(_ type: NativeType) -> NativeDocument {
        NativeDocument(key: NativeKey(String(id)), reference: reference, isDeleted: type.isArchived && isArchived, fields: fields)
    }

    func line(_ id: String) -> Line? { lines?.first { $0.id.hasSameBytes(as: id) } }
}

extension NativeMember {
    /// What Odoo's value of this member is, apart from codes: its `false` means "nothing" everywhere but in truth values.
    func told(_ value: Value) -> Value {
        switch (kind, value) {
        case (.boolean, _): value.isNull ? false : value
        case (_, .bool(false)): .null
        // People who empty a field leave this, interfaces the other: to Odoo both are nothing.
        case (.text, .string("")): .null
        // Some interfaces tell other documents as number and name.
        case (.key, .array(let pair)), (.code, .array(let pair)): pair.first ?? .null
        default: value
        }
    }

    /// Whether what Odoo holds is what is wanted: decimals at the scale that is wanted, as Odoo keeps binary floats.
    func isSame(_ held: Value, _ wanted: Value) -> Bool {
        switch kind {
        case .text: return (held.text ?? "").hasSameBytes(as: wanted.text ?? "")
        case .boolean: return (held.bool ?? false) == (wanted.bool ?? false)
        case .key, .code, .date, .moment: return (held.keyText ?? "").hasSameBytes(as: wanted.keyText ?? "")
        case .decimal, .integer:
            let wanted = wanted.number ?? Number(0)
            let held = held.number ?? Number(0)
            if held == wanted { return true }
            return held.rounded(toScale: Self.decimals(wanted)).map { $0 == wanted } ?? false
        }
    }

    /// Decimals that a number is written with.
    static func decimals(_ number: Number) -> Int {
        let text = number.description.prefix { $0 != "e" && $0 != "E" }
        return text.firstIndex(of: ".").map { text.distance(from: $0, to: text.endIndex) - 1 } ?? 0
    }
}
