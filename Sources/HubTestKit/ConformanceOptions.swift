/// How much is tried, and how patiently.
public struct ConformanceOptions: Sendable {
    /// Only these checks.
    public var checks: Set<Check> = Set(Check.allCases)
    /// Faults are made at the first request of a call, at the second and so on, as long as the call has more, at most this many.
    public var requestLimit = 12
    /// How long a call may take to end after it has been called off, and a driver to close.
    public var patience = Duration.seconds(5)
    /// The time after which ``HubDriver/Capturing/capture(after:limit:)`` certainly tells a change.
    public var captureTime = Duration.seconds(10)
    /// Documents on a page.
    public var pageSize = 5
    /// Told each result as soon as it is there (`{ print($0) }`); runs on live applications take minutes.
    public var progress: (@Sendable (ConformanceReport.Entry) -> Void)?

    public init() {}
}
