import HubModel

/// Why a document could not be translated.
package struct TranslationError: Error, Hashable, CustomStringConvertible {
    /// The canonical field, dotted; a list's as `lines.quantity`.
    package var field: String
    /// Where the value stands, or would stand, in the native document, dotted.
    package var path: String
    /// The value, never longer than 80 characters; nil where there is none.
    package var excerpt: String?
    package var reason: String

    package init(field: String, path: String, excerpt: String?, reason: String) {
        self.field = field
        self.path = path
        self.excerpt = excerpt
        self.reason = reason
    }

    init(_ field: FieldMapping, _ value: Value?, _ reason: String) {
        self.init(
            field: field.name, path: field.path.joined(separator: "."), excerpt: value.map(Self.excerpt(of:)), reason: reason)
    }

    package var description: String {
        "\(field) (native \(path.isEmpty ? "–" : path)): \(reason)" + (excerpt.map { ": \($0)" } ?? "")
    }

    /// The value as JSON, cut to 80 characters.
    static func excerpt(of value: Value) -> String {
        let text = String(decoding: value.json.prefix(400), as: UTF8.self)
        return text.count > 80 ? text.prefix(79) + "…" : text
    }
}
