/// One thing in a document that its schema does not allow.
package struct SchemaViolation: Sendable, Hashable, CustomStringConvertible {
    /// Where in the document: a JSON Pointer (RFC 6901), empty for the whole.
    package var instancePath: String
    /// The schema's keyword that is broken, `required`; empty for a schema that is `false`.
    package var keyword: String
    /// What is wrong, in words for people.
    package var message: String

    package init(instancePath: String, keyword: String, message: String) {
        self.instancePath = instancePath
        self.keyword = keyword
        self.message = message
    }

    package var description: String { instancePath.isEmpty ? message : "\(instancePath): \(message)" }
}
