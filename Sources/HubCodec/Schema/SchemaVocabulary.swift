import HubModel

/// Which groups of keywords a schema's meta-schema switches on.
struct SchemaVocabulary: OptionSet, Sendable {
    let rawValue: UInt8

    static let applicator = SchemaVocabulary(rawValue: 1)
    static let validation = SchemaVocabulary(rawValue: 2)
    static let unevaluated = SchemaVocabulary(rawValue: 4)
    static let formatAssertion = SchemaVocabulary(rawValue: 8)

    /// What the draft's own meta-schema switches on.
    static let standard: SchemaVocabulary = [.applicator, .validation, .unevaluated]

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// From a meta-schema's `$vocabulary`; nil where it demands one that is not known here.
    init?(_ declared: Fields) {
        var result: SchemaVocabulary = []
        for (uri, isRequired) in declared {
            guard let name = Self.name(uri) else {
                if isRequired.bool == true { return nil }
                continue
            }
            switch name {
            case "applicator": result.insert(.applicator)
            case "validation": result.insert(.validation)
            case "unevaluated": result.insert(.unevaluated)
            case "format-assertion": result.insert(.formatAssertion)
            case "core", "meta-data", "content", "format-annotation": break
            default: if isRequired.bool == true { return nil }
            }
        }
        self = result
    }

    private static func name(_ uri: String) -> Substring? {
        let prefix = "https://json-schema.org/draft/2020-12/vocab/"
        return uri.hasPrefix(prefix) ? uri.dropFirst(prefix.count) : nil
    }
}
