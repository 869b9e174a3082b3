import HubDriver
import HubModel
import Testing

@testable import REST
@testable import StandIns

@Suite("REST: changes by moment, with moments that cannot be")
struct MomentTests {
    private static let far: Int64 = 4_070_908_800_000  // 2099-01-01

    private func driver(_ server: StrictServer, _ form: String) throws -> any Capturing {
        let text = """
            identity: { path: /me }
            capture: { pollMilliseconds: 1, overlapSeconds: 1 }
            entities:
              - native: item
                entity: product
                key: id
                list: { path: "/rows?limit={limit}[&after={after}]", paging: after }
                changes: { path: "/rows?limit={limit}&offset={offset}[&above={since}]", paging: offset, member: seq, form: \(form) }
            """
        return try #require(try RecipeFile(text).made(["url": server.url]) as? any Capturing)
    }

    private func told(_ batch: CapturedBatch) -> [String] { batch.changes.compactMap { $0.event.key?.rawValue } }

    @Test("One moment in the future hides nothing that changes before it, and is told once")
    func future() async throws {
        let rows = NumberedRows()
        let server = try await StrictServer { rows.answer($0) }
        let driver = try driver(server, "milliseconds")
        rows.change("old", number: Instant.now.milliseconds - 60_000)
        rows.change("far", number: Self.far)
        var batch = try await driver.capture(after: nil, limit: 10)
        #expect(told(batch) == ["old", "far"])
        rows.change("today", number: Instant.now.milliseconds)
        batch = try await driver.capture(after: batch.position, limit: 10)
        #expect(told(batch) == ["today"])
        let since = server.requests.compactMap { $0.query["above"] }.last.flatMap { Int64($0) } ?? 0
        #expect(since > Instant.now.milliseconds - 120_000, "what is older is not looked through again: \(since)")
        rows.change("later", number: Instant.now.milliseconds)
        batch = try await driver.capture(after: batch.position, limit: 10)
        #expect(told(batch) == ["later"])
        #expect(told(try await driver.capture(after: batch.position, limit: 10)) == [])
        await driver.close()
    }

    @Test("A feed that stood still at such a moment looks through everything once more")
    func standing() async throws {
        let rows = NumberedRows()
        let server = try await StrictServer { rows.answer($0) }
        let driver = try driver(server, "milliseconds")
        rows.change("far", number: Self.far)
        var position = try CapturePosition(try #require(try await driver.capture(after: nil, limit: 10).position))
        position.feeds["item"]?.latest = Self.far
        rows.change("missed", number: Instant.now.milliseconds - 60_000)
        let batch = try await driver.capture(after: position.text, limit: 10)
        #expect(told(batch) == ["missed"])
        #expect(told(try await driver.capture(after: batch.position, limit: 10)) == [])
        await driver.close()
    }

    @Test("A place at the beginning of all numbers is one", arguments: ["milliseconds", "number, overlap: 3"])
    func least(form: String) async throws {
        let rows = NumberedRows()
        let server = try await StrictServer { rows.answer($0) }
        let driver = try driver(server, form)
        rows.change("least", number: .min)
        var batch = try await driver.capture(after: nil, limit: 10)
        #expect(told(batch) == ["least"])
        rows.change("next", number: 5)
        batch = try await driver.capture(after: batch.position, limit: 10)
        #expect(told(batch) == ["next"])
        await driver.close()
    }
}
