/// What goes wrong between a driver and its application.
public enum Fault: Sendable {
    /// Nothing.
    case none
    /// No connection is made; open ones are reset.
    case refused
    /// Connections are made and everything is taken, but nothing arrives and nothing comes back.
    case silent
    /// Every answer comes that much later.
    case slowAnswers(Duration)
    /// The n-th request from now on (counted from 1) does not arrive; its connection is reset.
    case lostRequest(Int)
    /// Once the n-th request has been answered no connection is made any more, and open ones are reset at their next request.
    case outage(after: Int)
    /// The n-th request arrives and is answered, but the answer is lost and the connection reset.
    case lostAnswer(Int)
    /// The n-th request arrives that much later, even where the driver has gone meanwhile; its answer is lost.
    case lateRequest(Int, by: Duration)
    /// The answer to the n-th request is held until this has run, one second at most.
    case heldAnswer(Int, until: @Sendable () async -> Void)
}

/// What a ``FaultInjector`` has seen since it was armed.
public struct Traffic: Sendable {
    /// When each request began.
    public var requests: [ContinuousClock.Instant] = []
    /// The most requests under way at once; those that one connection sends ahead of its answers are one.
    public var mostAtOnce = 0

    public init() {}
}

/// Lets things go wrong between a driver and its application. ``TCPProxy`` is the standard one; drivers without a network bring their own.
public protocol FaultInjector: Sendable {
    /// False where this kind of fault cannot be made; the report then says what was not tried.
    func canMake(_ fault: Fault) -> Bool
    /// From now on this, and only this, goes wrong; counts begin anew.
    func arm(_ fault: Fault) async throws
    /// True where the fault has happened since it was armed.
    var hasStruck: Bool { get async }
    /// What has passed since the fault was armed; nil where this cannot be seen.
    var traffic: Traffic? { get async }
}

/// Makes no faults: for drivers that have nothing between them and their application. What would need one is reported absent.
public struct NoFaults: FaultInjector {
    public init() {}

    public func canMake(_ fault: Fault) -> Bool { if case .none = fault { true } else { false } }
    public func arm(_ fault: Fault) async throws {}
    public var hasStruck: Bool { false }
    public var traffic: Traffic? { nil }
}
