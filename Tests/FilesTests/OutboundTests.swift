import Foundation
import GRDB
import HubDriver
import HubModel
import Testing

@testable import Files

/// Files that go out: whole, once, and answered from the driver's own record.
struct OutboundTests {
    private static let customers =
        "customer: out=customers key=id operation=op reference=hub columns=op,id,name,limit:number,since:date:DD.MM.YYYY,hub"

    @Test func aBatchIsOneFileWithItsRows() async throws {
        let folders = try Folders()
        let driver = try folders.driver(Self.customers)
        let first = delivery(.create, ["name": "Acme, Inc.", "limit": .number(Number(1250, scale: 2)), "since": "2026-02-28"])
        let second = delivery(.create, ["id": "b", "name": ""], reference: "customer-1-2")
        let answers = try await driver.apply([first, second])
        #expect(answers.map { $0.document?.key } == ["customer-1-1", "b"])
        #expect(
            try folders.written() == "op,id,name,limit,since,hub\r\nI,customer-1-1,\"Acme, Inc.\",12.50,28.02.2026,customer-1-1\r\n"
                + "I,b,\"\",,,customer-1-2\r\n")
        #expect(
            try await driver.lookUp([LookUp(native: "customer", company: nil, reference: "customer-1-2")]) == [
                [try #require(answers[1].document)]
            ])
        #expect(try await driver.page(native: "customer", company: nil, after: nil, limit: 1).next == "b")
        let told = try await driver.told()
        #expect(told.changes.map(\.event.reference) == ["customer-1-1", "customer-1-2"], "the hub hears its own writes")
        #expect(told.changes.map(\.event.token) == answers.map { $0.document?.token })
        await driver.close()
    }

    @Test func updatesAndDeletesAreWholeRowsOnConditionOfTheVersion() async throws {
        let folders = try Folders()
        let driver = try folders.driver(Self.customers)
        let made = try #require(try await driver.apply(delivery(.create, ["name": "Acme", "limit": 5])).document)
        let changed = try #require(try await driver.apply(delivery(.update, ["limit": 6], of: made)).document)
        #expect(changed.fields["name"] == "Acme" && changed.token != made.token)
        #expect(try await driver.apply(delivery(.update, ["limit": 7], of: made)) == .changed)
        #expect(try await driver.apply(delivery(.update, ["limit": 6], of: changed)) == .unchanged(changed))
        let gone = try #require(try await driver.apply(delivery(.delete, of: changed)).document)
        #expect(gone.isDeleted)
        #expect(try await driver.apply(delivery(.delete, of: changed)) == .gone)
        let names = try folders.files(folders.outbound)
        let texts = try names.map {
            String(decoding: try Data(contentsOf: URL(fileURLWithPath: folders.outbound + "/" + $0)), as: UTF8.self)
        }
        #expect(
            texts.map { $0.split(separator: "\r\n").last.map(String.init) } == [
                "I,customer-1-1,Acme,5,,customer-1-1", "U,customer-1-1,Acme,6,,customer-1-1", "D,customer-1-1,Acme,6,,customer-1-1",
            ], "in the order of their names")
        await driver.close()
    }

    @Test func rulesAreAnsweredByTheirNamesAndWriteNothing() async throws {
        let folders = try Folders()
        let driver = try folders.driver(
            "customer: out=c key=id columns=id,name,limit:number,since:date,ok:boolean encoding=latin-1 limit=200\nnote: in=*.csv key=id columns=id"
        )
        let made = try #require(try await driver.apply(delivery(.create, ["id": "a", "name": "Acme"])).document)
        func rule(_ fields: Fields) async throws -> String? { try await driver.apply(delivery(.update, fields, of: made)).rule }
        #expect(try await rule(["colour": "red"]) == "unknown-field")
        for fields in [["name": "€"], ["name": "a\u{0}"], ["name": 1], ["limit": "5"], ["since": "2026-02-30"], ["ok": "yes"]] as [Fields] {
            #expect(try await rule(fields) == "invalid-value", "\(fields)")
        }
        #expect(try await rule(["id": "b"]) == "read-only")
        #expect(try await rule(["name": .string(String(repeating: "x", count: 300))]) == "too-long")
        #expect(try await driver.apply(delivery(.create, ["id": "a"], reference: "customer-1-9")).rule == "duplicate-key")
        #expect(try await driver.apply(delivery(.delete, of: made)).rule == "no-delete")
        var blind = delivery(.update, ["name": "x"], of: made)
        blind.expected = nil
        #expect(try await driver.apply(blind).rule == "missing-token")
        #expect(try await driver.apply(delivery(.create, native: "note")).rule == "unknown-type")
        #expect(try folders.files(folders.outbound).count == 1)
        await driver.close()
    }

    @Test func aRefusedDeliveryDoesNotTakeTheOthersWithIt() async throws {
        let folders = try Folders()
        let driver = try folders.driver(Self.customers)
        let batch = [
            delivery(.create, ["name": "A"]), delivery(.create, ["nme": "B"], reference: "customer-1-2"),
            delivery(.create, ["name": "C"], reference: "customer-1-3"),
        ]
        let answers = try await driver.apply(batch)
        #expect(answers.map(\.rule) == [nil, "unknown-field", nil])
        #expect(try folders.written().split(separator: "\r\n").count == 3)
        await driver.close()
    }

    // MARK: Crashes

    @Test func theSameDeliveriesAgainMakeNoSecondFile() async throws {
        let folders = try Folders()
        let batch = [delivery(.create, ["name": "A"]), delivery(.create, ["name": "B"], reference: "customer-1-2")]
        let first = try folders.driver(Self.customers)
        let written = try await first.apply(batch)
        await first.close()
        let second = try folders.driver(Self.customers)
        let again = try await second.apply(batch)
        #expect(again.map(\.document) == written.map(\.document) && again.allSatisfy { if case .unchanged = $0 { true } else { false } })
        #expect(try folders.files(folders.outbound).count == 1)
        await second.close()
    }

    /// A crash before the transaction is there: the file was written, and nothing of it happened.
    @Test func whatWasStagedForNothingIsRemoved() async throws {
        let folders = try Folders()
        let staged = folders.outbound + "/.multipoint/staged"
        try FileManager.default.createDirectory(atPath: staged, withIntermediateDirectories: true)
        try DurableFile.make(staged + "/customers-1-2.csv", holding: [0x61])
        let driver = try folders.driver(Self.customers)
        #expect(try await driver.apply(delivery(.create, ["name": "A"])).document != nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: staged).isEmpty)
        #expect(try folders.written().contains("I,customer-1-1,A"))
        await driver.close()
    }

    /// A crash behind the transaction: before the file got its name, or after that, when it may have been taken already.
    @Test(arguments: [true, false]) func aFileGetsItsNameOnce(hadItsName: Bool) async throws {
        let folders = try Folders()
        let first = try folders.driver(Self.customers)
        #expect(try await first.apply(delivery(.create, ["name": "A"])).document != nil)
        let name = try #require(try folders.files(folders.outbound).first)
        let staged = folders.outbound + "/.multipoint/staged/" + name
        try await first.state.perform { db in
            try db.execute(sql: "INSERT INTO outgoing (name, staged) VALUES (?, ?)", arguments: [name, staged])
        }
        if hadItsName {
            try FileManager.default.removeItem(atPath: folders.outbound + "/" + name)
        } else {
            try DurableFile.move(folders.outbound + "/" + name, to: staged)
        }
        await first.close()
        let second = try folders.driver(Self.customers)
        _ = try await second.probe()
        #expect(try folders.files(folders.outbound) == (hadItsName ? [] : [name]))
        await second.close()
    }

    /// Something else has the file's name, and then goes.
    @Test func aFileThatCannotGetItsNameIsNoAnswerAndGetsItLater() async throws {
        let folders = try Folders()
        let driver = try folders.driver(Self.customers)
        let create = delivery(.create, ["name": "A"])
        _ = try await driver.probe()
        let type = driver.types[0]
        var rows = Drop.Rows(type, first: try await driver.state.perform { try FolderWork($0).lastPlace() } + 1)
        rows.add([], create)
        let obstacle = folders.outbound + "/" + rows.name
        try FileManager.default.createDirectory(atPath: obstacle + "/x", withIntermediateDirectories: true)
        let answer = try await driver.apply(create)
        guard case .noAnswer(let reason) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(reason.contains("could not be given its name yet"))
        let question = LookUp(native: "customer", company: nil, reference: create.reference)
        await #expect(throws: DriverError.self, "nothing is said of it meanwhile") { try await driver.lookUp([question]) }
        try FileManager.default.removeItem(atPath: obstacle)
        #expect(try await driver.lookUp([question])[0].count == 1)
        #expect(try folders.files(folders.outbound) == [rows.name])
        await driver.close()
    }

    @Test func whileAnotherProcessHoldsTheRecordWritesAreForLater() async throws {
        let folders = try Folders()
        let driver = try folders.driver(Self.customers, ["answerMilliseconds": "400"])
        _ = try await driver.probe()
        let answer = try await whileHeld(driver.paths.database) { try await driver.apply(delivery(.create, ["name": "A"])) }
        guard case .later = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(try folders.files(folders.outbound).isEmpty)
        #expect(try await driver.apply(delivery(.create, ["name": "A"])).document != nil)
        await driver.close()
    }

    // MARK: Both ways

    @Test func aWriteKnowsWhatTheOtherProgramHasDropped() async throws {
        let folders = try Folders()
        let driver = try folders.driver("customer: in=*.csv out=c key=id columns=id,name,city")
        let made = try #require(try await driver.apply(delivery(.create, ["id": "a", "name": "Acme"])).document)
        try folders.drop("x.csv", "id,name,city\na,Acme,Paris\n")
        #expect(try await driver.apply(delivery(.update, ["name": "Acme SA"], of: made)) == .changed)
        let present = try #require(try await driver.read([ReadRequest(native: "customer", company: nil, key: "a")])[0])
        #expect(present.fields["city"] == "Paris" && present.reference == "customer-1-1")
        #expect(try await driver.apply(delivery(.update, ["name": "Acme SA"], of: present)).document?.fields["city"] == "Paris")
        let told = try await driver.told()
        #expect(told.changes.map { $0.fields?["name"] } == ["Acme", "Acme", "Acme SA"])
        #expect(told.changes.allSatisfy { $0.event.reference == "customer-1-1" })
        await driver.close()
    }

    @Test func companiesAreTold() async throws {
        let folders = try Folders()
        let driver = try folders.driver("order: in=*.csv out=o key=id company=co operation=op columns=op,id,co,total:number")
        try folders.drop("x.csv", "op,id,co,total\nI,1,FR01,5\nI,2,,5\nD,1,FR01,\n")
        let told = try await driver.told()
        #expect(told.changes.map(\.event.company) == ["FR01", "FR01"] && told.malformed.count == 1)
        var create = delivery(.create, ["id": "7"], reference: "order-1-1", native: "order")
        create.company = "US01"
        #expect(try await driver.apply(create).document?.fields["co"] == "US01")
        #expect(try await driver.lookUp([LookUp(native: "order", company: "FR01", reference: "order-1-1")]) == [[]])
        await driver.close()
    }

    @Test func linesOfJSONGoOutToo() async throws {
        let folders = try Folders()
        let driver = try folders.driver("item: out=items format=ndjson key=sku operation=op columns=op,sku,name,price:number,tags:json")
        let fields: Fields = ["sku": "7", "name": "a\nb", "price": .number(Number(110, scale: 2)), "tags": ["x"]]
        _ = try await driver.apply(delivery(.create, fields, reference: "item-1-1", native: "item"))
        #expect(try folders.written() == "{\"name\":\"a\\nb\",\"op\":\"I\",\"price\":1.10,\"sku\":\"7\",\"tags\":[\"x\"]}\n")
        await driver.close()
    }
}
