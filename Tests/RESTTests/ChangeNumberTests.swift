import HubDriver
import HubModel
import Testing

@testable import REST
@testable import StandIns

@Suite("REST: changes by number")
struct ChangeNumberTests {
    /// Rows that have the number of their last change; what is deleted stays, marked.
    private func server() async throws -> (StrictServer, NumberedRows) {
        let rows = NumberedRows()
        return (try await StrictServer { rows.answer($0) }, rows)
    }

    private func driver(_ server: StrictServer, overlap: String = "") throws -> any Capturing {
        let text = """
            identity: { path: /me }
            capture: { pollMilliseconds: 1 }
            entities:
              - native: item
                entity: product
                key: id
                archived: { member: deleted, is: true }
                list: { path: "/rows?limit={limit}[&after={after}]", paging: after }
                changes: { path: "/rows?limit={limit}&offset={offset}[&above={since}]", paging: offset, member: seq, form: number\(overlap) }
            """
        return try #require(try RecipeFile(text).made(["url": server.url]) as? any Capturing)
    }

    private func told(_ batch: CapturedBatch) -> [String] {
        batch.changes.map { "\($0.event.operation == .delete ? "-" : "+")\($0.event.key?.rawValue ?? "")" }
    }

    @Test("What has a higher number is told, in order, marked rows as deletions")
    func numbers() async throws {
        let (server, rows) = try await server()
        let driver = try driver(server)
        #expect(driver.manifest.window.contains("a higher number") && !driver.manifest.window.contains("modified since"))
        for key in ["a", "b", "c"] { rows.change(key) }
        let first = try await driver.capture(after: nil, limit: 2)
        #expect(told(first) == ["+a", "+b"])
        let second = try await driver.capture(after: first.position, limit: 10)
        #expect(told(second) == ["+c"])
        #expect(second.changes.allSatisfy { $0.event.time == nil })
        rows.change("a")
        rows.change("b", isDeleted: true)
        let third = try await driver.capture(after: second.position, limit: 10)
        #expect(told(third) == ["+a", "-b"])
        #expect(server.requests.last { $0.query["above"] != nil }?.query["above"] == "3")
        #expect(told(try await driver.capture(after: third.position, limit: 10)) == [])
        #expect(told(try await driver.capture(after: second.position, limit: 10)) == ["+a", "-b"])
        await driver.close()
    }

    @Test("A number that becomes visible late is told where the overlap reaches it")
    func overlap() async throws {
        let (server, rows) = try await server()
        let (bare, overlapping) = (try driver(server), try driver(server, overlap: ", overlap: 3"))
        rows.change("a", number: 10)
        let position = try await overlapping.capture(after: nil, limit: 10).position
        rows.change("late", number: 8)
        #expect(told(try await overlapping.capture(after: position, limit: 10)) == ["+late"])
        #expect(told(try await bare.capture(after: position, limit: 10)) == [])
        for driver in [bare, overlapping] { await driver.close() }
    }

    @Test("Only numbers are counted back in numbers")
    func mistakes() async throws {
        let error = #expect(throws: DriverError.self) {
            _ = try RecipeReader.recipe(
                """
                identity: { path: /me }
                entities:
                  - native: item
                    entity: product
                    key: id
                    list: { path: /rows, paging: none }
                    changes: { path: "/rows?s={since}", paging: none, member: at, overlap: 5 }
                """, file: "shop.yaml")
        }
        #expect(error?.message.contains("shop.yaml:7: entities[0].changes.overlap") == true, "\(error?.message ?? "")")
    }
}
