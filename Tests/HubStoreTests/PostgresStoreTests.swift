import Foundation
import HubModel
import PostgresClient
import Synchronization
import Testing

@testable import HubStore

/// What only the store on PostgreSQL has: several stores on the same tables, a server that goes away.
@Suite(.enabled(if: PostgresServer.connection != nil, "MULTIPOINT_POSTGRES names no server")) struct PostgresStoreTests {
    private func run(_ test: (PostgresStore, TemporaryFolder) throws -> Void) throws {
        let folder = try TemporaryFolder()
        defer {
            PostgresServer.drop(folder)
            folder.remove()
        }
        let store = try PostgresServer.make(folder) { $0.reconnectTime = .seconds(5) }
        defer { store.close() }
        try test(store, folder)
    }

    /// Ends every connection of the test's stores.
    private func cutOff(_ folder: TemporaryFolder) throws {
        try PostgresServer.script(
            """
            SELECT pg_terminate_backend(l.pid) FROM pg_stat_activity l
            WHERE l.application_name = '\(PostgresServer.schema(folder))' AND l.pid <> pg_backend_pid()
            """)
    }

    @Test func twoStoresTakeTurnsAndSeeEachOther() throws {
        try run { first, folder in
            let second = try PostgresServer.make(folder) { _ in }
            defer { second.close() }
            for round in 1...20 {
                let (writer, reader) = round % 2 == 0 ? (first, second) : (second, first)
                let id = try writer.write { (tx) throws in
                    let id = try tx.newID(customer)
                    try tx.put(golden(id, number: round, name: "n\(round)"))
                    try tx.putLink(.init(crm, customer, NativeKey("k\(round)")), id)
                    try tx.append(outboxRow("r\(round)"))
                    try tx.count(.accepted, topic: "t", by: 1)
                    return id
                }
                #expect(id == CanonicalID("customer-1-\(round)"))
                try reader.write { (tx) throws in
                    #expect(try tx.golden(id)?.fields["name"] == .string("n\(round)"))
                    #expect(try tx.link(.init(crm, customer, NativeKey("k\(round)"))) == id)
                    #expect(try tx.outbox(after: 0, limit: 100).map(\.sequence) == (1...round).map { Int64($0) })
                    #expect(try tx.eventEnds().first?.count == round)
                }
            }
        }
    }

    @Test func manyWritersAtOnceLoseNothing() throws {
        try run { first, folder in
            let second = try PostgresServer.make(folder) { _ in }
            defer { second.close() }
            let failures = Mutex<[StoreError]>([])
            let group = DispatchGroup()
            for number in 0..<200 {
                group.enter()
                (number % 2 == 0 ? first : second).submit { (tx) throws in
                    let state = try tx.target(Target(crm, "customer-1-1"))
                    var changed = state
                    changed.attempts += 1
                    try tx.put(changed, Target(crm, "customer-1-1"), customer)
                } completion: { result in
                    if case .failure(let error) = result { failures.withLock { $0.append(error) } }
                    group.leave()
                }
            }
            group.wait()
            #expect(failures.withLock { $0.map(\.message) } == [])
            #expect(try first.write { (tx) throws in try tx.target(Target(crm, "customer-1-1")).attempts } == 200)
        }
    }

    @Test func anOlderHolderIsFencedAcrossStores() throws {
        try run { first, folder in
            let second = try PostgresServer.make(folder) { _ in }
            defer { second.close() }
            let partition = TopicPartition("crm.customer", 0)
            let old = try first.write { (tx) throws in try tx.raiseEpoch("g", partition) }
            try first.write { (tx) throws in try tx.check(epoch: old, "g", partition) }
            let new = try second.write { (tx) throws in try tx.raiseEpoch("g", partition) }
            #expect(new == old + 1)
            let error = storeError {
                try first.write { (tx) throws in
                    try tx.check(epoch: old, "g", partition)
                    try tx.putOffset(99, "g", partition)
                }
            }
            #expect(error?.code == .fenced)
            #expect(try second.write { (tx) throws in try tx.offset("g", partition) } == nil)
        }
    }

    @Test func aServerThatEndsTheConnectionIsFoundAgain() throws {
        try run { store, folder in
            try store.write { (tx) throws in try tx.putNote("one", "a") }
            try cutOff(folder)
            try store.write { (tx) throws in try tx.putNote("two", "b") }
            // In the middle of a transaction: that one fails, and leaves nothing.
            let error = storeError {
                try store.write { (tx) throws in
                    try tx.putNote("three", "c")
                    try cutOff(folder)
                    _ = try tx.note("a")
                }
            }
            #expect(error?.code == .failed)
            try store.write { (tx) throws in
                #expect(try tx.note("a") == "one")
                #expect(try tx.note("b") == "two")
                #expect(try tx.note("c") == nil)
            }
        }
    }

    @Test func aFailedStatementTakesNoOtherBodyWithIt() throws {
        try run { store, _ in
            let results = Mutex<[Bool]>([])
            let group = DispatchGroup()
            // A key longer than an index entry can be is refused by the server, when the pipeline is looked at.
            let key = String((0..<20_000).map { _ in Character(Unicode.Scalar(UInt8.random(in: 97...122))) })
            for number in 0..<9 {
                group.enter()
                store.submit { (tx) throws in
                    let long = number == 4 ? NativeKey(key) : NativeKey("k\(number)")
                    try tx.putLink(.init(crm, customer, long), "customer-1-1")
                } completion: { result in
                    let isKept = if case .success = result { true } else { false }
                    results.withLock { $0.append(isKept) }
                    group.leave()
                }
            }
            group.wait()
            #expect(results.withLock { $0 } == (0..<9).map { $0 != 4 })
            let links = try store.write { (tx) throws in try tx.links(application: crm, entity: nil, after: nil, limit: 99) }
            #expect(links.count == 8)
        }
    }

    @Test func textOfAnyCharactersKeepsItsOrder() throws {
        try run { store, _ in
            let keys = ["", "\u{0}", "\u{0}a", "\u{1}", "\u{1}\u{0}", "\u{2}", "a", "a\u{0}", "a\u{1}b", "aé", "b\\x41", "ä"]
            for key in keys { #expect(key.escaped.unescaped.hasSameBytes(as: key)) }
            #expect(keys.sorted { $0.escaped.precedesInBytes($1.escaped) } == keys.sorted { $0.precedesInBytes($1) })
            try store.write { (tx) throws in
                for key in keys { try tx.putLink(.init(crm, customer, NativeKey(key)), CanonicalID("id" + key)) }
            }
            let links = try store.write { (tx) throws in try tx.links(application: nil, entity: nil, after: nil, limit: 99) }
            #expect(links.map(\.reference.key) == keys.map { NativeKey($0) }.sorted())
            #expect(links.allSatisfy { $0.id == CanonicalID("id" + $0.reference.key.rawValue) })
        }
    }

    @Test func aStoreOfANewerHubIsLeftAlone() throws {
        try run { store, folder in
            store.close()
            try PostgresServer.script("UPDATE \(PostgresServer.schema(folder)).store_turn SET version = 99")
            #expect(storeError { _ = try PostgresServer.make(folder) { _ in } }?.code == .newer)
            #expect(storeError { _ = try PostgresStoreReader(PostgresServer.options(folder)) }?.code == .newer)
        }
    }

    @Test func stepsAreTakenInOrderAndAllOrNone() throws {
        try run { store, folder in
            try store.write { (tx) throws in try tx.putNote("kept", "a") }
            store.close()
            var schema = PostgresStoreSchema.current
            schema.steps.append("CREATE TABLE further (id integer); SELECT 1 / 0")
            let broken = schema
            #expect(storeError { _ = try PostgresServer.make(folder) { $0.schema = broken } }?.code == .failed)
            schema.steps[schema.steps.count - 1] = "CREATE TABLE further (id integer)"
            let mended = schema
            let further = try PostgresServer.make(folder) { $0.schema = mended }
            defer { further.close() }
            #expect(try further.write { (tx) throws in try tx.note("a") } == "kept")
        }
    }

    @Test func whatAnOlderHubStoredAsRefusedIsListed() throws {
        let folder = try TemporaryFolder()
        defer {
            PostgresServer.drop(folder)
            folder.remove()
        }
        try PostgresServer.make(folder) { $0.schema.steps.removeSubrange(1...) }.close()
        try PostgresServer.script(
            """
            INSERT INTO \(PostgresServer.schema(folder)).target (application, company, id, entity, doc) VALUES
                ('crm', '', 'c-0', 'customer', '{"rejected":{"rule":"credit-limit","text":"no","fields":{}}}'),
                ('crm', '', 'c-1', 'customer', '{"key":"7"}')
            """)
        let store = try PostgresServer.make(folder) { _ in }
        defer { store.close() }
        let found = try store.write { (tx) throws in try tx.rejections(crm, after: nil, limit: 9) }
        #expect(found.map(\.target.id) == ["c-0"])
        #expect(found.first?.state.rejected?.rejection.rule == "credit-limit")
    }

    @Test func aReaderSeesOneStateAndChangesNothing() throws {
        try run { store, folder in
            try store.write { (tx) throws in try tx.put(golden("customer-1-1")) }
            let reader = try PostgresStoreReader(PostgresServer.options(folder))
            defer { reader.close() }
            let counts = try reader.read { (tx) throws in
                try store.write { (other) throws in try other.put(golden("customer-1-2")) }
                return try tx.goldenCounts().map(\.live) + [try tx.goldenRecords(customer, after: nil, limit: 9).count]
            }
            #expect(counts == [1, 1])
            #expect(try reader.read { (tx) throws in try tx.goldenCounts().map(\.live) } == [2])
            #expect(storeError { try reader.read { (tx) throws in try tx.putNote("x", "y") } } != nil)
        }
    }

    @Test(arguments: 1...12) func itAnswersLikeTheMemoryStore(_ seed: UInt64) throws {
        try run { _, folder in
            var random = Seeded(seed &+ 5000)
            let memory = MemoryStore(storeID: "same")
            let sizes = (Int(random.below(5)) + 1, Int(random.below(6)) + 1)
            func open() throws -> PostgresStore {
                try PostgresServer.make(folder) { options in
                    options.limits.cachedGoldenRecords = sizes.0
                    options.limits.cachedTargets = sizes.0
                    options.limits.outboxRowsInMemory = sizes.1
                    options.limits.transactionsPerCommit = sizes.1
                }
            }
            let stores = [try open(), try open()]
            defer { for store in stores { store.close() } }
            try stores[0].write { (tx) throws in try tx.putNote("same", "store-id") }
            for round in 0..<30 {
                let store = stores[Int(random.below(8)) == 0 ? 1 : 0]
                let group = (0..<random.below(6) + 1).map { _ in RandomTransaction(&random) }
                let expected = group.map { transaction in Result { () throws(StoreError) in try memory.write(transaction.run) } }
                let answers = Mutex<[Result<[String], StoreError>]>([])
                for transaction in group { store.submit(transaction.run) { result in answers.withLock { $0.append(result) } } }
                let found = try store.write(everything)
                for (ours, theirs) in zip(expected, answers.withLock { $0 }) {
                    switch (ours, theirs) {
                    case (.success(let a), .success(let b)): #expect(a == b)
                    case (.failure(let a), .failure(let b)): #expect(a.code == b.code)
                    default: Issue.record("seed \(seed): \(ours) here, \(theirs) there")
                    }
                }
                let wanted = try memory.write(everything)
                try #require(wanted == found, "seed \(seed), round \(round)")
            }
        }
    }
}
