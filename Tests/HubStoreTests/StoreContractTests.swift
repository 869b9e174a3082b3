import HubModel
import HubStore
import Synchronization
import Testing

/// What every kind of store promises: transactions, golden records, positions.
@Suite struct StoreContractTests {
    // MARK: Transactions

    @Test(arguments: StoreKind.all) func aBodyThatThrowsLeavesNothing(_ kind: StoreKind) throws {
        try kind.run { store in
            try store.write { (tx) throws in
                try tx.put(golden("customer-1-1"))
                try tx.putNote("before", "n")
                try tx.count(.accepted, topic: "t", by: 1)
                try tx.append(outboxRow("first"))
                try tx.append(event(.init(crm, customer, "W"), .turn))
            }
            let error = storeError {
                try store.write { (tx) throws in
                    try tx.put(golden("customer-1-1", number: 2, name: "Bob"))
                    try tx.put(golden("customer-1-2"))
                    _ = try tx.newID(customer)
                    try tx.put(intentState(sent: 5), Target(crm, "customer-1-1"), customer)
                    try tx.putLink(.init(crm, customer, "A"), "customer-1-1")
                    try tx.putMatch(customer, "mail", "a@b", "customer-1-1")
                    try tx.append(event(.init(crm, customer, "X"), .turn))
                    try tx.removeWaiting(1)
                    try tx.append(outboxRow("second"))
                    try tx.clearOutbox(through: 1)
                    _ = try tx.append(DeadLetter(application: crm, code: "c", reason: "r", time: at(1)))
                    try tx.append(Alarm(code: "c", application: nil, document: nil, text: "t", time: at(1)))
                    try tx.append(
                        Conflict(
                            document: "customer-1-1", field: "f", application: crm, refused: 1, kept: nil, winner: nil, rule: "owner",
                            event: "", time: at(1)))
                    try tx.count(.accepted, topic: "t", by: 7)
                    try tx.count(.written, application: crm, by: 7)
                    try tx.putOffset(5, "g", TopicPartition("t", 0))
                    _ = try tx.raiseEpoch("g", TopicPartition("t", 0))
                    _ = try tx.raiseGeneration()
                    try tx.putNote("after", "n")
                    try tx.putCatchUp(CatchUp(entities: [customer]), crm)
                    throw GivenUp(number: 4)
                }
            }
            #expect(error?.code == .body)
            #expect(error?.cause as? GivenUp == GivenUp(number: 4))
            try store.write { (tx) throws in
                #expect(try tx.golden("customer-1-1") == golden("customer-1-1"))
                #expect(try tx.golden("customer-1-2") == nil)
                #expect(try tx.newID(customer) == "customer-1-1")
                #expect(try tx.target(Target(crm, "customer-1-1")) == TargetState())
                #expect(try !tx.hasIntents(crm, customer, sentBy: at(100)))
                #expect(try tx.link(.init(crm, customer, "A")) == nil)
                #expect(try tx.matches(customer, "mail", "a@b") == [])
                #expect(try !tx.isWaiting(.init(crm, customer, "X")))
                #expect(try tx.isWaiting(.init(crm, customer, "W")))
                #expect(try tx.outbox(after: 0, limit: 10).map { $0.record.value } == [Array("first".utf8)])
                #expect(try tx.deadLetters(after: 0, limit: 10, includeReplayed: true) == [])
                #expect(try tx.alarms(after: 0, limit: 10) == [])
                #expect(try tx.conflicts(after: 0, limit: 10) == [])
                #expect(try tx.eventEnds().map(\.count) == [1])
                #expect(try tx.outcomeCounts().isEmpty)
                #expect(try tx.goldenCounts().map(\.live) == [1])
                #expect(try tx.offset("g", TopicPartition("t", 0)) == nil)
                try tx.check(epoch: 0, "g", TopicPartition("t", 0))
                #expect(try tx.generation() == 1)
                #expect(try tx.note("n") == "before")
                #expect(try tx.catchUp(crm) == nil)
            }
        }
    }

    @Test(arguments: StoreKind.all) func storeErrorsOfABodyKeepTheirCode(_ kind: StoreKind) throws {
        try kind.run { store in
            let error = storeError { try store.write { _ in throw StoreError(.fenced, "mine") } }
            #expect(error?.code == .fenced)
            #expect(error?.message == "mine")
        }
    }

    @Test(arguments: StoreKind.all) func transactionsSeeTheirOwnWritesAndRunInOrder(_ kind: StoreKind) throws {
        try kind.run { store in
            let answers = Mutex<[String]>([])
            for number in 1...300 {
                store.submit { tx in
                    let before = try tx.golden("customer-1-1")?.version.number ?? 0
                    #expect(before == number - 1)
                    try tx.put(golden("customer-1-1", number: number))
                    #expect(try tx.golden("customer-1-1")?.version.number == number)
                    return "\(number)"
                } completion: { result in
                    answers.withLock { $0.append((try? result.get()) ?? "failed") }
                }
            }
            try store.write { (tx) throws in #expect(try tx.golden("customer-1-1")?.version.number == 300) }
            #expect(answers.withLock { $0 } == (1...300).map { "\($0)" })
        }
    }

    @Test(arguments: StoreKind.all) func aFailedBodyAmongOthersFailsAlone(_ kind: StoreKind) throws {
        try kind.run { store in
            let failures = Mutex<[Int]>([])
            for number in 1...100 {
                store.submit { tx in
                    try tx.append(outboxRow("\(number)"))
                    try tx.count(.accepted, topic: "t", by: 1)
                    try tx.put(golden(CanonicalID("customer-1-\(number % 5)"), number: number))
                    if number % 7 == 0 { throw GivenUp(number: number) }
                } completion: { result in
                    if case .failure(let error) = result { failures.withLock { $0.append((error.cause as? GivenUp)?.number ?? -1) } }
                }
            }
            try store.write { (tx) throws in
                let rows = try tx.outbox(after: 0, limit: 1000)
                let kept = (1...100).filter { $0 % 7 != 0 }
                #expect(rows.map { $0.record.value ?? [] } == kept.map { Array("\($0)".utf8) })
                #expect(rows.map(\.sequence) == rows.map(\.sequence).sorted())
                #expect(try tx.eventEnds().map(\.count) == [kept.count])
                for rest in 0..<5 {
                    let last = kept.last { $0 % 5 == rest }
                    #expect(try tx.golden(CanonicalID("customer-1-\(rest)"))?.version.number == last)
                }
            }
            #expect(failures.withLock { $0 } == Array(stride(from: 7, through: 98, by: 7)))
        }
    }

    @Test(arguments: StoreKind.all) func performWaitsWithoutBlocking(_ kind: StoreKind) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let store = try kind.make(folder)
        let sum = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<20 {
                group.addTask {
                    try await store.perform { tx in
                        Int(try tx.append(DeadLetter(application: nil, code: "\(number)", reason: "", time: at(0))))
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(sum == 210)
        store.close()
    }

    @Test(arguments: StoreKind.all) func closingDrainsAndThenRefuses(_ kind: StoreKind) throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let store = try kind.make(folder)
        let ends = Mutex(0)
        for _ in 0..<50 {
            store.submit { tx in
                try tx.append(outboxRow("x"))
            } completion: { result in
                if case .success = result { ends.withLock { $0 += 1 } }
            }
        }
        store.close()
        #expect(ends.withLock { $0 } == 50)
        let error = storeError { try store.write { _ in } }
        #expect(error?.code == .closed)
        store.close()
    }

    // MARK: Golden records

    @Test(arguments: StoreKind.all) func goldenRecordsAreKeptPagedAndCounted(_ kind: StoreKind) throws {
        try kind.run { store in
            try store.write { (tx) throws in
                for number in 1...30 {
                    try tx.put(golden(CanonicalID("customer-1-\(number)"), number: number, isDeleted: number % 10 == 0))
                }
                try tx.put(golden("order-1-1", order))
                try tx.put(golden("customer-1-10", number: 40, isDeleted: false))
                try tx.put(golden("customer-1-11", number: 41, isDeleted: true))
            }
            try store.write { (tx) throws in
                var paged: [CanonicalID] = []
                while true {
                    let page = try tx.goldenRecords(customer, after: paged.last, limit: 7)
                    if page.isEmpty { break }
                    paged += page.map(\.id)
                }
                #expect(paged == (1...30).map { CanonicalID("customer-1-\($0)") }.sorted())
                #expect(try tx.goldenRecords(customer, after: nil, limit: 0).isEmpty)
                #expect(try tx.goldenRecords("nothing", after: nil, limit: 5).isEmpty)
                let counts = try tx.goldenCounts()
                #expect(counts.map(\.entity) == [customer, order])
                #expect(counts.map(\.live) == [27, 1])
                #expect(counts.map(\.deleted) == [3, 0])
            }
        }
    }

    @Test(arguments: StoreKind.all) func idsAreNeverGivenTwice(_ kind: StoreKind) throws {
        try kind.run { store in
            let ids = try store.write { (tx) throws in
                var ids: [CanonicalID] = []
                for _ in 0..<3 { ids.append(try tx.newID(customer)) }
                ids.append(try tx.newID(order))
                #expect(try tx.raiseGeneration() == 2 && tx.raiseGeneration(past: 1) == 3)
                #expect(try tx.raiseGeneration(past: 1_795_263_355) == 1_795_263_356 && tx.generation() == 1_795_263_356)
                for _ in 0..<2 { ids.append(try tx.newID(customer)) }
                return ids
            }
            #expect(Set(ids).count == ids.count)
            #expect(ids.prefix(4) == ["customer-1-1", "customer-1-2", "customer-1-3", "order-1-1"])
            #expect(ids[4].rawValue.hasPrefix("customer-1795263356-"))
            try store.write { (tx) throws in
                #expect(try tx.generation() == 1_795_263_356)
                #expect(try !ids.contains(tx.newID(customer)))
            }
        }
    }

    @Test(arguments: StoreKind.all) func matchesFollowTheTextLastSet(_ kind: StoreKind) throws {
        try kind.run { store in
            try store.write { (tx) throws in
                try tx.putMatch(customer, "mail", "a@x", "customer-1-2")
                try tx.putMatch(customer, "mail", "a@x", "customer-1-1")
                try tx.putMatch(customer, "phone", "a@x", "customer-1-3")
                try tx.putMatch(order, "mail", "a@x", "order-1-1")
                try tx.putMatch(customer, "mail", "é", "customer-1-4")
                try tx.putMatch(customer, "mail", "e\u{301}", "customer-1-5")
                #expect(try tx.matches(customer, "mail", "a@x") == ["customer-1-1", "customer-1-2"])
                #expect(try tx.matches(customer, "mail", "é") == ["customer-1-4"])
            }
            try store.write { (tx) throws in
                try tx.putMatch(customer, "mail", "b@x", "customer-1-1")
                try tx.putMatch(customer, "mail", nil, "customer-1-2")
                try tx.putMatch(customer, "mail", nil, "customer-1-9")
            }
            try store.write { (tx) throws in
                #expect(try tx.matches(customer, "mail", "a@x") == [])
                #expect(try tx.matches(customer, "mail", "b@x") == ["customer-1-1"])
                #expect(try tx.matches(customer, "phone", "a@x") == ["customer-1-3"])
                #expect(try tx.matches(order, "mail", "a@x") == ["order-1-1"])
            }
        }
    }

    // MARK: Positions and fences

    @Test(arguments: StoreKind.all) func anOldEpochIsRefusedAndNothingOfItKept(_ kind: StoreKind) throws {
        try kind.run { store in
            let partition = TopicPartition("crm.customer", 2)
            let (first, second) = try store.write { (tx) throws in
                (try tx.raiseEpoch("mediation", partition), try tx.raiseEpoch("mediation", partition))
            }
            #expect(second > first)
            let error = storeError {
                try store.write { (tx) throws in
                    try tx.put(golden("customer-1-1"))
                    try tx.check(epoch: first, "mediation", partition)
                }
            }
            #expect(error?.code == .fenced)
            // Not even where the body makes light of it.
            let ignored = storeError {
                try store.write { (tx) throws in
                    try tx.put(golden("customer-1-1"))
                    try? tx.check(epoch: first, "mediation", partition)
                }
            }
            #expect(ignored?.code == .fenced)
            try store.write { (tx) throws in
                try tx.check(epoch: second, "mediation", partition)
                try tx.check(epoch: 0, "other", partition)
                #expect(try tx.golden("customer-1-1") == nil)
            }
        }
    }

    @Test(arguments: StoreKind.all) func offsetsStandByGroupAndPartition(_ kind: StoreKind) throws {
        try kind.run { store in
            try store.write { (tx) throws in
                try tx.putOffset(5, "a", TopicPartition("t", 0))
                try tx.putOffset(6, "a", TopicPartition("t", 1))
                try tx.putOffset(7, "b", TopicPartition("t", 0))
                _ = try tx.raiseEpoch("a", TopicPartition("t", 0))
                try tx.putOffset(8, "a", TopicPartition("t", 0))
                _ = try tx.raiseEpoch("c", TopicPartition("t", 0))
            }
            try store.write { (tx) throws in
                #expect(try tx.offset("a", TopicPartition("t", 0)) == 8)
                #expect(try tx.offset("a", TopicPartition("t", 1)) == 6)
                #expect(try tx.offset("b", TopicPartition("t", 0)) == 7)
                #expect(try tx.offset("c", TopicPartition("t", 0)) == nil)
                try tx.check(epoch: 1, "a", TopicPartition("t", 0))
            }
        }
    }

    @Test(arguments: StoreKind.all) func notesAndCatchUps(_ kind: StoreKind) throws {
        try kind.run { store in
            try store.write { (tx) throws in
                #expect(try tx.note("store-id")?.isEmpty == false)
                try tx.putNote("1", "pause/erp")
                try tx.putNote("2", "pause/crm")
                try tx.putNote("", "pause")
                try tx.putNote("x", "pausf")
                try tx.putCatchUp(CatchUp(entities: [customer, order], after: "customer-1-9"), crm)
                try tx.putCatchUp(CatchUp(entities: []), erp)
            }
            try store.write { (tx) throws in
                #expect(try tx.notes("pause").map(\.name) == ["pause", "pause/crm", "pause/erp"])
                #expect(try tx.notes("pause/").map(\.text) == ["2", "1"])
                #expect(try tx.note("pause") == "")
                #expect(try tx.catchUp(crm) == CatchUp(entities: [customer, order], after: "customer-1-9"))
                #expect(try tx.catchUp(erp) == CatchUp(entities: []))
                try tx.putNote(nil, "pause/crm")
                try tx.putCatchUp(nil, crm)
                #expect(try tx.note("pause/crm") == nil)
                #expect(try tx.notes("pause/").map(\.name) == ["pause/erp"])
                #expect(try tx.catchUp(crm) == nil)
            }
        }
    }
}
