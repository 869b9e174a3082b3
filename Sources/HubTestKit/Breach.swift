public import HubModel

/// How one rule of a type is broken.
public struct Breach: Sendable {
    /// The rule's name, as in the manifest and in ``HubModel/Rejection/rule``.
    public var rule: String
    /// The operation that breaks it.
    public var operation: Delivery.Operation
    /// Spoils a good delivery, and prepares the application where that is needed; nil where the rule cannot be broken by a driver.
    public var spoil: (@Sendable (_ delivery: inout Delivery, _ mark: String) async throws -> Void)?
    /// Puts the application back.
    public var mend: @Sendable () async throws -> Void
    /// Why the rule cannot be broken; empty elsewhere.
    public var reason = ""

    /// - Parameters:
    ///   - operation: of the good delivery that is spoilt; for an update or a delete it is of a document just made.
    ///   - spoil: changes the delivery; the mark is a text that nothing else got.
    public init(
        _ rule: String, on operation: Delivery.Operation = .create,
        spoil: @escaping @Sendable (_ delivery: inout Delivery, _ mark: String) async throws -> Void,
        mend: @escaping @Sendable () async throws -> Void = {}
    ) {
        self.rule = rule
        self.operation = operation
        self.spoil = spoil
        self.mend = mend
    }

    private init(_ rule: String, reason: String) {
        self.rule = rule
        operation = .create
        mend = {}
        self.reason = reason
    }

    /// A rule that binds people but never the hub, or that nothing here can bring about; the report says so.
    public static func cannotBeBroken(_ rule: String, because reason: String) -> Breach { Breach(rule, reason: reason) }
}
