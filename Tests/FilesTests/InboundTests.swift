import Foundation
import GRDB
import HubDriver
import HubModel
import Testing

@testable import Files

/// Files that come in: what the feed tells of them, whatever happens in between.
struct InboundTests {
    private static let customers = "customer: in=customers*.csv key=id columns=id,name,limit:number,since:date"
    private static let changes = "customer: in=customers*.csv key=id operation=op columns=op,id,name"

    private func rows(_ count: Int, from first: Int = 1) -> String {
        "id,name,limit,since\n" + (first..<first + count).map { "c\($0),Name \($0),\($0).50,2026-01-02\n" }.joined()
    }

    @Test func rowsBecomeChangesInTheirOrder() async throws {
        let folders = try Folders()
        try folders.drop("customers-2.csv", "id,name,limit,since\nc1,\"Acme, Inc.\",12.50,2026-02-28\nc2,,,\n")
        try folders.drop("customers-1.csv", "name,id,since,limit,more\nOld,c1,2026-01-01,1,ignored\n")
        for name in ["customers-3.csv.tmp", "customers-4.csv.part", ".customers-5.csv", "others.csv"] { try folders.drop(name, rows(1)) }
        let driver = try folders.driver(Self.customers)
        let told = try await driver.told()
        #expect(told.malformed.isEmpty)
        #expect(told.changes.map(\.event.key) == ["c1", "c1", "c2"])
        #expect(
            told.changes[1].fields == ["id": "c1", "name": "Acme, Inc.", "limit": .number(Number(1250, scale: 2)), "since": "2026-02-28"])
        #expect(told.changes[2].fields == ["id": "c2", "name": .null, "limit": .null, "since": .null])
        #expect(told.changes.allSatisfy { $0.event.type == "customer" && $0.event.operation == .upsert && !$0.event.id.isEmpty })
        #expect(
            zip(told.changes, told.changes.dropFirst()).allSatisfy {
                ($0.event.position ?? .init(minor: 0)) < ($1.event.position ?? .init(minor: 0))
            })
        #expect(try folders.files(folders.inbound) == ["customers-3.csv.tmp", "customers-4.csv.part", "others.csv"])
        await driver.close()
    }

    @Test func theSamePositionGivesTheSameChangesAndACrashLosesAndDoublesNothing() async throws {
        let folders = try Folders()
        try folders.drop("customers-1.csv", rows(25))
        try folders.drop("customers-2.csv", rows(10, from: 26))
        var position: String?
        var keys: [NativeKey?] = []
        while true {
            // Every look by a driver that knows nothing of the one before it, as after a crash.
            let driver = try folders.driver(Self.customers)
            let batch = try await driver.capture(after: position, limit: 4)
            let again = try await driver.capture(after: position, limit: 4)
            #expect(batch.changes == again.changes && batch.position == again.position)
            await driver.close()
            if batch.changes.isEmpty { break }
            keys += batch.changes.map(\.event.key)
            position = batch.position
        }
        #expect(keys == (1...35).map { NativeKey("c\($0)") })
        let driver = try folders.driver(Self.customers)
        #expect(try await driver.told().changes.map(\.event.key) == keys, "from the beginning too")
        await driver.close()
    }

    @Test func aFileIsPutAwayWhenKafkaHasAllOfItAndNotBefore() async throws {
        let folders = try Folders()
        try folders.drop("customers.csv", rows(6))
        let driver = try folders.driver(Self.customers)
        let first = try await driver.capture(after: nil, limit: 4)
        let second = try await driver.capture(after: first.position, limit: 4)
        #expect(first.changes.count == 4 && second.changes.count == 2)
        #expect(try archived(folders).isEmpty, "the hub has not come back with the last position")
        _ = try await driver.capture(after: second.position, limit: 4)
        let names = try archived(folders)
        #expect(names.count == 1 && names[0].hasSuffix("-customers.csv"))
        await driver.close()
    }

    private func archived(_ folders: Folders) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folders.archive) }

    @Test func filesAreRemovedOrStayWhereThatIsDeclaredAndAreNotReadTwice() async throws {
        let folders = try Folders()
        let types = """
            customer: in=customers*.csv key=id columns=id,name processed=remove
            item: in=items*.csv key=id columns=id,name processed=keep
            """
        try folders.drop("customers.csv", "id,name\nc1,Acme\n")
        try folders.drop("customers-bad.csv", "id,name\nc2\n")
        try folders.drop("items.csv", "id,name\ni1,Widget\n")
        for round in 1...2 {
            let driver = try folders.driver(types)
            let told = try await driver.told()
            #expect(told.changes.count == 2 && told.malformed.count == 1, "round \(round): what is told anew is what was told before")
            await driver.close()
        }
        #expect(try folders.files(folders.inbound) == ["items.csv"])
        let names = try archived(folders)
        #expect(names.count == 1 && names[0].hasSuffix("-customers-bad.csv"), "nothing is removed of which a row could not be read")
        try folders.drop("items.csv", "id,name\ni1,Gadget\n")
        let driver = try folders.driver(types)
        #expect(try await driver.told().changes.last?.fields?["name"] == "Gadget", "another file under that name is read")
        await driver.close()
    }

    // MARK: What cannot be read

    @Test func rowsThatCannotBeReadAreToldWithFileAndLineAndTheOthersAreRead() async throws {
        let folders = try Folders()
        let lines = [
            "id,name,limit,since", "c1,Acme,1,2026-01-01", "c2,Quote\"d,1,2026-01-01", "c3,Few,1", "c4,Sum,1.2.3,2026-01-01",
            "c5,Day,1,2026-02-30", ",Nobody,1,2026-01-01", "c7,\"two", "lines\",1,2026-01-01", "c8,Last,1,2026-01-01",
        ]
        try folders.drop("customers.csv", Array(lines.joined(separator: "\n").utf8) + [0x0A] + Array("c9,\u{0}".utf8) + [0xFF, 0x0A])
        let driver = try folders.driver(Self.customers)
        let told = try await driver.told()
        #expect(told.changes.map(\.event.key) == ["c1", "c7", "c8"])
        #expect(told.malformed.allSatisfy { $0.code == "bad-row" && $0.native == "customer" })
        #expect(
            told.malformed.map(\.reason) == [
                "customers.csv, line 3: a quote stands inside a cell that is not quoted",
                "customers.csv, line 4: the row has 3 cells instead of 4", "customers.csv, line 5: limit: “1.2.3” is no number",
                "customers.csv, line 6: since: “2026-02-30” is no date of the form YYYY-MM-DD",
                "customers.csv, line 7: id, the key, is empty",
                "customers.csv, line 11: the row has 2 cells instead of 4",
            ])
        #expect(told.malformed[0].raw == Array("c2,Quote\"d,1,2026-01-01".utf8))
        await driver.close()
    }

    @Test(arguments: [
        (Array("name,limit,since\n".utf8), "the header has no column id"),
        (Array("id,id,name,limit,since\n".utf8), "the column id 2 times"),
        ([], "it is empty"), ([0xFF, 0xFE, 0x69, 0], "it is UTF-16"), (Array("id,\"name\n".utf8), "a quote is opened and never closed"),
    ])
    func aFileThatIsNotWhatIsDeclaredIsToldAsAWhole(_ bytes: [UInt8], _ words: String) async throws {
        let folders = try Folders()
        try folders.drop("customers-1.csv", bytes)
        try folders.drop("customers-2.csv", rows(1))
        let driver = try folders.driver(Self.customers)
        let told = try await driver.told()
        #expect(told.malformed.map(\.code) == ["bad-file"] && told.malformed[0].reason.contains(words), "\(told.malformed)")
        #expect(told.changes.count == 1, "the next file is read")
        #expect(try archived(folders).count == 2)
        await driver.close()
    }

    @Test func aFileOfNothingButWrongRowsIsGivenUp() async throws {
        let folders = try Folders()
        try folders.drop("customers.csv", "id,name\n" + String(repeating: "x\n", count: 50))
        let driver = try folders.driver("customer: in=*.csv key=id columns=id,name malformed=10")
        let told = try await driver.told()
        #expect(told.malformed.count == 11)
        #expect(told.malformed.last?.reason.contains("10 rows cannot be read; what stands behind line 11 is not read") == true)
        await driver.close()
    }

    @Test func aFileThatIsChangedOrTakenAwayWhileItIsReadIsTold() async throws {
        for isTaken in [true, false] {
            let folders = try Folders()
            try folders.drop("customers.csv", rows(6))
            let first = try folders.driver(Self.customers)
            let batch = try await first.capture(after: nil, limit: 4)
            await first.close()
            let taken = folders.inbound + "/.multipoint/taken"
            let name = try #require(try FileManager.default.contentsOfDirectory(atPath: taken).first)
            if isTaken {
                try FileManager.default.removeItem(atPath: taken + "/" + name)
            } else {
                try DurableFile.make(taken + "/" + name, holding: Array(rows(6, from: 11).utf8))
            }
            let second = try folders.driver(Self.customers)
            let told = try await second.told(after: batch.position)
            #expect(told.changes.isEmpty && told.malformed.map(\.code) == ["bad-file"])
            #expect(
                told.malformed[0].reason.contains(isTaken ? "taken away; what stood from line 6 on" : "changed while it was being read"))
            await second.close()
        }
    }

    /// Whoever runs the tests may open anything: a link to itself and a folder stand for what may not be opened or cannot be read.
    @Test(arguments: [true, false]) func aFileThatCannotBeOpenedIsToldAndTheNextOneIsRead(_ isLink: Bool) async throws {
        let folders = try Folders()
        try folders.drop("customers-1.csv", rows(6))
        let first = try folders.driver(Self.customers)
        let batch = try await first.capture(after: nil, limit: 4)
        await first.close()
        let taken = folders.inbound + "/.multipoint/taken"
        let path = try taken + "/" + #require(try FileManager.default.contentsOfDirectory(atPath: taken).first)
        try FileManager.default.removeItem(atPath: path)
        if isLink {
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path)
        } else {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
        try folders.drop("customers-2.csv", rows(2, from: 11))
        let second = try folders.driver(Self.customers)
        let told = try await second.told(after: batch.position)
        #expect(told.malformed.map(\.code) == ["bad-file"] && told.malformed.first?.reason.contains("it cannot be read") == true)
        #expect(told.changes.map(\.event.key) == ["c11", "c12"])
        await second.close()
    }

    @Test func aFileThatWasTakenByATransactionThatDidNotHappenIsRead() async throws {
        let folders = try Folders()
        let taken = folders.inbound + "/.multipoint/taken"
        try FileManager.default.createDirectory(atPath: taken, withIntermediateDirectories: true)
        try DurableFile.replace(taken + "/17-customers.csv", with: Array(rows(2).utf8))
        let driver = try folders.driver(Self.customers)
        #expect(try await driver.told().changes.map(\.event.key) == ["c1", "c2"])
        await driver.close()
    }

    // MARK: Operations and snapshots

    @Test func anOperationColumnTellsDeletions() async throws {
        let folders = try Folders()
        try folders.drop("customers.csv", "op,id,name\nI,c1,Acme\nU,c1,Acme AG\nD,c1,\nX,c2,What\n")
        let driver = try folders.driver(Self.changes)
        let told = try await driver.told()
        #expect(told.changes.map(\.event.operation) == [.upsert, .upsert, .delete])
        #expect(told.changes[1].fields == ["id": "c1", "name": "Acme AG"], "the operation is no member")
        #expect(told.malformed.map(\.reason) == ["customers.csv, line 5: op: “X” is none of I, U, D"])
        #expect(try await driver.read([ReadRequest(native: "customer", company: nil, key: "c1")]) == [nil])
        await driver.close()
    }

    @Test func aSnapshotTellsWhatDiffersAndDeletionsOnlyWhereThatIsDeclared() async throws {
        for absent in ["deleted", "kept"] {
            let folders = try Folders()
            let driver = try folders.driver("customer: in=*.csv key=id columns=id,name mode=snapshot absent=\(absent)")
            try folders.drop("a.csv", "id,name\nc1,Acme\nc2,Beta\nc3,Corp\n")
            var told = try await driver.told()
            #expect(told.changes.count == 3)
            try folders.drop("b.csv", "id,name\nc1,Acme\nc2,Beta AG\n")
            told = try await driver.told(after: told.end)
            let operations: [NativeKey?: ChangeEvent.Operation] = Dictionary(
                told.changes.map { ($0.event.key, $0.event.operation) }
            ) { $1 }
            #expect(operations == (absent == "deleted" ? ["c2": .upsert, "c3": .delete] : ["c2": .upsert]))
            try folders.drop("c.csv", "id,name\nc1,Acme\nc2,Beta AG\nc3,Corp\n")
            told = try await driver.told(after: told.end)
            #expect(told.changes.map(\.event.key) == (absent == "deleted" ? ["c3"] : []), "it is there again")
            await driver.close()
        }
    }

    @Test func nothingIsTakenForDeletedBecauseOfASnapshotThatIsBrokenOrEmpty() async throws {
        let folders = try Folders()
        let driver = try folders.driver("customer: in=*.csv key=id columns=id,name mode=snapshot absent=deleted")
        try folders.drop("a.csv", "id,name\nc1,Acme\nc2,Beta\n")
        var told = try await driver.told()
        for (name, text) in [("b.csv", "id,name\n"), ("c.csv", "id,name\nc1,Acme\nc2\n")] {
            try folders.drop(name, text)
            told = try await driver.told(after: told.end)
            #expect(told.changes.isEmpty && told.malformed.last?.code == "no-deletions")
        }
        try folders.drop("d.csv", "id,name\nc1,Acme\n")
        told = try await driver.told(after: told.end)
        #expect(told.changes.map(\.event.key) == ["c2"] && told.changes.map(\.event.operation) == [.delete])
        await driver.close()
    }

    @Test func linesOfJSONTellTheMembersThatTheyHave() async throws {
        let folders = try Folders()
        let driver = try folders.driver(
            "item: in=*.ndjson format=ndjson key=sku columns=sku,name,price:number,tags:json,day:date:DD.MM.YYYY")
        let lines = [
            "{\"sku\":7,\"price\":1.10,\"other\":true}", "{\"sku\":\"8\",\"tags\":[\"a\"],\"day\":\"28.02.2026\"}", "[1]",
            "{\"sku\":\"9\",\"price\":\"1\"}", "{\"name\":\"x\"}", "{\"sku\":",
        ]
        try folders.drop("x.ndjson", lines.joined(separator: "\n"))
        let told = try await driver.told()
        #expect(
            told.changes.map(\.fields) == [
                ["sku": "7", "price": .number(Number(110, scale: 2))], ["sku": "8", "tags": ["a"], "day": "2026-02-28"],
            ])
        #expect(told.malformed.map { $0.reason.prefix(17) } == (3...6).map { "x.ndjson, line \($0):" })
        await driver.close()
    }

    // MARK: Folders

    @Test func aFolderThatIsNotThereIsUnreachable() async throws {
        let folders = try Folders()
        let driver = try folders.driver(Self.customers)
        try FileManager.default.removeItem(atPath: folders.inbound)
        let error = await #expect(throws: DriverError.self) { try await driver.capture(after: nil, limit: 1) }
        #expect(error?.code == .unreachable && error?.message.contains("is not there") == true)
        await #expect(throws: DriverError.self) { try await driver.probe() }
        try FileManager.default.createDirectory(atPath: folders.inbound, withIntermediateDirectories: true)
        #expect(try await driver.probe().instance.isEmpty == false)
        await driver.close()
    }

}
