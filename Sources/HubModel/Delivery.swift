/// A canonical change on its way to one application, in that application's native form: what a driver's `apply` is given.
public struct Delivery: Sendable, Hashable {
    public enum Operation: String, Sendable, Hashable, CaseIterable {
        /// The application holds no document for this target yet: `fields` is the whole document.
        case create
        /// `fields` are the changed members only; members not named stay as they are.
        case update
        /// Remove or archive the document, as the manifest says; `fields` is empty.
        case delete
    }

    public var target: Target
    /// The golden record's version that this brings the document to.
    public var version: Version
    public var operation: Operation
    /// The application's name of the document's type.
    public var native: String
    /// The application's own name of the company; nil where the entity is shared.
    public var company: String?
    /// The native key; nil for a create.
    public var key: NativeKey?
    /// The hub's reference, which a create leaves in the document where the application has a place for it.
    public var reference: CanonicalID
    /// Native members, nested as the application has them.
    public var fields: Fields
    /// The state that the write is conditional on; nil for a create.
    public var expected: Expectation?

    /// What the hub last heard of the document.
    public struct Expectation: Sendable, Hashable {
        /// The version token that a conditional write names; nil where the application has none.
        public var token: VersionToken?
        /// The document as last heard, native members.
        public var fields: Fields

        public init(token: VersionToken?, fields: Fields) {
            self.token = token
            self.fields = fields
        }
    }

    public init(
        target: Target, version: Version, operation: Operation, native: String, company: String? = nil, key: NativeKey? = nil,
        reference: CanonicalID, fields: Fields, expected: Expectation? = nil
    ) {
        self.target = target
        self.version = version
        self.operation = operation
        self.native = native
        self.company = company
        self.key = key
        self.reference = reference
        self.fields = fields
        self.expected = expected
    }
}

/// A document as an application tells it.
public struct NativeDocument: Sendable, Hashable {
    public var key: NativeKey
    /// The version token; nil where the application has none.
    public var token: VersionToken?
    /// The place in the application's feed of the document's last change, where a read can tell it; nil elsewhere.
    public var stamp: SourcePosition?
    /// The hub's reference, where the document carries it.
    public var reference: CanonicalID?
    public var isDeleted: Bool
    /// Native members.
    public var fields: Fields

    public init(
        key: NativeKey, token: VersionToken? = nil, stamp: SourcePosition? = nil, reference: CanonicalID? = nil, isDeleted: Bool = false,
        fields: Fields
    ) {
        self.key = key
        self.token = token
        self.stamp = stamp
        self.reference = reference
        self.isDeleted = isDeleted
        self.fields = fields
    }
}

/// Why an application refused a document: a rule of its own that a person can understand and mend.
public struct Rejection: Sendable, Hashable, CustomStringConvertible {
    /// The rule's stable name, `credit-limit`; tests and processes match on it.
    public var rule: String
    /// The native member at fault; nil where the document as a whole is.
    public var field: String?
    /// The application's words.
    public var text: String

    public init(rule: String, field: String? = nil, text: String) {
        self.rule = rule
        self.field = field
        self.text = text
    }

    public var description: String { "\(rule)\(field.map { " (\($0))" } ?? ""): \(text)" }
}

/// A driver's answer to one delivery.
public enum Answer: Sendable, Hashable {
    /// Done; the document as read back.
    case written(NativeDocument)
    /// Nothing had to be done: the document was already so.
    case unchanged(NativeDocument)
    /// A rule of the application forbids it; nothing was changed.
    case rejected(Rejection)
    /// It failed this time (a race that was lost, an error of the application's own) and may pass: nothing was changed. Counts as an attempt;
    /// after the last one the delivery is a dead letter.
    case retry(after: Duration, reason: String)
    /// Not yet, through no fault of this document: a rate limit, a used-up allowance, maintenance, a person who holds it or has to decide.
    /// Nothing was changed. Never given up, however often it comes.
    case later(after: Duration, reason: String)
    /// The document is not in the expected state any more; nothing was changed.
    case changed
    /// The document does not exist any more; nothing was changed.
    case gone
    /// The call was sent and no answer came: it may have taken effect, or may still.
    case noAnswer(reason: String)
}
