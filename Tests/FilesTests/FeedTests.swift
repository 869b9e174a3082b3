import Foundation
import GRDB
import HubDriver
import HubModel
import Testing

@testable import Files

/// The feed where its transactions do not happen, and where a position is older than what it keeps.
struct FeedTests {
    private static let customers = "customer: in=customers*.csv key=id columns=id,name"

    private func row(_ key: String) -> String { "id,name\n\(key),Name\n" }

    // MARK: Transactions that do not happen

    /// As a full disk, or an error of it: from now on nothing can be kept of what files tell.
    private func setFailing(_ driver: FilesDriver, _ isFailing: Bool) async throws {
        let failing = "CREATE TRIGGER failing BEFORE INSERT ON change BEGIN SELECT RAISE(ABORT, 'no room'); END"
        try await driver.state.perform { try $0.execute(sql: isFailing ? failing : "DROP TRIGGER failing") }
    }

    @Test func filesThatAFailedTransactionTookAreReadAndNoneTakesAnothersPlace() async throws {
        let folders = try Folders()
        let driver = try folders.driver(Self.customers)
        #expect(try await driver.told().changes.isEmpty)
        try await setFailing(driver, true)
        for key in ["a", "b", "c"] {
            try folders.drop("customers.csv", row(key))
            let error = await #expect(throws: DriverError.self) { try await driver.capture(after: nil, limit: 10) }
            #expect(error?.code == .unreachable && error?.message.contains("no room") == true)
        }
        #expect(try folders.files(folders.inbound).isEmpty, "all have been taken")
        try await setFailing(driver, false)
        let told = try await driver.told()
        #expect(told.changes.map(\.event.key) == ["a", "b", "c"] && told.malformed.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folders.archive).count == 3)
        await driver.close()
    }

    @Test func whatAnotherProcessTookAndLeftIsReadBeforeWhatIsNewer() async throws {
        let folders = try Folders()
        let driver = try folders.driver(Self.customers)
        #expect(try await driver.told().changes.isEmpty)
        let taken = folders.inbound + "/.multipoint/taken"
        for name in ["17-customers.csv", "17.1-customers.csv", "no-customers.csv", "1.2.3-customers.csv"] {
            try DurableFile.replace("\(taken)/\(name)", with: Array(row(name).utf8))
        }
        try folders.drop("customers.csv", row("new"))
        #expect(try await driver.told().changes.map(\.event.key) == ["17-customers.csv", "17.1-customers.csv", "new"])
        await driver.close()
    }

    @Test func aFileIsPutWhereNothingLies() throws {
        let folders = try Folders()
        #expect(FolderPaths.free(in: folders.inbound, 17, "a.csv") == folders.inbound + "/17-a.csv")
        for name in ["17-a.csv", "17.1-a.csv"] {
            #expect(FolderPaths.dropped(name) == "a.csv")
            try folders.drop(name, "")
        }
        #expect(FolderPaths.free(in: folders.inbound, 17, "a.csv") == folders.inbound + "/17.2-a.csv")
    }

    // MARK: Entries that have been forgotten

    /// A feed whose first entries are forgotten, and the place of the last of them.
    private func gap(_ driver: FilesDriver, _ folders: Folders) async throws -> Int64 {
        try folders.drop("customers.csv", "id,name\na,A\nb,B\n")
        let told = try await driver.told()
        let end = try #require(Int64(told.end ?? ""))
        try await driver.state.perform { try FolderWork($0).forget(upTo: end, notedBefore: Instant(milliseconds: .max)) }
        return end
    }

    @Test(arguments: 1...4) func afterAGapEveryChangeIsTold(_ limit: Int) async throws {
        let folders = try Folders()
        let driver = try folders.driver(Self.customers)
        _ = try await gap(driver, folders)
        try folders.drop("customers.csv", "id,name\nc,C\nd,D\ne,E\n")
        let told = try await driver.told(after: "1", limit: limit)
        #expect(told.malformed.map(\.code) == ["feed-gap"])
        #expect(told.changes.map(\.event.key) == ["c", "d", "e"])
        await driver.close()
    }

    @Test func aGapWithNothingBehindItIsToldOnce() async throws {
        let folders = try Folders()
        let driver = try folders.driver(Self.customers)
        let end = try await gap(driver, folders)
        let first = try await driver.capture(after: "1", limit: 2)
        #expect(first.changes.isEmpty && first.malformed.map(\.code) == ["feed-gap"] && first.position == String(end))
        #expect(first.malformed.first?.reason.contains("entries 2 to \(end)") == true)
        let second = try await driver.capture(after: first.position, limit: 2)
        #expect(second.changes.isEmpty && second.malformed.isEmpty && second.position == first.position)
        await driver.close()
    }
}
