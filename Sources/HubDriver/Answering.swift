public import HubModel

/// Answers questions beside the way of events: what does it cost, is it there, may they buy. Writes nothing.
public protocol Answering: Driver {
    /// Answers one question, or says honestly that it cannot.
    ///
    /// - Throws: ``DriverError`` where the application cannot be reached; who asks is told "cannot say".
    func answer(_ question: Question) async throws(DriverError) -> FunctionReply
}

/// A function of an application: `price`, `stock`, `credit`, `validate`, or one of its own.
public struct FunctionManifest: Sendable, Hashable {
    public var name: String
    /// One line for people.
    public var summary: String
    public var parameters: [FunctionParameter]
    /// What an answer holds, member → help.
    public var results: [FunctionResult]

    public init(name: String, summary: String, parameters: [FunctionParameter], results: [FunctionResult]) {
        self.name = name
        self.summary = summary
        self.parameters = parameters
        self.results = results
    }
}

/// One parameter of a function.
public struct FunctionParameter: Sendable, Hashable {
    /// What a parameter's text stands for; the hub checks and converts it before the driver sees it.
    public enum Kind: Sendable, Hashable {
        case text
        /// Exact, as written.
        case decimal
        /// `2026-11-21`.
        case date
        /// One of the hub's companies; the driver gets the application's own name of it.
        case company
        /// A document: people give its canonical id or, as `native:KEY`, its key in the application; the driver gets the native key.
        case reference(EntityName)
        /// A document's native members, nested as the application has them.
        case document
    }

    public var name: String
    public var kind: Kind
    public var isRequired: Bool
    public var help: String

    public init(_ name: String, _ kind: Kind, isRequired: Bool = false, help: String) {
        self.name = name
        self.kind = kind
        self.isRequired = isRequired
        self.help = help
    }
}

/// One member of an answer.
public struct FunctionResult: Sendable, Hashable {
    public var name: String
    /// Unit and meaning of nil included.
    public var help: String

    public init(_ name: String, help: String) {
        self.name = name
        self.help = help
    }
}

/// A question to an application.
public struct Question: Sendable, Hashable {
    /// The function's name.
    public var function: String
    /// The application's own name of the company; nil where none was given.
    public var company: String?
    /// By parameter; references are native keys, decimals numbers, dates their text.
    public var arguments: Fields

    public init(function: String, company: String?, arguments: Fields) {
        self.function = function
        self.company = company
        self.arguments = arguments
    }
}

/// What an application replies to a question.
public enum FunctionReply: Sendable, Hashable {
    /// The answer's members, and the moment for which it holds by the application's clock or, where it tells none, when it was asked.
    case says(Fields, asOf: Instant)
    /// The question itself is wrong in the application's eyes: an unknown product, a unit of another kind.
    case refused(Rejection)
    /// The application is there and cannot tell.
    case cannotSay(reason: String)
}
