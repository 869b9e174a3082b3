package import HubModel

/// The hub's memory. Its kinds pass one test suite (`StoreContractTests`).
///
/// Every change goes through ``write(_:)``: transactions run one after another on a thread of the store's own, several of them committed
/// together, each either wholly or not at all. A body must not keep the transaction.
package protocol Store: Sendable {
    /// Runs a transaction and waits until it is durable. Blocks: not for the cooperative pool.
    func write<T: Sendable>(_ body: @escaping @Sendable (any StoreTransaction) throws -> T) throws(StoreError) -> T

    /// Runs a transaction; `completion` is called on the store's thread once it is durable or has failed. Blocks while the store's queue is full.
    func submit<T: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws -> T, completion: @escaping @Sendable (Result<T, StoreError>) -> Void)

    /// A consistent copy of the whole store at that path, made while the hub runs.
    func backup(to path: String) throws(StoreError)

    /// Ends after what has been submitted. Nothing may be called afterwards.
    func close()
}

extension Store {
    /// Runs a transaction without blocking the caller's thread.
    package func perform<T: Sendable>(_ body: @escaping @Sendable (any StoreTransaction) throws -> T) async throws(StoreError) -> T {
        let result: Result<T, StoreError> = await withCheckedContinuation { continuation in
            submit(body) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }
}

/// One transaction on the store. Reads see the transaction's own writes. All of it throws ``StoreError``.
package protocol StoreTransaction: AnyObject {
    // MARK: Golden records
    func golden(_ id: CanonicalID) throws(StoreError) -> GoldenRecord?
    func put(_ golden: GoldenRecord) throws(StoreError)
    /// A new id in the store's generation, never given before: `customer-1-42`.
    func newID(_ entity: EntityName) throws(StoreError) -> CanonicalID
    /// Golden records of an entity in order of id, deleted ones included.
    func goldenRecords(_ entity: EntityName, after: CanonicalID?, limit: Int) throws(StoreError) -> [GoldenRecord]
    /// Ids of golden records of that entity whose match field had this text when it was last set with ``putMatch(_:_:_:_:)``.
    func matches(_ entity: EntityName, _ field: String, _ text: String) throws(StoreError) -> [CanonicalID]
    /// Sets (nil: removes) the text by which a golden record can be matched.
    func putMatch(_ entity: EntityName, _ field: String, _ text: String?, _ id: CanonicalID) throws(StoreError)

    // MARK: Targets and links
    /// A fresh state where nothing is stored.
    func target(_ target: Target) throws(StoreError) -> TargetState
    func put(_ state: TargetState, _ target: Target, _ entity: EntityName) throws(StoreError)
    /// Targets of an application that wait for one of the reasons and whose `until` has come (or is nil), oldest wait first.
    /// Where the parameter `until` is nil, all of them, whatever their time.
    func waiting(_ application: ApplicationID, _ reasons: Set<TargetState.Wait.Reason>, until: Instant?, limit: Int)
        throws(StoreError) -> [TargetRow]
    /// How many targets of an application wait, and since when the oldest of them does, by reason.
    func waitCounts(_ application: ApplicationID) throws(StoreError) -> [WaitCount]
    /// The earliest `until` of any wait of that application; nil where none has one.
    func nextWake(_ application: ApplicationID) throws(StoreError) -> Instant?
    /// Targets of that application that wait for that document.
    func awaiting(_ application: ApplicationID, _ id: CanonicalID) throws(StoreError) -> [Target]
    /// Targets that left out a soft reference to that document.
    func leavingOut(_ application: ApplicationID, _ id: CanonicalID) throws(StoreError) -> [Target]
    /// True while a create for that application and entity that was sent (`Write.sent`) at or before that time has not been resolved.
    /// A later one cannot be what an event that arrived then tells of.
    func hasIntents(_ application: ApplicationID, _ entity: EntityName, sentBy: Instant) throws(StoreError) -> Bool
    func link(_ reference: NativeReference) throws(StoreError) -> CanonicalID?
    func putLink(_ reference: NativeReference, _ id: CanonicalID) throws(StoreError)

    // MARK: Waiting events
    func append(_ event: WaitingEvent) throws(StoreError)
    func isWaiting(_ document: NativeReference) throws(StoreError) -> Bool
    /// First events of their documents whose wait has ended: the link exists, no intent sent by the event's `since` is left
    /// (an event that waited for its turn and has come to the front is releasable as it is). Oldest first.
    func releasable(limit: Int) throws(StoreError) -> [WaitingEvent]
    /// The event in front of that document; nil where none waits.
    func nextWaiting(_ document: NativeReference) throws(StoreError) -> WaitingEvent?
    /// Changes what the event waits for.
    func update(_ event: WaitingEvent) throws(StoreError)
    func removeWaiting(_ sequence: Int64) throws(StoreError)

    // MARK: Ends
    func append(_ outbox: OutboxRow) throws(StoreError)
    func append(_ letter: DeadLetter) throws(StoreError) -> Int64
    func append(_ conflict: Conflict) throws(StoreError)
    func append(_ alarm: Alarm) throws(StoreError)
    /// Removes an application's alarms of that code that are about no document, except those with one of these texts.
    func clearAlarms(_ code: String, of application: ApplicationID, except texts: [String]) throws(StoreError)
    func count(_ end: EventEnd, topic: String, by count: Int) throws(StoreError)
    func count(_ outcome: OutcomeKind, application: ApplicationID, by count: Int) throws(StoreError)

    // MARK: Outbox
    /// Rows in order, from the first not yet removed that is past `after`.
    func outbox(after: Int64, limit: Int) throws(StoreError) -> [OutboxRow]
    /// Removes rows up to and including that sequence.
    func clearOutbox(through: Int64) throws(StoreError)

    // MARK: Positions and fences
    /// The next offset to read; nil where none has been stored.
    func offset(_ group: String, _ partition: TopicPartition) throws(StoreError) -> Int64?
    func putOffset(_ offset: Int64, _ group: String, _ partition: TopicPartition) throws(StoreError)
    /// Raises and returns the epoch of that assignment; earlier holders are fenced.
    func raiseEpoch(_ group: String, _ partition: TopicPartition) throws(StoreError) -> Int64
    /// Throws ``StoreError/Code/fenced`` where the epoch is not the newest; locks it for the rest of the transaction.
    func check(epoch: Int64, _ group: String, _ partition: TopicPartition) throws(StoreError)
    /// The store's generation, from 1.
    func generation() throws(StoreError) -> Int
    /// Gives the generation after the store's own and after that one, and keeps it.
    func raiseGeneration(past used: Int) throws(StoreError) -> Int
    func catchUp(_ application: ApplicationID) throws(StoreError) -> CatchUp?
    func putCatchUp(_ catchUp: CatchUp?, _ application: ApplicationID) throws(StoreError)
    /// Small facts by name: partition counts, application identities, pauses, capture positions.
    func note(_ name: String) throws(StoreError) -> String?
    func putNote(_ text: String?, _ name: String) throws(StoreError)
    /// Notes whose names begin so, by name.
    func notes(_ prefix: String) throws(StoreError) -> [(name: String, text: String)]

    // MARK: Lists for people
    /// Targets of that application behind `after` whose newest write it refused, by company and document.
    func rejections(_ application: ApplicationID, after: Target?, limit: Int) throws(StoreError) -> [TargetRow]
    func links(application: ApplicationID?, entity: EntityName?, after: NativeReference?, limit: Int) throws(StoreError) -> [Link]
    func waitingEvents(after: Int64, limit: Int) throws(StoreError) -> [WaitingEvent]
    func deadLetters(after: Int64, limit: Int, includeReplayed: Bool) throws(StoreError) -> [DeadLetter]
    func deadLetter(_ id: Int64) throws(StoreError) -> DeadLetter?
    func markReplayed(_ id: Int64, at: Instant) throws(StoreError)
    func conflicts(after: Int64, limit: Int) throws(StoreError) -> [Conflict]
    func alarms(after: Int64, limit: Int) throws(StoreError) -> [Alarm]
    func eventEnds() throws(StoreError) -> [(topic: String, end: EventEnd, count: Int)]
    func outcomeCounts() throws(StoreError) -> [(application: ApplicationID, kind: OutcomeKind, count: Int)]
    func goldenCounts() throws(StoreError) -> [(entity: EntityName, live: Int, deleted: Int)]
}

extension StoreTransaction {
    /// The store's own name, given when it was made; a backup has the same.
    package func storeID() throws(StoreError) -> String? { try note("store-id") }

    /// The next generation.
    package func raiseGeneration() throws(StoreError) -> Int { try raiseGeneration(past: 0) }
}
