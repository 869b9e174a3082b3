/// Why a schema cannot be used: found when it is read, never while documents are validated.
package struct SchemaError: Error, Hashable, CustomStringConvertible {
    /// The kind of fault, a stable name.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        package let name: String
        package init(_ name: String) { self.name = name }
        package var description: String { name }

        /// A keyword has a value that it cannot have.
        package static let badKeyword = Code("bad-keyword")
        /// A reference or an identifier is no URI reference.
        package static let badReference = Code("bad-reference")
        /// A reference leads to nothing that is known; nothing is ever fetched.
        package static let unknownReference = Code("unknown-reference")
        /// A regular expression cannot be read or is too large.
        package static let badPattern = Code("bad-pattern")
        /// Written for another draft than 2020-12.
        package static let otherDraft = Code("other-draft")
        /// Nested too deep or too large.
        package static let tooLarge = Code("too-large")
    }

    package var code: Code
    /// Where in the schema: its URI, `#`, a JSON Pointer.
    package var place: String
    package var message: String

    package init(_ code: Code, at place: String, _ message: String) {
        self.code = code
        self.place = place
        self.message = message
    }

    package var description: String { "\(place): \(message)" }
}
