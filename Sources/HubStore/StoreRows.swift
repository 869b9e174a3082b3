package import HubModel

/// A record on its way to Kafka, written in the transaction that decided it.
package struct OutboxRow: Sendable, Hashable {
    /// Rising in the order of decision; assigned by the store.
    package var sequence: Int64
    package var record: Record

    package init(sequence: Int64 = 0, record: Record) {
        self.sequence = sequence
        self.record = record
    }
}

/// An inbound event that cannot be worked in yet, with its record untouched.
package struct WaitingEvent: Sendable, Hashable {
    package enum Awaited: Sendable, Hashable {
        /// A link of this document: a hard reference of the event.
        case link(NativeReference)
        /// The end of every unresolved create for that application and entity sent by the time of ``since``: the event may be its echo.
        case intents(ApplicationID, EntityName)
        /// The event of the same document in front of it.
        case turn
    }

    /// Order of arrival; assigned by the store.
    package var sequence: Int64
    package var document: NativeReference
    package var awaits: Awaited
    package var record: Record
    package var since: Instant

    package init(sequence: Int64 = 0, document: NativeReference, awaits: Awaited, record: Record, since: Instant) {
        self.sequence = sequence
        self.document = document
        self.awaits = awaits
        self.record = record
        self.since = since
    }
}

/// What could not be worked and waits for a person: an inbound record, or a delivery that kept failing.
package struct DeadLetter: Sendable, Hashable {
    /// Assigned by the store.
    package var id: Int64
    /// The application that it came from or was to go to; nil where not even that could be told.
    package var application: ApplicationID?
    /// The inbound record; nil for a delivery.
    package var record: Record?
    /// The target; nil for an inbound record.
    package var target: Target?
    package var version: Version?
    /// A stable short name: `broken-json`, `schema`, `translation`, `attempts`.
    package var code: String
    package var reason: String
    package var time: Instant
    /// When it was replayed; nil while it waits.
    package var replayed: Instant?

    package init(
        id: Int64 = 0, application: ApplicationID?, record: Record? = nil, target: Target? = nil, version: Version? = nil, code: String,
        reason: String, time: Instant, replayed: Instant? = nil
    ) {
        self.id = id
        self.application = application
        self.record = record
        self.target = target
        self.version = version
        self.code = code
        self.reason = reason
        self.time = time
        self.replayed = replayed
    }
}

/// A write by an application that was overruled, with who won and why.
package struct Conflict: Sendable, Hashable {
    package var id: Int64
    package var document: CanonicalID
    package var field: String
    /// The application that was overruled.
    package var application: ApplicationID
    package var refused: Value
    package var kept: Value?
    /// Who holds the field.
    package var winner: ApplicationID?
    /// A stable short name: `owner`, `older`, `deleted`, `snapshot`, `guarded`, `delete`, `disputed`.
    package var rule: String
    package var event: String
    package var time: Instant

    package init(
        id: Int64 = 0, document: CanonicalID, field: String, application: ApplicationID, refused: Value, kept: Value?,
        winner: ApplicationID?, rule: String, event: String, time: Instant
    ) {
        self.id = id
        self.document = document
        self.field = field
        self.application = application
        self.refused = refused
        self.kept = kept
        self.winner = winner
        self.rule = rule
        self.event = event
        self.time = time
    }
}

/// Something that a person should look at; the same text about the same document is kept once.
package struct Alarm: Sendable, Hashable {
    package var id: Int64
    /// A stable short name: `second-document`, `ambiguous`, `deleted-reference`, `unknown-reference`, `disputed`.
    package var code: String
    package var application: ApplicationID?
    package var document: CanonicalID?
    package var text: String
    package var time: Instant

    package init(id: Int64 = 0, code: String, application: ApplicationID?, document: CanonicalID?, text: String, time: Instant) {
        self.id = id
        self.code = code
        self.application = application
        self.document = document
        self.text = text
        self.time = time
    }
}

/// How an inbound event ended; counted per topic.
package enum EventEnd: String, Sendable, Hashable, CaseIterable {
    /// Something in it was worked into a golden record.
    case accepted
    /// Told only what the hub had written itself.
    case echo
    /// Told only what was known.
    case unchanged
    /// All that it changed was overruled.
    case conflict
    /// Older than what had been heard.
    case stale
    /// No mapping wants it.
    case filtered
    /// A second native document for one golden record, alarmed.
    case duplicate
    /// A creation that policy forbids, recorded as a conflict.
    case refused
    /// In the dead letters.
    case dead
}

/// A link, as listed.
package struct Link: Sendable, Hashable {
    package var reference: NativeReference
    package var id: CanonicalID

    package init(reference: NativeReference, id: CanonicalID) {
        self.reference = reference
        self.id = id
    }
}

/// A target with its state, as listed.
package struct TargetRow: Sendable, Hashable {
    package var target: Target
    package var entity: EntityName
    package var state: TargetState

    package init(target: Target, entity: EntityName, state: TargetState) {
        self.target = target
        self.entity = entity
        self.state = state
    }
}

/// Targets of an application that wait for the same reason.
package struct WaitCount: Sendable, Hashable {
    package var reason: TargetState.Wait.Reason
    package var count: Int
    /// Of the oldest.
    package var since: Instant

    package init(_ reason: TargetState.Wait.Reason, count: Int, since: Instant) {
        self.reason = reason
        self.count = count
        self.since = since
    }
}

/// How far a new application has been caught up from the store.
package struct CatchUp: Sendable, Hashable {
    /// Entities still to page, in dependency order; empty when done.
    package var entities: [EntityName]
    /// The last document paged of the first of them; nil at its start.
    package var after: CanonicalID?

    package init(entities: [EntityName], after: CanonicalID? = nil) {
        self.entities = entities
        self.after = after
    }
}
