import HTTPApplication
import HubDriver
import HubModel

extension EntityRecipe {
    /// A document as an answer tells it.
    ///
    /// - Parameter headers: of the answer, where it tells one document only.
    /// - Throws: ``CallFailure`` where it has no key: the recipe does not fit.
    func document(_ value: Value, headers: [HTTPCall.Header] = [], hidden: [String]) throws(CallFailure) -> NativeDocument {
        guard let members = value.object, let key = key.value(in: value)?.keyText, !key.isEmpty else {
            throw .misconfigured("\(native): \(self.key.text) holds no key in \(JSONText.text(value).prefix(100))")
        }
        var token: VersionToken?
        switch self.token {
        case .member(let place, _): token = place.value(in: value)?.keyText.map { VersionToken($0) }
        case .header(let name): token = headers.first { $0.isNamed(name) }.map { VersionToken($0.value) }
        case nil: break
        }
        let reference = reference?.value(in: value)?.keyText.flatMap { $0.isEmpty ? nil : CanonicalID($0) }
        let isDeleted = archived.map { archived in archived.place.value(in: value).map { archived.values.contains($0) } ?? false } ?? false
        return NativeDocument(
            key: NativeKey(key), token: token, reference: reference, isDeleted: isDeleted, fields: Self.shown(members, hidden))
    }

    /// A document's members without those of the protocol, nested ones too.
    private static func shown(_ fields: Fields, _ hidden: [String]) -> Fields {
        guard !hidden.isEmpty else { return fields }
        return Fields(
            fields.filter { field in !hidden.contains { field.name.hasPrefix($0) || field.name.contains("@odata.") } }
                .map { ($0.name, shown($0.value, hidden)) })
    }

    private static func shown(_ value: Value, _ hidden: [String]) -> Value {
        switch value {
        case .object(let fields): .object(shown(fields, hidden))
        case .array(let elements): .array(elements.map { shown($0, hidden) })
        default: value
        }
    }

    // MARK: Bodies

    /// What a delivery may not write, before the application is asked.
    func objection(_ delivery: Delivery) -> Rejection? {
        for (name, value) in delivery.fields {
            if readOnly.contains(name) {
                return Rejection(rule: "read-only", field: name, text: "\(name) is the application's own and not written from outside.")
            }
            if let members, !members.contains(name) {
                return Rejection(rule: "unknown-field", field: name, text: "\(native) has no member \(name).")
            }
            if let objection = textObjection(value, name) { return objection }
        }
        return nil
    }

    /// The body of a create.
    func body(_ operation: Operation, creating delivery: Delivery) -> Value {
        var fields = delivery.fields.overlaid(with: operation.constants)
        if let reference { fields[path: reference.path] = .string(delivery.reference.rawValue) }
        return operation.wrapped(fields)
    }

    /// The body of an update.
    ///
    /// - Parameter document: as read before, where the whole of it is sent.
    func body(_ operation: Operation, updating fields: Fields, _ document: NativeDocument?, _ token: VersionToken?) -> Value {
        var fields = fields
        if operation.body == .whole, let document {
            fields = document.fields.filter { !readOnly.contains($0.name) }.overlaid(with: fields)
        }
        fields = fields.overlaid(with: operation.constants)
        if case .member(let place, sent: .body) = self.token, let token {
            fields[path: place.path] = Number(token.rawValue).map { .number($0) } ?? .string(token.rawValue)
        }
        return operation.wrapped(fields)
    }

    /// The condition of a write, as a header.
    func condition(_ token: VersionToken?) -> [HTTPCall.Header] {
        guard let token else { return [] }
        switch self.token {
        case .member(_, sent: .body), .member(_, sent: .header), nil: return []
        case .member(_, sent: .ifMatch), .header: return [HTTPCall.Header("If-Match", token.rawValue)]
        }
    }

    // MARK: Comparing

    /// True where what is told holds all that was expected; nothing and null are the same.
    static func holds(_ expected: Fields, in told: Fields) -> Bool {
        expected.allSatisfy { isSame($0.value, told[$0.name] ?? .null) }
    }

    private static func isSame(_ expected: Value, _ told: Value) -> Bool {
        switch (expected, told) {
        case (.object(let expected), .object(let told)): holds(expected, in: told)
        case (.object(let expected), .null): expected.allSatisfy { $0.value.isNull }
        case (.array(let expected), .array(let told)):
            expected.count == told.count && zip(expected, told).allSatisfy { isSame($0, $1) }
        default: expected == told
        }
    }
}

extension Operation {
    fileprivate func wrapped(_ fields: Fields) -> Value { wrap.map { .object(Fields([($0, .object(fields))])) } ?? .object(fields) }

    /// The part of an answer that is meant.
    func told(_ value: Value) -> Value? { at.map { $0.value(in: value) } ?? value }
}
