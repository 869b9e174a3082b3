import Foundation
import HubModel
import Synchronization
import Testing

@testable import HubStore

/// Seeded random transactions on a memory store and on an SQLite store with hardly any cache: after each, both answer every question alike.
/// Bodies fail at random, several share a commit, the disk runs full, and the SQLite store is closed and opened in between.
@Suite struct StoreEquivalenceTests {
    @Test(arguments: 1...40) func bothStoresAnswerAlike(_ seed: UInt64) throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        var random = Seeded(seed)
        var options = SQLiteOptions.tiny
        options.limits.queueLength = 64
        options.limits.cachedGoldenRecords = Int(random.below(5)) + 1
        options.limits.cachedTargets = Int(random.below(5)) + 1
        options.limits.outboxRowsInMemory = Int(random.below(6)) + 1
        options.limits.transactionsPerCommit = Int(random.below(6)) + 1
        let memory = MemoryStore(storeID: "same")
        var sqlite = try SQLiteStore(path: folder.path("hub.db"), options: options)
        defer { sqlite.close() }
        try sqlite.write { tx in try tx.putNote("same", "store-id") }

        for _ in 0..<40 {
            // Some transactions together, so that they share commits and fail beside others.
            let group = (0..<random.below(6) + 1).map { _ in RandomTransaction(&random) }
            let expected = group.map { transaction in Result { () throws(StoreError) in try memory.write(transaction.run) } }
            let answers = Mutex<[Result<[String], StoreError>]>([])
            for transaction in group {
                sqlite.submit(transaction.run) { result in answers.withLock { $0.append(result) } }
            }
            let found = try sqlite.write(everything)
            for (ours, theirs) in zip(expected, answers.withLock { $0 }) {
                switch (ours, theirs) {
                case (.success(let a), .success(let b)): #expect(a == b)
                case (.failure(let a), .failure(let b)): #expect(a.code == b.code)
                default: Issue.record("seed \(seed): \(ours) here, \(theirs) there")
                }
            }
            let wanted = try memory.write(everything)
            try #require(wanted == found, "seed \(seed): \(difference(wanted, found))")
            if random.below(8) == 0 {
                sqlite.close()
                sqlite = try SQLiteStore(path: folder.path("hub.db"), options: options)
                let again = try sqlite.write(everything)
                try #require(wanted == again, "seed \(seed), opened again: \(difference(wanted, again))")
            }
        }
    }

    /// Commits fail as a whole: what was in memory has to go with them.
    @Test(arguments: 1...10) func aLostCommitLeavesNoTraceInMemory(_ seed: UInt64) throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        var random = Seeded(seed &+ 1000)
        var options = SQLiteOptions()
        options.maxPages = 48
        let sqlite = try SQLiteStore(path: folder.path("hub.db"), options: options)
        let memory = MemoryStore(storeID: "same")
        defer { sqlite.close() }
        try sqlite.write { tx in try tx.putNote("same", "store-id") }
        var failed = 0
        for round in 0..<60 {
            let padding = random.below(4) == 0 ? String(repeating: "x", count: 20_000 + Int(random.below(60_000))) : ""
            let transaction = RandomTransaction(&random)
            let run: @Sendable (any StoreTransaction) throws -> [String] = { tx in
                let answers = try transaction.run(tx)
                try tx.putNote(padding, "padding\(round % 12)")
                return answers
            }
            let result = Result { () throws(StoreError) in try sqlite.write(run) }
            switch result {
            case .success(let answers): #expect(try memory.write(run) == answers)
            case .failure(let error):
                // The other is asked only where the body itself gave up; a full disk is this one's own.
                if error.code == .full { failed += 1 } else { #expect(storeError { _ = try memory.write(run) }?.code == error.code) }
            }
            let (wanted, found) = (try memory.write(everything), try sqlite.write(everything))
            try #require(wanted == found, "seed \(seed), round \(round): \(difference(wanted, found))")
        }
        print("seed \(seed): \(failed) of 60 transactions met a full disk")
    }

    private func difference(_ a: [String], _ b: [String]) -> String {
        "memory \(a.filter { !b.contains($0) }.prefix(5)), SQLite \(b.filter { !a.contains($0) }.prefix(5))"
    }
}

/// A small generator that gives the same numbers for the same seed everywhere (SplitMix64).
struct Seeded {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: UInt64) -> UInt64 { next() % bound }
    mutating func one<T>(of choices: [T]) -> T { choices[Int(below(UInt64(choices.count)))] }
}

private let ids: [CanonicalID] = (1...7).map { CanonicalID("c-\($0)") }
private let applications = [crm, erp]
private let companies: [CompanyID] = [.shared, "fr"]
private let entities = [customer, order]
private let keys: [NativeKey] = ["A", "B", "é", "e\u{301}", "\0"]
private let texts = ["", "x", "é", "e\u{301}", "a\0b", "\"}"]

/// A few random steps, chosen beforehand so that both stores do the very same; gives what its reads saw.
struct RandomTransaction: Sendable {
    private let seed: UInt64

    init(_ random: inout Seeded) { seed = random.next() }

    var run: @Sendable (any StoreTransaction) throws -> [String] {
        { [seed] tx in
            var random = Seeded(seed)
            var seen: [String] = []
            for _ in 0..<random.below(9) + 1 { try step(tx, &random, &seen) }
            if random.below(4) == 0 { throw GivenUp() }
            return seen
        }
    }
}

private func reference(_ random: inout Seeded) -> NativeReference {
    NativeReference(random.one(of: applications), random.one(of: companies), random.one(of: entities), random.one(of: keys))
}

private func target(_ random: inout Seeded) -> Target {
    Target(random.one(of: applications), random.one(of: companies), random.one(of: ids))
}

private func awaited(_ random: inout Seeded) -> WaitingEvent.Awaited {
    switch random.below(3) {
    case 0: .turn
    case 1: .link(reference(&random))
    default: .intents(random.one(of: applications), random.one(of: entities))
    }
}

private func change(_ state: inout TargetState, _ random: inout Seeded) {
    switch random.below(7) {
    case 0:
        state.wait = .init(
            random.one(of: TargetState.Wait.Reason.allCases), awaits: random.below(2) == 0 ? random.one(of: ids) : nil,
            until: random.below(2) == 0 ? at(Int64(random.below(9))) : nil, since: at(Int64(random.below(9))))
    case 1: state.wait = nil
    case 2: state.written = [.init(id: 1, fields: ["f": 1], isCreate: true, sent: at(Int64(random.below(9))))]
    case 3: state.key = random.below(3) == 0 ? nil : random.one(of: keys)
    case 4: state.leftOut[random.one(of: ["p", "q"])] = random.below(3) == 0 ? nil : random.one(of: ids)
    case 5:
        let refused = TargetState.RejectedWrite(rejection: Rejection(rule: "r", text: ""), fields: [:], since: at(Int64(random.below(9))))
        state.rejected = random.below(3) == 0 ? nil : refused
    default: state.attempts += 1
    }
}

private func step(_ tx: any StoreTransaction, _ random: inout Seeded, _ seen: inout [String]) throws {
    let (application, entity, id) = (random.one(of: applications), random.one(of: entities), random.one(of: ids))
    let partition = TopicPartition("t", Int32(random.below(2)))
    let number = Int64(random.below(20))
    switch random.below(26) {
    case 0, 1:
        let old = try tx.golden(id)
        seen.append("\(id) \(old.map { "\($0.version)" } ?? "none")")
        try tx.put(
            GoldenRecord(
                id: id, entity: random.below(9) == 0 ? entity : old?.entity ?? entity,
                version: Version(generation: 1, number: (old?.version.number ?? 0) + 1), isDeleted: random.below(3) == 0,
                fields: ["n": .string(random.one(of: texts))]))
    case 2: seen.append("\(try tx.newID(entity))")
    case 3: try tx.putMatch(entity, "mail", random.below(3) == 0 ? nil : random.one(of: texts), id)
    case 4, 5, 6, 7:
        let target = target(&random)
        var state = try tx.target(target)
        for _ in 0...random.below(3) { change(&state, &random) }
        try tx.put(state, target, random.below(9) == 0 ? order : customer)
    case 8, 9: try tx.putLink(reference(&random), id)
    case 10, 11, 12: try tx.append(event(reference(&random), awaited(&random), since: Int64(random.below(9)), value: "\(number)"))
    case 13: if let event = try tx.waitingEvents(after: number, limit: 1).first { try tx.removeWaiting(event.sequence) }
    case 14:
        if var event = try tx.releasable(limit: 1).first ?? tx.waitingEvents(after: number, limit: 1).first {
            event.awaits = awaited(&random)
            event.since = at(Int64(random.below(9)))
            try tx.update(event)
        }
    case 15: for event in try tx.releasable(limit: 2) { try tx.removeWaiting(event.sequence) }
    case 16, 17: for _ in 0..<random.below(4) { try tx.append(outboxRow("\(random.below(99))")) }
    case 18:
        let rows = try tx.outbox(after: number, limit: 3)
        seen.append("\(rows)")
        if let row = rows.first { try tx.clearOutbox(through: row.sequence) }
    case 19:
        let letter = try tx.append(
            DeadLetter(
                application: application, target: random.below(2) == 0 ? nil : target(&random), code: "c", reason: random.one(of: texts),
                time: at(1)))
        seen.append("letter \(letter)")
        try tx.markReplayed(number, at: at(3))
    case 20:
        if random.below(3) == 0 {
            try tx.clearAlarms("a", of: application, except: random.below(2) == 0 ? [] : [random.one(of: texts), random.one(of: texts)])
        }
        try tx.append(
            Alarm(
                code: "a", application: random.below(2) == 0 ? nil : application, document: random.below(2) == 0 ? nil : id,
                text: random.one(of: texts), time: at(number)))
        try tx.append(
            Conflict(
                document: id, field: "f", application: application, refused: .string(random.one(of: texts)), kept: nil, winner: nil,
                rule: "owner", event: "", time: at(number)))
    case 21:
        try tx.count(random.one(of: EventEnd.allCases), topic: random.one(of: texts), by: Int(number))
        try tx.count(random.one(of: OutcomeKind.allCases), application: application, by: 1)
    case 22: try tx.putOffset(number, "g", partition)
    case 23: seen.append("epoch \(try tx.raiseEpoch("g", partition))")
    case 24: try tx.check(epoch: number % 5, "g", partition)
    default:
        try tx.putNote(random.below(3) == 0 ? nil : random.one(of: texts), "n" + random.one(of: texts))
        try tx.putCatchUp(random.below(3) == 0 ? nil : CatchUp(entities: [entity], after: id), application)
        if random.below(9) == 0 { seen.append("generation \(try tx.raiseGeneration())") }
    }
}

/// Every answer that the store can give about what the steps touch.
@Sendable func everything(_ tx: any StoreTransaction) throws -> [String] {
    var all: [String] = []
    func add(_ name: String, _ value: Any) { all.append("\(name): \(value)") }
    for id in ids { add("golden \(id)", try tx.golden(id).map { "\($0)" } ?? "none") }
    for entity in entities {
        add("records \(entity)", try tx.goldenRecords(entity, after: nil, limit: 99).map(\.id))
        add("records \(entity) from", try tx.goldenRecords(entity, after: ids[2], limit: 2).map(\.version))
        for text in texts { add("match \(entity) \(Array(text.utf8))", try tx.matches(entity, "mail", text)) }
    }
    for application in applications {
        for company in companies {
            for id in ids {
                let state = try tx.target(Target(application, company, id))
                add(
                    "\(application) \(company) \(id)",
                    "\(state.key as Any) \(state.wait as Any) \(state.written) \(state.attempts) \(state.leftOut.sorted { $0.key < $1.key })"
                )
            }
            for entity in entities {
                for key in keys {
                    let reference = NativeReference(application, company, entity, key)
                    let name = "\(application) \(company) \(entity) \(Array(key.rawValue.utf8))"
                    add("link \(name)", try tx.link(reference) ?? "none")
                    add("waiting \(name)", "\(try tx.isWaiting(reference)) \(try tx.nextWaiting(reference).map { "\($0)" } ?? "none")")
                }
            }
        }
        for reason in TargetState.Wait.Reason.allCases {
            for until in [nil, at(4)] {
                add("\(application) \(reason) \(until as Any)", try tx.waiting(application, [reason], until: until, limit: 9).map(\.target))
            }
        }
        add("\(application) all", try tx.waiting(application, Set(TargetState.Wait.Reason.allCases), until: at(6), limit: 5).map(\.target))
        let refused = try tx.rejections(application, after: nil, limit: 9)
        add("\(application) refused", refused.map { "\($0.target) \($0.state.rejected as Any)" })
        add(
            "\(application) refused from",
            try tx.rejections(application, after: Target(crm, companies[0], ids[1]), limit: 2).map(\.target))
        add("\(application) counts", try tx.waitCounts(application))
        add("\(application) wake", try tx.nextWake(application).map { "\($0)" } ?? "never")
        for id in ids { add("\(application) for \(id)", "\(try tx.awaiting(application, id)) \(try tx.leavingOut(application, id))") }
        for entity in entities {
            add("\(application) intents \(entity)", try (0..<9).map { try tx.hasIntents(application, entity, sentBy: at($0)) })
        }
        add("\(application) links", try tx.links(application: application, entity: customer, after: nil, limit: 9))
        add("\(application) catch-up", try tx.catchUp(application).map { "\($0)" } ?? "none")
    }
    add("links", try tx.links(application: nil, entity: nil, after: NativeReference(crm, "fr", customer, "A"), limit: 9))
    add("events", try tx.waitingEvents(after: 0, limit: 999))
    add("releasable", try tx.releasable(limit: 999))
    add("outbox", try tx.outbox(after: 0, limit: 999))
    add("outbox end", try tx.outbox(after: 20, limit: 3))
    add("letters", try tx.deadLetters(after: 2, limit: 999, includeReplayed: true))
    add("open letters", try tx.deadLetters(after: 0, limit: 999, includeReplayed: false))
    add("conflicts", try tx.conflicts(after: 0, limit: 999))
    add("alarms", try tx.alarms(after: 0, limit: 999))
    add("ends", try tx.eventEnds())
    add("outcomes", try tx.outcomeCounts())
    add("counts", try tx.goldenCounts())
    for partition: Int32 in 0..<2 { add("offset \(partition)", try tx.offset("g", TopicPartition("t", partition)) ?? -1) }
    add("generation", try tx.generation())
    add("notes", try tx.notes("n"))
    return all
}
