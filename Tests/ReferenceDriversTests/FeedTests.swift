import HubDriver
import HubModel
import ReferenceApplication
import ReferenceERP
import Testing

struct FeedTests {
    /// Two connections write at once; the feed must hold one event per change, in the order of positions, and end in the documents' state.
    @Test func everyChangeHasOneEvent() async throws {
        let bench = try await ERPBench()
        let time = bench.time
        let second = try ERPApplication(path: bench.temporary.path, now: { time.now })
        let changed = try await withThrowingTaskGroup(of: Int.self) { group in
            for worker in 0..<4 {
                let erp = worker % 2 == 0 ? bench.erp : second
                group.addTask {
                    var count = 0
                    for step in 0..<25 {
                        let key = try await erp.createPartner(["name": .string("P \(worker) \(step)")])
                        try await erp.editPartner(key, ["city": "Lyon"])
                        try await erp.editPartner(key, ["city": "Lyon"])  // changes nothing
                        count += 2
                        if step % 5 == 0 {
                            try await erp.deletePartner(key)
                            count += 1
                        }
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        let told = try await bench.driver.changes()
        #expect(told.count == changed + 3)
        #expect(try second.file.eventCount() == told.count)
        let positions = told.compactMap { $0.event.position?.minor }
        #expect(positions == (1...Int64(told.count)).map { $0 })

        var state: [NativeKey: Fields] = [:]
        for change in told where change.event.type == "partner" {
            let key = try #require(change.event.key)
            state[key] = change.event.operation == .delete ? nil : change.fields
        }
        let documents = try second.file.documents(native: "partner")
        #expect(Dictionary(uniqueKeysWithValues: documents.map { ($0.key, $0.fields) }) == state)
        #expect(documents.allSatisfy { document in told.last { $0.event.key == document.key }?.event.position == document.stamp })
        #expect(Set(documents.map { $0.fields["code"] }).count == documents.count)
    }

    @Test func severalConnectionsOpenANewFileAtOnce() async throws {
        let file = TemporaryFile()
        let instances = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let driver = try ReferenceERPFactory.make(DriverSettings(application: "erp", values: ["file": file.path]))
                    return try await driver.probe().instance
                }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(instances.count == 1)
    }

    @Test func refusedWorkLeavesNothing() async throws {
        let bench = try await ERPBench()
        let order = try await bench.erp.createOrder(bench.order(["status": "confirmed"]))
        let before = try bench.erp.file.eventCount()
        // The second line fails after the first has been taken from stock.
        await expectRefused("invalid-field") { try await bench.erp.ship(order, ["1": 1, "7": 1]) }
        await expectRefused("invalid-field") { try await bench.erp.ship(order, ["1": 3]) }
        #expect(try bench.erp.file.eventCount() == before)
        #expect(try bench.document("article", bench.article).fields["stock"] == 100)
    }

    @Test func documentTextKeepsEverything() throws {
        let fields: Fields = [
            "text": "a\"b\\c\n\u{1}é😀", "empty": "", "null": .null, "yes": true, "no": false,
            "numbers": [.number(Number(-1250, scale: 2)), 0, .number(try #require(Number("1e400")))],
            "nested": ["list": [], "object": [:]],
        ]
        let text = JSONText.text(.object(fields))
        let back = try JSONText.fields(text)
        #expect(back == fields && JSONText.text(.object(back)) == text)
        for length in 0..<text.utf8.count {
            #expect(throws: JSONTextError.self) {
                try JSONText.fields(String(decoding: text.utf8.prefix(length), as: UTF8.self))
            }
        }
    }

    @Test func calendarDates() {
        for (text, day) in [("1970-01-01", 0), ("1969-12-31", -1), ("2000-02-29", 11016), ("2026-09-21", 20717)] {
            #expect(CalendarDate(text)?.day == day && CalendarDate(day: day).description == text)
        }
        for text in ["2026-02-29", "2026-13-01", "2026-00-10", "2026-1-01", "26-01-011", "", "2026/01/01"] {
            #expect(CalendarDate(text) == nil)
        }
        for day in stride(from: -800_000, to: 2_000_000, by: 97) where day > -719_000 {
            #expect(CalendarDate(CalendarDate(day: day).description)?.day == day)
        }
    }
}
