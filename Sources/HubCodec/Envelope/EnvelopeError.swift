/// Why a record is no change event that the hub can read. The caller adds topic, partition and offset.
package struct EnvelopeError: Error, Hashable, CustomStringConvertible {
    /// The kind of fault: a stable name that dead letters and tests go by.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        package let name: String
        package init(_ name: String) { self.name = name }
        package var description: String { name }

        /// The value is there but has no bytes.
        package static let empty = Code("empty")
        /// The value is longer than the limit; it has not been read.
        package static let tooLarge = Code("too-large")
        /// Not JSON, not UTF-8, or nested too deep.
        package static let brokenJSON = Code("broken-json")
        /// A text holds the character NUL, which no application keeps.
        package static let nulCharacter = Code("nul-character")
        /// A member's name or a header stands twice: readers would differ in what it means.
        package static let ambiguous = Code("ambiguous")
        /// No envelope that is known, and none declared for the topic.
        package static let unknownEnvelope = Code("unknown-envelope")
        /// An envelope that is known and not read: another CloudEvents version, a batch, a format other than JSON.
        package static let unsupported = Code("unsupported")
        package static let missingAttribute = Code("missing-attribute")
        /// An attribute has a name or a value that it cannot have.
        package static let badAttribute = Code("bad-attribute")
        /// The envelope does not say in known words what happened.
        package static let unknownOperation = Code("unknown-operation")
        /// The change has no data, or data that is no object.
        package static let missingData = Code("missing-data")
        /// A whole table was emptied: no single document's change; the application has to be compared.
        package static let truncated = Code("truncated")
    }

    package var code: Code
    /// In words for people.
    package var message: String
    /// The CloudEvents attribute at fault; nil where it is none, or not one alone.
    package var attribute: String?

    package init(_ code: Code, _ message: String, attribute: String? = nil) {
        self.code = code
        self.message = message
        self.attribute = attribute
    }

    package var description: String { "\(code): \(message)" }
}
