public import HubModel

/// A module that knows one application's transactional rules (Kafka people: a connector).
///
/// A driver contains no field mapping and never touches Kafka. It is called from many tasks at once, up to the limits of its manifest;
/// the hub sends one delivery at a time per target. Everything beyond ``apply(_:)`` is an extra capability, a protocol of its own:
/// ``LookingUp``, ``Reading``, ``Paging``, ``Capturing``, ``Answering``, ``Discovering``.
public protocol Driver: Sendable {
    /// What the application is and allows; constant while the driver lives.
    var manifest: Manifest { get }

    /// Makes each document equal to the one delivered, through the application's own interface, and reads the result back.
    ///
    /// - Returns: one answer per delivery, in the same order. A delivery's failure is an answer, never an error.
    /// - Throws: ``DriverError`` where the whole batch had no effect for sure, because the application cannot be reached.
    func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer]

    /// Asks the application who it is; fails where it cannot be reached or refuses the credentials.
    func probe() async throws(DriverError) -> ApplicationIdentity

    /// Lets go of connections. Nothing is called afterwards.
    func close() async
}

/// Finds documents by the hub's reference: what makes a create that cannot be repeated safe.
public protocol LookingUp: Driver {
    /// Documents that carry each reference, deleted ones included; an empty list where there is none.
    func lookUp(_ references: [LookUp]) async throws(DriverError) -> [[NativeDocument]]
}

/// Reads documents by key: what stands in for a version token where there is none.
public protocol Reading: Driver {
    /// Each document's present state; nil where there is none.
    func read(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?]

    /// Each document as a feed would tell it now; nil where a feed would not: there is none, or the hub has not finished making it.
    ///
    /// For a signal, which knows only which documents have changed. As ``read(_:)``, unless the driver says otherwise.
    func tell(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?]
}

extension Reading {
    public func tell(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?] { try await read(references) }
}

/// Goes through all documents of a type: import, compare.
public protocol Paging: Driver {
    /// The next documents after `cursor` (nil: from the start), in an order that changes meanwhile do not disturb.
    func page(native: String, company: String?, after cursor: String?, limit: Int) async throws(DriverError) -> Page
}

/// Tells what changes in the application; the hub publishes it to the inbound topics.
public protocol Capturing: Driver {
    /// Changes after `position` (nil: from the beginning of what the application still has), oldest first, at most `limit`.
    /// The same position gives the same changes again: the hub moves on only when Kafka has them.
    func capture(after position: String?, limit: Int) async throws(DriverError) -> CapturedBatch
}

/// One look-up by the hub's reference.
public struct LookUp: Sendable, Hashable {
    public var native: String
    public var company: String?
    public var reference: CanonicalID

    public init(native: String, company: String?, reference: CanonicalID) {
        self.native = native
        self.company = company
        self.reference = reference
    }
}

/// One read by native key.
public struct ReadRequest: Sendable, Hashable {
    public var native: String
    public var company: String?
    public var key: NativeKey

    public init(native: String, company: String?, key: NativeKey) {
        self.native = native
        self.company = company
        self.key = key
    }
}

/// A page of documents; `next` is nil on the last one.
public struct Page: Sendable {
    public var documents: [NativeDocument]
    public var next: String?

    public init(documents: [NativeDocument], next: String?) {
        self.documents = documents
        self.next = next
    }
}

/// One change as the application tells it.
public struct CapturedChange: Sendable, Hashable {
    public var event: ChangeEvent
    /// The document's members after the change, or a part of them (absent members are unchanged); nil with a delete that tells none.
    public var fields: Fields?

    public init(event: ChangeEvent, fields: Fields?) {
        self.event = event
        self.fields = fields
    }
}

/// Changes and the position behind the last of them; an empty list says that nothing is new.
public struct CapturedBatch: Sendable {
    public var changes: [CapturedChange]
    /// What stands in the feed before ``position`` and is no change, because it cannot be read: it becomes dead letters.
    /// Changes and these together are at most as many as were asked for.
    public var malformed: [MalformedEntry]
    /// Opaque to the hub, which stores it; nil only where there has never been a change.
    public var position: String?
    /// What a person should look at though the feed goes on (what it needs is about to be lost, two documents have become one), in words. Each
    /// becomes an alarm `capture-notice`; a driver says the same thing once.
    public var notices: [String]

    public init(changes: [CapturedChange], malformed: [MalformedEntry] = [], position: String?, notices: [String] = []) {
        self.changes = changes
        self.malformed = malformed
        self.position = position
        self.notices = notices
    }
}

/// Something in a feed that cannot be read as a change, for a person to look at: a row of a file with a quote too many, say.
public struct MalformedEntry: Sendable, Hashable {
    /// The native type that it would have been; nil where not even that can be told.
    public var native: String?
    /// A stable short name: `bad-row`.
    public var code: String
    /// Where it stands and what is wrong with it, in words for people: `orders.csv, line 17: …`.
    public var reason: String
    /// As it stands in the feed; the hub keeps the beginning of very long ones only, and says so.
    public var raw: [UInt8]

    public init(native: String?, code: String, reason: String, raw: [UInt8]) {
        self.native = native
        self.code = code
        self.reason = reason
        self.raw = raw
    }
}

/// Who an application says that it is. Another instance behind the same address is noticed by it.
public struct ApplicationIdentity: Sendable, Hashable {
    /// Stable over restarts, different for a copy: a database's own id where there is one.
    public var instance: String
    public var version: String
    /// What a person wants to see in `check --live`: modules, rights, environment.
    public var details: [String]

    public init(instance: String, version: String, details: [String] = []) {
        self.instance = instance
        self.version = version
        self.details = details
    }
}
