/// What is wrong with a question before any application has seen it.
package struct QuestionMistake: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// There is no such application, or it has no such function.
        case unknown
        /// An argument is missing, has no such parameter, or is not what its parameter takes.
        case argument
    }

    package var kind: Kind
    /// The parameter at fault, with the place inside a document: `order.lines[1].product`; nil where it is none.
    package var parameter: String?
    /// What is wrong, and what it may be.
    package var text: String

    package init(_ kind: Kind, _ parameter: String? = nil, _ text: String) {
        self.kind = kind
        self.parameter = parameter
        self.text = text
    }

    package var description: String { parameter.map { "\($0): \(text)" } ?? text }
}
