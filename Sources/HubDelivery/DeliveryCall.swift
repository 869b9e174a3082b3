package import HubDriver
package import HubModel

/// A question or an order to a driver, decided in one transaction and carried out outside it.
package struct DeliveryCall: Sendable {
    package enum Kind: Sendable {
        case lookUp(LookUp)
        case read(ReadRequest)
        case apply(Delivery)
    }

    package var kind: Kind
    package var target: Target
    package var entity: EntityName
    package var version: Version
    /// The write that the call carries out; nil for questions.
    package var write: Int64?
    /// When the write was stored; nil for questions.
    package var decided: Instant?
    /// The canonical fields that the write sets.
    package var fields: Fields
    /// The position of *heard* when it was decided: what tells whether anything was heard since. Nil for a create.
    package var heard: SourcePosition?
    /// Writes without an answer whose fate a read decides.
    package var doubts: [Int64]

    init(
        _ kind: Kind, _ target: Target, _ entity: EntityName, version: Version, write: Int64? = nil, decided: Instant? = nil,
        fields: Fields = Fields(),
        heard: SourcePosition? = nil, doubts: [Int64] = []
    ) {
        self.kind = kind
        self.target = target
        self.entity = entity
        self.version = version
        self.write = write
        self.decided = decided
        self.fields = fields
        self.heard = heard
        self.doubts = doubts
    }
}

/// What came back of a call.
package enum DeliveryReply: Sendable {
    /// Of a look-up.
    case documents([NativeDocument])
    /// Of a read; nil where there is no such document.
    case document(NativeDocument?)
    /// Of an `apply`.
    case answer(Answer)
    /// The call had no effect: the application cannot be reached.
    case unreachable
}

/// What a step of a delivery leads to.
package enum DeliveryStep: Sendable {
    /// Nothing more to do for this target now: ended, or waiting for an event or until the given time.
    case rests(until: Instant?)
    /// Carry this out, then go on with ``TargetDelivery/answered(_:_:now:in:)``.
    case call(DeliveryCall)
}
