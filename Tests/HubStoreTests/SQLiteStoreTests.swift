import Foundation
import GRDB
import HubModel
import Synchronization
import Testing

@testable import HubStore

/// What only the embedded store promises: its file, its lock, its commits.
@Suite struct SQLiteStoreTests {
    private func inFolder(_ test: (TemporaryFolder) throws -> Void) throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try test(folder)
    }

    // MARK: Durability

    @Test func everyCommitIsOnTheDisk() throws {
        try inFolder { folder in
            let core = try SQLiteCore(path: folder.path("hub.db"), options: SQLiteOptions())
            #expect(try core.pragma("synchronous") == "2")
            #expect(try core.pragma("journal_mode") == "wal")
            #expect(try core.pragma("page_size") == "4096")
            #expect(try core.pragma("application_id") == "1213547091")
        }
    }

    @Test func aNewStoreHasAGenerationAndAName() throws {
        try inFolder { folder in
            var names: Set<String> = []
            for file in ["a.db", "b.db", "a.db"] {
                let store = try SQLiteStore(path: folder.path(file))
                names.insert(try store.write { tx in try tx.note("store-id") ?? "" })
                #expect(try store.write { tx in try tx.generation() } == 1)
                store.close()
            }
            #expect(names.count == 2)
            #expect(names.allSatisfy { $0.utf8.count == 32 })
        }
    }

    @Test func whatWasAnsweredSurvivesACrash() throws {
        try inFolder { folder in
            let store = try SQLiteStore(path: folder.path("hub.db"))
            for number in 1...5 {
                let copy = "crash\(number).db"
                try store.write { tx in
                    try tx.put(golden(CanonicalID("customer-1-\(number)"), number: number))
                    try tx.append(outboxRow("\(number)"))
                    try tx.append(outboxRow("\(number)b"))
                    if number > 1 { try tx.clearOutbox(through: Int64(number) * 2 - 2) }
                    _ = try tx.newID(customer)
                    try tx.count(.accepted, topic: "t", by: 1)
                }
                // As a crash leaves it: whatever the files hold at this moment, nothing closed.
                for ending in ["", "-wal"] {
                    try FileManager.default.copyItem(atPath: folder.path("hub.db" + ending), toPath: folder.path(copy + ending))
                }
                let again = try SQLiteStore(path: folder.path(copy))
                try again.write { (tx) throws in
                    #expect(try tx.goldenRecords(customer, after: nil, limit: 99).map(\.version.number) == Array(1...number))
                    #expect(try tx.goldenCounts().map(\.live) == [number])
                    #expect(try tx.outbox(after: 0, limit: 99).map(\.sequence) == [Int64(number) * 2 - 1, Int64(number) * 2])
                    #expect(try tx.newID(customer) == CanonicalID("customer-1-\(number + 1)"))
                    try tx.append(outboxRow("next"))
                    #expect(try tx.outbox(after: 0, limit: 99).last?.sequence == Int64(number) * 2 + 1)
                    #expect(try tx.eventEnds().map(\.count) == [number])
                }
                again.close()
            }
            store.close()
        }
    }

    // MARK: Group commit

    @Test func transactionsThatArriveTogetherShareACommit() throws {
        try inFolder { folder in
            let store = try SQLiteStore(path: folder.path("hub.db"))
            let gate = DispatchSemaphore(value: 0)
            let order = Mutex<[Int]>([])
            // The thread is held while the others arrive.
            store.submit { _ in
                gate.wait()
            } completion: { _ in
            }
            let before = store.statementCount
            for number in 1...200 {
                store.submit { tx in
                    try tx.putOffset(Int64(number), "g", TopicPartition("t", 0))
                } completion: { _ in
                    order.withLock { $0.append(number) }
                }
            }
            gate.signal()
            #expect(try store.write { tx in try tx.offset("g", TopicPartition("t", 0)) } == 200)
            #expect(order.withLock { $0 } == Array(1...200))
            // Savepoint, change, release for each; were each committed alone, there would be a begin and a commit more.
            let statements = store.statementCount - before
            #expect(statements >= 600 && statements < 700)
            store.close()
        }
    }

    @Test func aFullQueueHoldsWhoeverSubmitsButNotTheStore() throws {
        try inFolder { folder in
            let store = try SQLiteStore(path: folder.path("hub.db"), options: .tiny)
            let ends = Mutex(0)
            DispatchQueue.concurrentPerform(iterations: 4) { _ in
                for _ in 0..<50 {
                    store.submit { tx in
                        try tx.count(.echo, topic: "t", by: 1)
                    } completion: { _ in
                        // From the store's own thread: it must not wait for itself.
                        store.submit { tx in
                            try tx.count(.stale, topic: "t", by: 1)
                        } completion: { _ in
                            ends.withLock { $0 += 1 }
                        }
                    }
                }
            }
            while ends.withLock({ $0 }) < 200 { try store.write { _ in } }
            #expect(try store.write { tx in try tx.eventEnds().map(\.count) } == [200, 200])
            let nested = storeError { try store.write { _ in try store.write { _ in } } }
            #expect(nested?.code == .failed)
            store.close()
        }
    }

    // MARK: Opening

    @Test func aSecondHubIsRefusedAndToldWhoHoldsTheStore() throws {
        try inFolder { folder in
            let store = try SQLiteStore(path: folder.path("hub.db"))
            let error = storeError { _ = try SQLiteStore(path: folder.path("hub.db")) }
            #expect(error?.code == .held)
            #expect(error?.message.contains("process \(getpid()) on \(ProcessInfo.processInfo.hostName), since 2") == true)
            try store.write { tx in try tx.putNote("x", "still") }
            store.close()
            let next = try SQLiteStore(path: folder.path("hub.db"))
            #expect(try next.write { tx in try tx.note("still") } == "x")
            next.close()
        }
    }

    @Test func filesThatAreNoStoreAreRefusedUntouched() throws {
        try inFolder { folder in
            let garbage = Data((0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 31 + 7) })
            try garbage.write(to: URL(fileURLWithPath: folder.path("garbage.db")))
            let error = storeError { _ = try SQLiteStore(path: folder.path("garbage.db")) }
            #expect(error?.code == .corrupt)
            #expect(error?.message.contains("garbage.db") == true)
            #expect(FileManager.default.contents(atPath: folder.path("garbage.db")) == garbage)

            do {
                let other = try DatabaseQueue(path: folder.path("other.db"))
                try other.write { db in try db.execute(sql: "CREATE TABLE song (title TEXT)") }
                try other.close()
            }
            let before = FileManager.default.contents(atPath: folder.path("other.db"))
            #expect(storeError { _ = try SQLiteStore(path: folder.path("other.db")) }?.code == .corrupt)
            #expect(storeError { _ = try SQLiteStore.openReader(path: folder.path("other.db")) }?.code == .corrupt)
            #expect(FileManager.default.contents(atPath: folder.path("other.db")) == before)

            #expect(storeError { _ = try SQLiteStore(path: folder.path("no/such/folder/hub.db")) }?.code == .failed)
            #expect(storeError { _ = try SQLiteStore.openReader(path: folder.path("absent.db")) }?.code == .failed)
        }
    }

    @Test func aDamagedStoreIsToldWhenItIsRead() throws {
        try inFolder { folder in
            let path = folder.path("hub.db")
            let store = try SQLiteStore(path: path)
            try store.write { tx in for number in 1...2000 { try tx.put(golden(CanonicalID("customer-1-\(number)"), number: number)) } }
            store.close()
            let file = try #require(FileHandle(forUpdatingAtPath: path))
            let end = try file.seekToEnd()
            for page in stride(from: 8192 * 8, to: end, by: 8192) {
                try file.seek(toOffset: page)
                try file.write(contentsOf: Data(repeating: 0xA5, count: 4000))
            }
            try file.close()
            let error = storeError {
                let store = try SQLiteStore(path: path)
                defer { store.close() }
                try store.write { tx in for number in 1...2000 { _ = try tx.golden(CanonicalID("customer-1-\(number)")) } }
            }
            #expect(error?.code == .corrupt)
        }
    }

    @Test func migrationsRunInOrderOnceAndNewerStoresAreRefused() throws {
        try inFolder { folder in
            let path = folder.path("hub.db")
            let store = try SQLiteStore(path: path)
            try store.write { tx in try tx.put(golden("customer-1-1")) }
            store.close()

            var broken = SQLiteOptions()
            broken.schema.steps += ["CREATE TABLE extra (n INTEGER); INSERT INTO extra VALUES (1)", "CREATE TABLE extra (n INTEGER)"]
            #expect(storeError { _ = try SQLiteStore(path: path, options: broken) }?.code == .failed)
            // Nothing of the failed way stays, and the lock is free.
            let same = try SQLiteStore(path: path)
            same.close()

            var newer = SQLiteOptions()
            newer.schema.steps += ["CREATE TABLE extra (n INTEGER); INSERT INTO extra VALUES (1)", "UPDATE extra SET n = n + 1"]
            for _ in 0..<2 {
                let store = try SQLiteStore(path: path, options: newer)
                #expect(try store.write { tx in try tx.golden("customer-1-1") } == golden("customer-1-1"))
                store.close()
            }
            let queue = try DatabaseQueue(path: path)
            #expect(try queue.read { db in try Int.fetchAll(db, sql: "SELECT n FROM extra") } == [2])
            try queue.close()

            let refused = storeError { _ = try SQLiteStore(path: path) }
            #expect(refused?.code == .newer)
            #expect(storeError { _ = try SQLiteStore.openReader(path: path) }?.code == .newer)
        }
    }

    @Test func whatAnOlderHubStoredAsRefusedIsListed() throws {
        try inFolder { folder in
            let path = folder.path("hub.db")
            var old = SQLiteOptions()
            old.schema.steps.removeSubrange(1...)
            try SQLiteStore(path: path, options: old).close()
            let queue = try DatabaseQueue(path: path)
            let documents = [
                #"{"rejected":{"rule":"credit-limit","field":"credit","text":"no","fields":{"credit":9}}}"#,
                #"{"heard":{"position":"0/1","fields":{},"native":{"rejected":{"rule":"its own"}}}}"#, #"{"key":"7"}"#,
            ]
            try queue.write { db in
                for (number, document) in documents.enumerated() {
                    try db.execute(
                        sql: "INSERT INTO target (application, company, id, entity, doc) VALUES ('crm', '', ?, 'customer', ?)",
                        arguments: ["c-\(number)", document])
                }
            }
            try queue.close()
            let store = try SQLiteStore(path: path)
            defer { store.close() }
            let found = try store.write { tx in try tx.rejections(crm, after: nil, limit: 9) }
            #expect(found.map(\.target.id) == ["c-0"])
            let rejected = try #require(found.first?.state.rejected)
            #expect(rejected.rejection == Rejection(rule: "credit-limit", field: "credit", text: "no"))
            #expect(rejected.since == nil && rejected.version == .none)
        }
    }

    // MARK: Full

    @Test func aFullDiskLosesNothingAndTheStoreGoesOn() throws {
        try inFolder { folder in
            let path = folder.path("hub.db")
            var small = SQLiteOptions()
            small.maxPages = 64
            let store = try SQLiteStore(path: path, options: small)
            var kept = 0
            var full: StoreError?
            while full == nil && kept < 1000 {
                do throws(StoreError) {
                    let number = kept
                    try store.write { tx in
                        try tx.append(outboxRow(String(repeating: "x", count: 3000)))
                        try tx.put(golden(CanonicalID("customer-1-\(number)"), number: 1))
                        try tx.append(outboxRow(String(repeating: "y", count: 3000)))
                        try tx.count(.accepted, topic: "t", by: 1)
                    }
                    kept += 1
                } catch { full = error }
            }
            #expect(full?.code == .full)
            #expect(full?.message.contains("hub.db") == true)
            // A whole group of them fails, each told; what fits still goes in.
            let failures = Mutex<[StoreError.Code]>([])
            for number in 0..<20 {
                store.submit { tx in
                    try tx.count(.echo, topic: "t", by: 1)
                    try tx.append(outboxRow(String(repeating: "z", count: 300_000)))
                    try tx.put(golden(CanonicalID("customer-9-\(number)")))
                } completion: { result in
                    if case .failure(let error) = result { failures.withLock { $0.append(error.code) } }
                }
            }
            let before = kept
            try store.write { (tx) throws in
                #expect(try tx.outbox(after: 0, limit: 5000).count == before * 2)
                #expect(try tx.goldenCounts().map(\.live) == [before])
                #expect(try tx.eventEnds().map(\.count) == [before])
                #expect(try tx.golden("customer-9-1") == nil)
                #expect(try tx.golden(CanonicalID("customer-1-\(before)")) == nil)
            }
            #expect(failures.withLock { $0 } == Array(repeating: .full, count: 20))
            // Room returns.
            try store.write { tx in try tx.clearOutbox(through: Int64(before)) }
            try store.write { tx in try tx.append(outboxRow(String(repeating: "x", count: 3000))) }
            #expect(try store.write { tx in try tx.outbox(after: 0, limit: 5000).count } == before + 1)
            store.close()
        }
    }

    // MARK: Copies and readers

    @Test func aBackupIsWholeWhileTheStoreIsWritten() throws {
        try inFolder { folder in
            let store = try SQLiteStore(path: folder.path("hub.db"))
            let isDone = Mutex(false)
            let writer = Thread {
                var number = 0
                while !isDone.withLock({ $0 }) && number < 5000 {
                    number += 1
                    let now = number
                    // Always two together: a copy that has one of them is torn.
                    try? store.write { tx in
                        try tx.put(golden(CanonicalID("customer-1-\(now)")))
                        try tx.putOffset(Int64(now), "g", TopicPartition("t", 0))
                    }
                }
            }
            writer.start()
            for copy in 1...5 {
                while try store.write({ tx in try tx.offset("g", TopicPartition("t", 0)) ?? 0 }) < Int64(copy) * 50 {}
                try store.backup(to: folder.path("copy\(copy).db"))
            }
            isDone.withLock { $0 = true }
            let error = storeError { try store.backup(to: folder.path("copy1.db")) }
            #expect(error?.message.contains("copy1.db") == true)
            for copy in 1...5 {
                let again = try SQLiteStore(path: folder.path("copy\(copy).db"))
                try again.write { (tx) throws in
                    let offset = Int(try tx.offset("g", TopicPartition("t", 0)) ?? 0)
                    #expect(offset >= copy * 50)
                    #expect(try tx.goldenRecords(customer, after: nil, limit: .max).count == offset)
                    #expect(try tx.goldenCounts().map(\.live) == [offset])
                }
                #expect(try again.write { tx in try tx.note("store-id") } == store.write { tx in try tx.note("store-id") })
                again.close()
            }
            store.close()
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.folder)
            #expect(files.allSatisfy { !$0.contains("part") })
        }
    }

    @Test func aReaderSeesWhatIsCommittedAndChangesNothing() throws {
        try inFolder { folder in
            let path = folder.path("hub.db")
            let store = try SQLiteStore(path: path)
            try store.write { tx in
                try tx.put(golden("customer-1-1"))
                try tx.append(outboxRow("a"))
                try tx.count(.echo, topic: "t", by: 2)
                try tx.append(event(.init(crm, order, "1"), .turn))
            }
            let reader = try SQLiteStore.openReader(path: path)
            try reader.read { (tx) throws in
                #expect(try tx.golden("customer-1-1") == golden("customer-1-1"))
                // What is committed meanwhile is of the next look.
                try store.write { tx in
                    try tx.put(golden("customer-1-1", number: 2))
                    try tx.count(.echo, topic: "t", by: 1)
                }
                #expect(try tx.goldenRecords(customer, after: nil, limit: 9).map(\.version.number) == [1])
                #expect(try tx.eventEnds().map(\.count) == [2])
                #expect(try tx.outbox(after: 0, limit: 9).count == 1)
                #expect(try tx.releasable(limit: 9).count == 1)
            }
            try reader.read { (tx) throws in
                #expect(try tx.golden("customer-1-1")?.version.number == 2)
                #expect(try tx.eventEnds().map(\.count) == [3])
            }
            let changes: [(any StoreTransaction) throws -> Void] = [
                { try $0.put(golden("customer-1-1")) }, { _ = try $0.newID(customer) }, { try $0.putNote("x", "y") },
                { try $0.count(.echo, topic: "t", by: 1) }, { _ = try $0.raiseGeneration() }, { try $0.clearOutbox(through: 9) },
                { try $0.putLink(.init(crm, customer, "1"), "c") }, { try $0.put(TargetState(), Target(crm, "c"), customer) },
            ]
            for change in changes { #expect(storeError { try reader.read { try change($0) } }?.code == .failed) }
            store.close()
            // The hub has ended, the reader goes on.
            #expect(try reader.read { tx in try tx.golden("customer-1-1")?.version.number } == 2)
            reader.close()
            let alone = try SQLiteStore.openReader(path: path)
            #expect(try alone.read { tx in try tx.golden("customer-1-1")?.version.number } == 2)
            alone.close()
        }
    }
}

extension SQLiteCore {
    fileprivate func pragma(_ name: String) throws -> String? {
        try database.inDatabase { db in try String.fetchOne(db, sql: "PRAGMA \(name)") }
    }
}
