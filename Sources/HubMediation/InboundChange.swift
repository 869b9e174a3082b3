package import HubCodec
package import HubModel
package import HubStore

/// An inbound event, decoded, validated and translated: what is left to do is to identify, resolve, route and publish it.
package struct InboundChange: Sendable {
    package var document: NativeReference
    /// What else the event may mean, where one without data leaves open which entity the document is, or of which company: what is linked
    /// counts.
    package var alternatives: [NativeReference]
    package var operation: ChangeEvent.Operation
    /// Flat canonical fields; references still hold native keys. Fields that the event does not tell are absent.
    package var fields: Fields
    /// The native document as told, JSON; empty where the event told none.
    package var native: RawJSON
    package var position: SourcePosition
    package var token: VersionToken?
    /// The application's time, clamped to the broker's.
    package var time: Instant
    /// The hub's own reference, where the document carries it.
    package var reference: CanonicalID?
    /// The event's id, for people and provenance.
    package var event: String
    /// The inbound record, kept where the event has to wait.
    package var record: Record

    package init(
        document: NativeReference, alternatives: [NativeReference] = [], operation: ChangeEvent.Operation, fields: Fields,
        native: RawJSON = .none,
        position: SourcePosition,
        token: VersionToken? = nil, time: Instant, reference: CanonicalID? = nil, event: String = "", record: Record
    ) {
        self.document = document
        self.alternatives = alternatives
        self.operation = operation
        self.fields = fields
        self.native = native
        self.position = position
        self.token = token
        self.time = time
        self.reference = reference
        self.event = event
        self.record = record
    }
}

/// What became of an event.
package enum Resolution: Sendable, Equatable {
    case ended(EventEnd)
    case waits(WaitingEventReason)
}

/// Why an event has to wait, before it is stored.
package enum WaitingEventReason: Sendable, Equatable {
    /// A hard reference whose document is not linked.
    case link(NativeReference)
    /// It may be the echo of a create that has not been answered.
    case intents
    /// Events of the same document wait in front of it.
    case turn
}

/// What became of one field of an event: told to an observer, for rehearsals and simulations.
package enum FieldFate: Sendable, Equatable {
    /// Now the golden value, in place of the given one (nil: there was none).
    case golden(replaced: Value?)
    /// The golden value was the same already.
    case same
    /// Overruled, and recorded.
    case conflict
    /// The hub's own write with that id.
    case echo(Int64)
    /// All fields of the event have been told; the field's name is empty.
    case end
}
