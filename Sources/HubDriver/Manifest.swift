public import HubModel

/// What a driver says of its application: everything that the hub derives its behaviour from.
public struct Manifest: Sendable {
    /// The driver's name in configurations: `reference-erp`.
    public var driver: String
    public var version: String
    public var summary: String
    public var entities: [EntityManifest]
    /// After this time a call without an answer cannot take effect any more.
    public var settleTime: Duration
    /// After this time without an answer the hub stops waiting for a call.
    public var answerTime: Duration
    public var limits: Limits
    /// Before the next look for changes where the last one found none; a web hook ends the wait. Zero where the feed says by itself that there
    /// is something: then capture may wait inside, for less than ``answerTime``.
    public var pollTime: Duration
    /// What remains unsafe with this application, in words: shown by `check` and the documentation.
    public var window: String
    /// What the application can be asked; its driver is ``Answering`` where there are any.
    public var functions: [FunctionManifest]

    public init(
        driver: String, version: String, summary: String, entities: [EntityManifest], settleTime: Duration, answerTime: Duration,
        limits: Limits = Limits(), pollTime: Duration = .zero, window: String, functions: [FunctionManifest] = []
    ) {
        self.driver = driver
        self.version = version
        self.summary = summary
        self.entities = entities
        self.settleTime = settleTime
        self.answerTime = answerTime
        self.limits = limits
        self.pollTime = pollTime
        self.window = window
        self.functions = functions
    }

    /// How much the application bears.
    public struct Limits: Sendable {
        /// Deliveries in one ``Driver/apply(_:)``.
        public var batch: Int
        /// Calls at once.
        public var concurrentCalls: Int
        /// Calls a minute; nil without a limit.
        public var callsPerMinute: Int?

        public init(batch: Int = 1, concurrentCalls: Int = 4, callsPerMinute: Int? = nil) {
            self.batch = batch
            self.concurrentCalls = concurrentCalls
            self.callsPerMinute = callsPerMinute
        }
    }

    /// The manifest of one native type; nil where the application has no such type.
    public func entity(native: String) -> EntityManifest? { entities.first { $0.native == native } }
}

/// One native type of an application.
public struct EntityManifest: Sendable {
    /// The application's name of the type.
    public var native: String
    /// The canonical type that the ready-made mapping gives it.
    public var entity: EntityName
    public var operations: Set<Delivery.Operation>
    /// A create with the hub's reference may be sent twice and still makes one document.
    public var createIsRepeatable: Bool
    /// Writes can be made conditional on a version token, which reads and events carry.
    public var hasToken: Bool
    /// Reads tell the feed position of the document's last change.
    public var hasStamp: Bool
    /// Events carry the hub's reference.
    public var tellsReference: Bool
    /// Events tell deletions.
    public var tellsDeletes: Bool
    public var delete: DeleteMeaning
    /// Documents belong to one company each.
    public var isPerCompany: Bool
    /// States of a document and the states that each may go to; empty where documents have none.
    public var transitions: [String: [String]]
    /// Names of the rules that a write can break, as ``Rejection/rule`` has them.
    public var rules: [String]

    public enum DeleteMeaning: String, Sendable, CaseIterable {
        /// The document is gone.
        case removes
        /// The document stays, marked inactive.
        case archives
        /// The application never deletes documents of this type.
        case refuses
    }

    public init(
        native: String, entity: EntityName, operations: Set<Delivery.Operation> = Set(Delivery.Operation.allCases),
        createIsRepeatable: Bool, hasToken: Bool, hasStamp: Bool = false, tellsReference: Bool, tellsDeletes: Bool = true,
        delete: DeleteMeaning = .removes, isPerCompany: Bool = false, transitions: [String: [String]] = [:], rules: [String] = []
    ) {
        self.native = native
        self.entity = entity
        self.operations = operations
        self.createIsRepeatable = createIsRepeatable
        self.hasToken = hasToken
        self.hasStamp = hasStamp
        self.tellsReference = tellsReference
        self.tellsDeletes = tellsDeletes
        self.delete = delete
        self.isPerCompany = isPerCompany
        self.transitions = transitions
        self.rules = rules
    }
}
