/// What one inbound record says of one document, the envelope taken off; the document's data travels beside it.
public struct ChangeEvent: Sendable, Hashable {
    /// What happened to the document.
    public enum Operation: String, Sendable, Hashable {
        /// Created or updated: the data is (a part of) the document's new state.
        case upsert
        /// Deleted in the application.
        case delete
        /// Read, not changed (Debezium's `r`, an import): fills gaps or raises conflicts, never wins by being late.
        case snapshot
    }

    /// The publisher's id of the event, for people and traces; empty where it gives none.
    public var id: String
    /// The native type, as the publisher names it: a CloudEvents type's entity part, a Debezium table, a topic's declared type.
    public var type: String
    public var operation: Operation
    /// The document's native key; nil where the mapping takes it from the data.
    public var key: NativeKey?
    /// Where in the application's feed this stands; nil where the record's own offset has to serve.
    public var position: SourcePosition?
    /// The document's version token after the change, where the application has them.
    public var token: VersionToken?
    /// When the application says it happened; nil where it does not say.
    public var time: Instant?
    /// The hub's own reference, where the document carries it.
    public var reference: CanonicalID?
    /// The application's own name of the company; nil where the mapping takes it from the data or the entity is shared.
    public var company: String?

    public init(
        id: String = "", type: String, operation: Operation, key: NativeKey? = nil, position: SourcePosition? = nil,
        token: VersionToken? = nil, time: Instant? = nil, reference: CanonicalID? = nil, company: String? = nil
    ) {
        self.id = id
        self.type = type
        self.operation = operation
        self.key = key
        self.position = position
        self.token = token
        self.time = time
        self.reference = reference
        self.company = company
    }
}

/// A place in an application's feed: later places are greater. `major` is the log (a file number, a topic's incarnation), `minor` the place in it.
public struct SourcePosition: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var major: Int64
    public var minor: Int64

    public init(major: Int64 = 0, minor: Int64) {
        self.major = major
        self.minor = minor
    }

    public static func < (a: Self, b: Self) -> Bool { (a.major, a.minor) < (b.major, b.minor) }

    public var description: String { major == 0 ? "\(minor)" : "\(major)/\(minor)" }
}
