import HubDriver

extension Answers {
    /// What an application holds.
    static func discovery(_ shape: Shape) throws(Shape.Mismatch) -> Discovery {
        var types: [DiscoveredType] = []
        for element in try shape.member("types").array() { types.append(try type(element)) }
        return Discovery(identity: try identity(shape), types: types, functions: try texts(try shape.optional("functions")) ?? [])
    }

    private static func type(_ shape: Shape) throws(Shape.Mismatch) -> DiscoveredType {
        try shape.check(only: ["native", "label", "fields", "rights"])
        var fields: [DiscoveredField] = []
        for element in try shape.member("fields").array() { fields.append(try field(element)) }
        var rights: Set<DiscoveredType.Right>?
        if let told = try shape.optional("rights") {
            var found: Set<DiscoveredType.Right> = []
            for element in try told.array() { found.insert(try element.word(DiscoveredType.Right.self)) }
            rights = found
        }
        return DiscoveredType(
            native: try shape.member("native").name(), label: try shape.optional("label")?.text(), fields: fields, rights: rights)
    }

    private static func field(_ shape: Shape) throws(Shape.Mismatch) -> DiscoveredField {
        try shape.check(only: ["path", "kind", "nativeKind", "label", "required", "readOnly", "codes"])
        let kind = try shape.member("kind").word(DiscoveredField.Kind.self)
        return DiscoveredField(
            path: try shape.member("path").name(), kind: kind, nativeKind: try shape.optional("nativeKind")?.text() ?? kind.rawValue,
            label: try shape.optional("label")?.text(), isRequired: try shape.optional("required")?.bool() ?? false,
            isReadOnly: try shape.optional("readOnly")?.bool() ?? false, codes: try texts(try shape.optional("codes")))
    }

    private static func texts(_ shape: Shape?) throws(Shape.Mismatch) -> [String]? {
        guard let shape else { return nil }
        var texts: [String] = []
        for element in try shape.array() { texts.append(try element.text()) }
        return texts
    }
}
