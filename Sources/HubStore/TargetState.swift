package import HubCodec
package import HubModel

/// All that the hub keeps of one document in one application: link, shadows, write log, intent and wait, in one row.
package struct TargetState: Sendable, Hashable {
    /// The native key, once linked.
    package var key: NativeKey?
    /// The last state that the application's own feed told; only mediation moves it.
    package var heard: Heard?
    /// The hub's writes not yet heard back, oldest first.
    package var written: [Write]
    /// The write log: the newest version that has ended here.
    package var delivered: Version
    /// Why nothing is being done just now, or that something is to be done; nil where the newest version has ended.
    package var wait: Wait?
    /// The newest rejection, until something is written.
    package var rejected: RejectedWrite?
    /// Calls in a row that failed for a reason of this document's own.
    package var attempts: Int
    /// Calls in a row that the application put off.
    package var delays: Int
    /// Corrections sent, by field.
    package var corrections: [String: Corrections]
    /// Soft references left out of what was written, by field: completed when the link appears.
    package var leftOut: [String: CanonicalID]

    package init() {
        written = []
        delivered = .none
        attempts = 0
        delays = 0
        corrections = [:]
        leftOut = [:]
    }

    /// The write whose create has been sent and not yet resolved; nil where none is.
    package var intent: Write? { key == nil ? written.first { $0.isCreate } : nil }

    /// The last state told by the feed.
    package struct Heard: Sendable, Hashable {
        /// Translated under ``mapping``; references as canonical ids.
        package var fields: Fields
        /// The native document as told, parts merged; none in simulations.
        package var native: RawJSON
        /// The mapping's version that made `fields` from `native`.
        package var mapping: String
        package var position: SourcePosition
        package var token: VersionToken?
        package var isDeleted: Bool

        package init(
            fields: Fields, native: RawJSON = .none, mapping: String = "", position: SourcePosition, token: VersionToken? = nil,
            isDeleted: Bool = false
        ) {
            self.fields = fields
            self.native = native
            self.mapping = mapping
            self.position = position
            self.token = token
            self.isDeleted = isDeleted
        }
    }

    /// One write of the hub, stored before its call.
    package struct Write: Sendable, Hashable {
        /// Unique among the target's writes.
        package var id: Int64
        /// Canonical fields written and not yet heard back.
        package var fields: Fields
        package var isCreate: Bool
        package var isDelete: Bool
        /// The token that the write was conditional on; nil for a create or where the application has none.
        package var condition: VersionToken?
        /// The token that the application answered.
        package var token: VersionToken?
        package var isAnswered: Bool
        package var sent: Instant

        package init(
            id: Int64, fields: Fields, isCreate: Bool = false, isDelete: Bool = false, condition: VersionToken? = nil, sent: Instant
        ) {
            self.id = id
            self.fields = fields
            self.isCreate = isCreate
            self.isDelete = isDelete
            self.condition = condition
            self.isAnswered = false
            self.sent = sent
        }
    }

    /// Why a target waits.
    package struct Wait: Sendable, Hashable {
        package enum Reason: String, Sendable, Hashable, CaseIterable {
            /// To be delivered as soon as its lane is free.
            case ready
            /// A call for it is decided or under way; after a crash it is looked at again.
            case calling
            /// A hard reference has no document here yet; `awaits` names it.
            case reference
            /// The application's document is newer than what has been heard; the feed will tell.
            case changed
            /// The created document has not been heard yet; nothing else is sent before.
            case unheard
            /// A call without an answer may still take effect; until `until`.
            case settle
            /// The application asked for patience, or the write failed on its own; until `until`.
            case retry
            /// A person's yes is needed.
            case approval
            /// Several documents carry the hub's reference; a person must say which.
            case ambiguous
            /// The application is not as the entity's mapping expects; nothing is written until it has been looked at again and is.
            case stopped
            /// In the dead letters; a replay brings it back.
            case dead
        }

        package var reason: Reason
        /// What it waits for, for people: a rule, a count, an error.
        package var detail: String
        /// The document that it waits for; nil where it waits for something else.
        package var awaits: CanonicalID?
        /// When to look again; nil where an event ends the wait.
        package var until: Instant?
        package var since: Instant

        package init(_ reason: Reason, detail: String = "", awaits: CanonicalID? = nil, until: Instant? = nil, since: Instant) {
            self.reason = reason
            self.detail = detail
            self.awaits = awaits
            self.until = until
            self.since = since
        }
    }

    /// What an application refused, so that the same is not asked again until something changes or a person says so.
    package struct RejectedWrite: Sendable, Hashable {
        package var rejection: Rejection
        /// The canonical fields that were refused.
        package var fields: Fields
        /// The version that was refused last; none where an older hub stored it.
        package var version: Version
        /// Since when this rule has stood in the way of the document; nil where an older hub stored it.
        package var since: Instant?

        package init(rejection: Rejection, fields: Fields, version: Version = .none, since: Instant? = nil) {
            self.rejection = rejection
            self.fields = fields
            self.version = version
            self.since = since
        }

        /// The same rule about the same field, whatever the text says.
        package func isSameRule(as other: Rejection) -> Bool { rejection.rule == other.rule && rejection.field == other.field }
    }

    /// How often a field had to be set right here.
    package struct Corrections: Sendable, Hashable {
        package var count: Int
        package var windowStart: Instant
        /// The golden value over which the field is disputed: it is not sent here until that changes. Nil while it is not disputed.
        package var disputed: Value?

        package init(count: Int, windowStart: Instant, disputed: Value? = nil) {
            self.count = count
            self.windowStart = windowStart
            self.disputed = disputed
        }
    }
}
