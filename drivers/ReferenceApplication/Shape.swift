import HubDriver
package import HubModel

/// The members of a document type, with the rules that concern one member alone.
package struct Shape: Sendable {
    package var members: [Member]

    package init(_ members: [Member]) { self.members = members }

    /// Normalises every member and fills in those that are missing; throws ``Refused`` at the first that is wrong, but gathers all of a
    /// trial's.
    package func admit(_ draft: inout Draft, in work: Work) throws {
        for (name, _) in draft.fields where !members.contains(where: { $0.name == name }) {
            try draft.gather { throw Refused("invalid-field", name, "A \($0.native) has no \(name).") }
        }
        for member in members { try draft.gather { try admit(member, &$0, in: work) } }
    }

    private func admit(_ member: Member, _ draft: inout Draft, in work: Work) throws {
        let value = try member.clean(draft[member.name])
        draft[member.name] = value
        if member.isRequired, value.isNull || value.text?.isEmpty == true || value.array?.isEmpty == true {
            throw Refused("missing-field", member.name, "A \(draft.native) needs \(member.name).")
        }
        guard draft.before == nil ? value != member.blank : draft.changes(member.name) else { return }
        if !member.admits(draft.actor) {
            throw Refused("read-only", member.name, "\(member.name) of a \(draft.native) is not for this user to set.")
        }
        if case .listed(let list, let rule) = member.kind, let code = value.text, try work.days(of: code, in: list) == nil {
            throw Refused(rule, member.name, "\(code) is not in the list \(list).")
        }
    }
}

/// One member of a document type.
package struct Member: Sendable {
    package enum Kind: Sendable {
        case text
        /// Text without white space around it.
        case trimmed
        /// Trimmed and in capitals.
        case code
        case boolean(Bool)
        /// A number from 0 up, rounded half up.
        case decimal(scale: Int)
        case date
        /// Another document's key.
        case key
        /// A code of a list; the rule's name where it is not in it.
        case listed(String, rule: String)
        case lines
    }

    package enum Writers: Sendable { case all, hub, people, workflow }

    package var name: String
    package var kind: Kind
    package var isRequired: Bool
    package var writers: Writers

    package init(_ name: String, _ kind: Kind = .text, isRequired: Bool = false, writers: Writers = .all) {
        self.name = name
        self.kind = kind
        self.isRequired = isRequired
        self.writers = writers
    }

    /// What the member is where nobody said anything.
    var blank: Value { if case .boolean(let value) = kind { .bool(value) } else { .null } }

    func admits(_ actor: Actor) -> Bool {
        switch (actor, writers) {
        case (.workflow, _), (_, .all), (.hub, .hub), (.person, .people): true
        default: false
        }
    }

    func clean(_ value: Value) throws -> Value {
        if value.isNull { return blank }
        switch kind {
        case .text, .listed: if value.text != nil { return value }
        case .trimmed: if let text = value.text { return .string(text.trimmed) }
        case .code: if let text = value.text { return .string(text.trimmed.uppercased()) }
        case .boolean: if value.bool != nil { return value }
        case .decimal(let scale): if let units = value.units(scale: scale), units >= 0 { return .decimal(units, scale: scale) }
        case .date: if let text = value.text, CalendarDate(text) != nil { return value }
        case .key: if let text = value.keyText { return .string(text) }
        case .lines: if value.array != nil { return value }
        }
        throw Refused("invalid-field", name, "\(name) cannot be \(JSONText.text(["value": value])).")
    }
}

extension String {
    /// Without white space at either end.
    package var trimmed: String {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }
}

extension Value {
    /// A number with so many decimals; `units` counts the smallest.
    package static func decimal(_ units: Int64, scale: Int) -> Value { .number(Number(units, scale: scale)) }

    /// This number in units of its last decimal, rounded half up; nil for anything else and past a million million whole ones.
    package func units(scale: Int) -> Int64? {
        guard let units = number?.coefficient(atScale: scale), units.magnitude < 10_000_000_000_000_000 else { return nil }
        return units
    }
}
