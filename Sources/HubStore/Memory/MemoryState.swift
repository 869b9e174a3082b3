import HubModel

/// Everything that a ``MemoryStore`` holds.
struct MemoryState: Sendable {
    var golden = MemoryTable<CanonicalID, GoldenRecord>()
    var matches = MemoryTable<MatchKey, Set<CanonicalID>>()
    var matchTexts = MemoryTable<MatchOwner, ExactText>()
    var targets = MemoryTable<Target, StoredTarget>()
    /// The targets that wait, so that looking for them does not touch the others.
    var waits = MemoryTable<Target, TargetState.Wait>()
    /// The targets whose newest write was refused.
    var rejections = MemoryTable<Target, Bool>()
    /// The targets that left something out, and what.
    var leftOut = MemoryTable<Target, Set<CanonicalID>>()
    /// How many unresolved creates were sent when.
    var intents = MemoryTable<EntityOfApplication, [Instant: Int]>()
    var links = MemoryTable<NativeReference, CanonicalID>()
    var waitingEvents = MemoryTable<Int64, WaitingEvent>()
    /// Sequences of a document's waiting events, in order.
    var queues = MemoryTable<NativeReference, [Int64]>()
    var outbox = MemoryTable<Int64, OutboxRow>()
    var deadLetters = MemoryTable<Int64, DeadLetter>()
    var conflicts = MemoryTable<Int64, Conflict>()
    var alarms = MemoryTable<Int64, Alarm>()
    var alarmKeys = MemoryTable<AlarmKey, Int64>()
    var offsets = MemoryTable<Assignment, Int64>()
    var epochs = MemoryTable<Assignment, Int64>()
    var catchUps = MemoryTable<ApplicationID, CatchUp>()
    var notes = MemoryTable<ExactText, String>()
    var eventEnds = MemoryTable<ExactText, [EventEnd: Int]>()
    var outcomes = MemoryTable<ApplicationID, [OutcomeKind: Int]>()
    /// Newest numbers given, by what they number: ids of an entity, rows of a table, the generation.
    var numbers = MemoryTable<ExactText, Int64>()

    init(storeID: String) {
        numbers["generation"] = 1
        notes["store-id"] = storeID
        commit()
    }

    mutating func commit() {
        golden.commit()
        matches.commit()
        matchTexts.commit()
        targets.commit()
        waits.commit()
        rejections.commit()
        leftOut.commit()
        intents.commit()
        links.commit()
        waitingEvents.commit()
        queues.commit()
        outbox.commit()
        deadLetters.commit()
        conflicts.commit()
        alarms.commit()
        alarmKeys.commit()
        offsets.commit()
        epochs.commit()
        catchUps.commit()
        notes.commit()
        eventEnds.commit()
        outcomes.commit()
        numbers.commit()
    }

    mutating func rollBack() {
        golden.rollBack()
        matches.rollBack()
        matchTexts.rollBack()
        targets.rollBack()
        waits.rollBack()
        rejections.rollBack()
        leftOut.rollBack()
        intents.rollBack()
        links.rollBack()
        waitingEvents.rollBack()
        queues.rollBack()
        outbox.rollBack()
        deadLetters.rollBack()
        conflicts.rollBack()
        alarms.rollBack()
        alarmKeys.rollBack()
        offsets.rollBack()
        epochs.rollBack()
        catchUps.rollBack()
        notes.rollBack()
        eventEnds.rollBack()
        outcomes.rollBack()
        numbers.rollBack()
    }

    /// The next number of that series.
    mutating func next(_ series: ExactText) -> Int64 {
        let next = (numbers[series] ?? 0) + 1
        numbers[series] = next
        return next
    }

    struct StoredTarget: Sendable {
        var entity: EntityName
        var state: TargetState
    }

    struct EntityOfApplication: Sendable, Hashable, Comparable {
        var application: ApplicationID
        var entity: EntityName
        static func < (a: Self, b: Self) -> Bool { (a.application, a.entity) < (b.application, b.entity) }
    }

    struct MatchKey: Sendable, Hashable, Comparable {
        var entity: EntityName
        var field: ExactText
        var text: ExactText
        static func < (a: Self, b: Self) -> Bool { (a.entity, a.field, a.text) < (b.entity, b.field, b.text) }
    }

    struct MatchOwner: Sendable, Hashable, Comparable {
        var entity: EntityName
        var field: ExactText
        var id: CanonicalID
        static func < (a: Self, b: Self) -> Bool { (a.entity, a.field, a.id) < (b.entity, b.field, b.id) }
    }

    struct AlarmKey: Sendable, Hashable, Comparable {
        var code: ExactText
        var text: ExactText
        var application: ApplicationID?
        var document: CanonicalID?

        static func < (a: Self, b: Self) -> Bool {
            (a.code, a.text, a.application?.rawValue ?? "", a.document?.rawValue ?? "")
                < (b.code, b.text, b.application?.rawValue ?? "", b.document?.rawValue ?? "")
        }
    }

    struct Assignment: Sendable, Hashable, Comparable {
        var group: ExactText
        var topic: ExactText
        var partition: Int32

        init(_ group: String, _ partition: TopicPartition) {
            self.group = ExactText(group)
            topic = ExactText(partition.topic)
            self.partition = partition.partition
        }

        static func < (a: Self, b: Self) -> Bool { (a.group, a.topic, a.partition) < (b.group, b.topic, b.partition) }
    }
}
