/// How an event or a delivery ended, as told on the outcomes topic.
public enum OutcomeKind: String, Sendable, Hashable, CaseIterable {
    /// Read back equal to the golden record's version.
    case written
    /// The application was already so.
    case unchanged
    /// A newer version went instead.
    case superseded
    /// The application refused it; ``Rejection`` says why.
    case rejected
    /// Waits, with a reason; another outcome follows.
    case waiting
    /// In the dead letters.
    case dead
}

/// One delivery's end, or wait.
public struct Outcome: Sendable, Hashable {
    public var kind: OutcomeKind
    public var target: Target
    public var entity: EntityName
    public var version: Version
    /// The first version number that this ends; lower than `version.number` only where *superseded* covers several at once.
    public var first: Int
    /// The application's key of the document, where it is known.
    public var key: NativeKey?
    public var rejection: Rejection?
    /// Why it waits or died; nil elsewhere.
    public var reason: String?
    /// When, in milliseconds since 1970.
    public var time: Instant

    public init(
        _ kind: OutcomeKind, _ target: Target, entity: EntityName, version: Version, first: Int? = nil, key: NativeKey? = nil,
        rejection: Rejection? = nil,
        reason: String? = nil, time: Instant
    ) {
        self.kind = kind
        self.target = target
        self.entity = entity
        self.version = version
        self.first = first ?? version.number
        self.key = key
        self.rejection = rejection
        self.reason = reason
        self.time = time
    }
}
