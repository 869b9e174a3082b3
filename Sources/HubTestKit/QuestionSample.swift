public import HubModel

/// A question that a driver's application can answer, and one that it has to refuse.
public struct QuestionSample: Sendable {
    /// The function's name, as in the manifest.
    public var function: String
    /// The application's own name of the company that is asked; nil where none is named.
    public var company: String?
    /// Arguments that are answered; documents that they name are made here.
    public var arguments: @Sendable () async throws -> Fields
    /// Laid over ``arguments``: names something that is not there, so that the question has to be refused. Empty where nothing can be
    /// (a function that answers everything, such as `validate`), which the report says.
    public var unknown: Fields

    public init(
        _ function: String, company: String? = nil, unknown: Fields = [:], arguments: @escaping @Sendable () async throws -> Fields
    ) {
        self.function = function
        self.company = company
        self.unknown = unknown
        self.arguments = arguments
    }
}
