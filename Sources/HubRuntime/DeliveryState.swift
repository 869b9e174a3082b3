import HubDelivery
import HubDriver
import HubModel
import HubRules

/// What a delivery engine holds in memory: records read, calls to send, calls under way, replies. All of it is bounded, and all of it may be lost.
struct DeliveryState: Sendable {
    struct Work: Sendable {
        var replies: [(DeliveryCall, DeliveryReply)] = []
        var records: [(TopicPartition, [Record])] = []
        var resumes = false
        var afterStart = false
        var busy: Set<CanonicalID> = []
        /// The inbound record's time, by document, of records in this work.
        var origins: [CanonicalID: Int64] = [:]

        /// A create may have ended, and with it the wait of events that could be its echo.
        var mayReleaseEvents: Bool { !replies.isEmpty }
    }

    let limits: Manifest.Limits
    /// Documents of which a call is decided or under way, with the time of the inbound record that began it.
    private(set) var lanes: [CanonicalID: Int64] = [:]
    var inbox: [Record] = []
    /// Decided and not yet sent.
    private(set) var queue: [DeliveryCall] = []
    private(set) var replies: [(DeliveryCall, DeliveryReply)] = []
    /// Driver calls under way.
    private(set) var running = 0
    /// Questions beside them; deliveries make room.
    var questions = Questions()
    /// Why the application could not be reached the last time, for whoever asks; nil where it has not been tried, or answers.
    var trouble: String?
    var offsets: [TopicPartition: Int64] = [:]
    /// What Kafka may not know yet of the store's offsets: after an assignment, or where a commit failed.
    var uncommitted: [TopicPartition: Int64] = [:]
    var breaker = Breaker()
    var rejections = RejectionNotices()
    var isPaused = false
    /// The store may hold targets that are ready.
    var needsResume = false
    /// Nothing has been taken up yet that was under way when the hub ended last.
    private var isFresh = true
    private var wake: Instant?
    private var recentCalls: [Instant] = []

    init(limits: Manifest.Limits) {
        self.limits = limits
    }

    /// Lanes at once: enough to keep every call full, and little enough to bound memory and what a crash leaves in doubt.
    var laneLimit: Int { min(2000, max(64, limits.batch * limits.concurrentCalls * 2)) }

    var acceptsWork: Bool { breaker.isClosed && !isPaused }

    /// How many more records may be read.
    var space: Int { acceptsWork ? max(0, laneLimit - lanes.count - inbox.count) : 0 }

    /// What is to be decided now; nil where there is nothing.
    mutating func takeWork(now: Instant, stopping: Bool) -> Work? {
        var work = Work(replies: replies)
        replies = []
        if acceptsWork && !stopping {
            let records = inbox
            inbox = []
            var grouped: [TopicPartition: [Record]] = [:]
            for record in records {
                grouped[TopicPartition(record.topic, record.partition), default: []].append(record)
                if let key = record.key, let time = Self.causeTime(of: record) {
                    work.origins[CanonicalID(String(decoding: key, as: UTF8.self))] = time
                }
            }
            work.records = grouped.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            // What replies decide may make other targets ready.
            if !work.replies.isEmpty { needsResume = true }
            if lanes.count < laneLimit, needsResume || wake.map({ $0 <= now }) ?? false {
                work.resumes = true
                work.afterStart = isFresh
                needsResume = false
                wake = nil
            }
        }
        if work.replies.isEmpty && work.records.isEmpty && !work.resumes { return nil }
        work.busy = Set(lanes.keys)
        return work
    }

    private static func causeTime(of record: Record) -> Int64? {
        record.header(CanonicalRecord.causeTimeHeader).flatMap { Int64($0) } ?? record.timestamp
    }

    mutating func decided(_ decided: Decided, origins: [CanonicalID: Int64]) {
        for id in decided.rested { lanes[id] = nil }
        for call in decided.calls where lanes[call.target.id] == nil { lanes[call.target.id] = origins[call.target.id] ?? 0 }
        queue.append(contentsOf: decided.calls)
        offsets.merge(decided.offsets) { _, new in new }
        wake = decided.wake
        if decided.hasMore { needsResume = true }
        // More than fits may have been under way at the end: it is all looked at before that is over.
        if decided.afterStart && !decided.hasMore { isFresh = false }
    }

    /// How long nothing has to be done unless something comes.
    func untilNext(now: Instant) -> Duration {
        let times = [acceptsWork ? wake : nil, breaker.probeDue].compactMap { $0 }
        return times.min().map { $0 - now } ?? .milliseconds(1000)
    }

    // MARK: Sending

    /// A driver call: deliveries together, or questions of one kind.
    enum Batch: Sendable {
        case lookUp([DeliveryCall])
        case read([DeliveryCall])
        case apply([DeliveryCall])

        var calls: [DeliveryCall] {
            switch self {
            case .lookUp(let calls), .read(let calls), .apply(let calls): calls
            }
        }
    }

    /// The next driver call; nil where nothing waits, or the application bears no more just now.
    mutating func nextBatch(now: Instant) -> Batch? {
        guard running + questions.admitted < limits.concurrentCalls, let first = queue.first, breaker.isClosed else { return nil }
        guard spendsCall(now: now) else {
            if let oldest = recentCalls.first { wake = min(wake ?? oldest + .seconds(60), oldest + .seconds(60)) }
            return nil
        }
        let kind = Self.kind(first)
        var taken: [DeliveryCall] = []
        var left: [DeliveryCall] = []
        for call in queue {
            if taken.count < max(1, limits.batch), Self.kind(call) == kind { taken.append(call) } else { left.append(call) }
        }
        queue = left
        running += 1
        return switch first.kind {
        case .lookUp: .lookUp(taken)
        case .read: .read(taken)
        case .apply: .apply(taken)
        }
    }

    /// Takes one call of those that the application bears in a minute; false where none is left.
    mutating func spendsCall(now: Instant) -> Bool {
        guard let perMinute = limits.callsPerMinute else { return true }
        recentCalls.removeAll { now - $0 > .seconds(60) }
        guard recentCalls.count < perMinute else { return false }
        recentCalls.append(now)
        return true
    }

    private static func kind(_ call: DeliveryCall) -> Int {
        switch call.kind {
        case .lookUp: 0
        case .read: 1
        case .apply: 2
        }
    }

    mutating func ended(_ replies: [(DeliveryCall, DeliveryReply)]) {
        running -= 1
        self.replies.append(contentsOf: replies)
    }

    /// Calls decided that cannot be sent while the application is unreachable: they had no effect.
    mutating func refuseQueued() {
        replies.append(contentsOf: queue.map { ($0, .unreachable) })
        queue = []
        needsResume = true
    }

    func origin(_ id: CanonicalID) -> Int64? { lanes[id].flatMap { $0 > 0 ? $0 : nil } }

    /// Prepares for the end: calls not yet sent have no effect; true when nothing is under way.
    mutating func stop(now: Instant) -> Bool {
        if !queue.isEmpty { refuseQueued() }
        return running == 0 && replies.isEmpty
    }
}

/// What one transaction of a delivery engine decided.
struct Decided: Sendable {
    var calls: [DeliveryCall] = []
    var rested: [CanonicalID] = []
    var offsets: [TopicPartition: Int64] = [:]
    var wake: Instant?
    var hasMore = false
    var afterStart = false
}
