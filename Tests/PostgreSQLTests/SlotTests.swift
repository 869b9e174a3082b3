import HubDriver
import HubModel
import PostgresClient
import Testing

@testable import PostgreSQL

/// Capture by logical decoding, on a live server.
@Suite(.serialized, .enabled(if: Live.isThere, Live.why)) struct SlotTests {
    @Test func tablesAreReadFirstAndTheStreamFollows() async throws {
        try await SlotDesk.run { desk in
            try desk.sql("INSERT INTO customer (name) SELECT 'old ' || i FROM generate_series(1, 25) i")
            var listener = try desk.listener()
            // In pages, in the order of keys, while the table changes.
            let first = try await listener.tell(10)
            try desk.sql("UPDATE customer SET name = 'changed' WHERE id IN (3, 20)")
            try desk.sql("DELETE FROM customer WHERE id = 4; INSERT INTO customer (name) VALUES ('new')")
            #expect(first.map { $0.event.key } == (1...10).map { NativeKey("\($0)") })
            #expect(first.allSatisfy { $0.event.operation == .snapshot && $0.event.token == "1" })
            try await listener.tell { $0.told.last { $0.event.key == "26" } != nil }
            #expect(listener.state["3"]?["name"] == "changed" && listener.state["20"]?["name"] == "changed")
            #expect(listener.state["4"] == nil && listener.state.count == 25 && listener.state["26"]?["name"] == "new")
            #expect(listener.isInOrder)
        }
    }

    @Test func theSamePositionGivesTheSameAgainAfterARestart() async throws {
        try await SlotDesk.run { desk in
            var listener = try desk.listener()
            try await listener.tell { $0.isStreaming }
            for round in 1...6 { try desk.sql("INSERT INTO customer (name) SELECT 'r\(round) ' || i FROM generate_series(1, 5) i") }
            let start = listener.position
            let first = try await listener.again(after: start, 12, expecting: 10)
            #expect(first.changes.count == 10, "two transactions of five, not two and a half")
            let rest = try await listener.again(after: first.position, 100, expecting: 20)
            #expect(rest.changes.count == 20)
            // The hub has gone back.
            let once = try await listener.again(after: start, 12)
            #expect(once.changes == first.changes && once.position == first.position)
            await desk.restart()
            listener = try desk.listener(start)
            let twice = try await listener.again(after: start, 12, expecting: 10)
            #expect(twice.changes == first.changes && twice.position == first.position)
            let cut = try await listener.again(after: start, 3)
            #expect(cut.changes == Array(first.changes.prefix(3)))
            await desk.restart()
            listener = try desk.listener(start)
            let behind = try await listener.again(after: cut.position, 2)
            #expect(behind.changes == Array(first.changes[3..<5]))
        }
    }

    @Test func whatIsToldIsWhatIsRead() async throws {
        try await SlotDesk.run(SlotDesk.wide, "wide: table=$schema.wide feed=slot") { desk in
            var listener = try desk.listener()
            try await listener.tell { $0.isStreaming }
            try desk.sql(SlotDesk.wideRows)
            try await listener.tell { Set($0.told.filter { $0.event.type == "wide" }.map(\.event.key)).count == 3 }
            let reading = try #require(desk.driver as? any Reading)
            for key in ["1", "2", "3"] as [NativeKey] {
                let read = try await reading.read([ReadRequest(native: "wide", company: nil, key: key)])
                let fields = try #require(read.first??.fields)
                let told = try #require(listener.told.last { $0.event.type == "wide" && $0.event.key == key }?.fields)
                for (name, value) in fields { #expect(told[name] == value, "\(key) \(name)") }
                #expect(JSONText.text(.object(told)) == JSONText.text(.object(fields)), "digits and all")
            }
        }
    }

    @Test func aLargeColumnThatDidNotChangeIsAbsent() async throws {
        try await SlotDesk.run { desk in
            // A trigger that makes the row anew writes all of it.
            try desk.sql("DROP TRIGGER raise ON customer; INSERT INTO customer (name, data) VALUES ('large', NULL)")
            try desk.sql("UPDATE customer SET extra = to_jsonb((SELECT string_agg(md5(i::text), '') FROM generate_series(1, 1000) i))")
            var listener = try desk.listener()
            try await listener.tell { $0.isStreaming }
            try desk.sql("UPDATE customer SET name = 'small change'")
            try await listener.tell { $0.told.last?.event.operation == .upsert }
            let told = try #require(listener.told.last?.fields)
            #expect(told["name"] == "small change" && told["extra"] == nil && told["data"] == .some(.null))
            #expect(told["double_limit"] == .some(.null), "a generated column is read")
            #expect(listener.state["1"]?["extra"]?.text?.utf8.count == 32_000)
            // Under another key the row is told whole.
            try desk.sql("ALTER TABLE customer ALTER id SET GENERATED BY DEFAULT; UPDATE customer SET id = 77")
            try await listener.tell { $0.told.last?.event.key == "77" }
            #expect(listener.told.last?.fields?["extra"]?.text?.utf8.count == 32_000 && listener.state["1"] == nil)
        }
    }

    @Test func aLargeTransactionIsToldInPartsAndOnce() async throws {
        try await SlotDesk.run { desk in
            var listener = try desk.listener()
            try await listener.tell { $0.isStreaming }
            try desk.sql("INSERT INTO customer (name) SELECT 'row ' || i FROM generate_series(1, 30000) i")
            try await listener.tell(500) { $0.told.filter { $0.event.operation == .upsert }.count >= 10_000 }
            // The connection breaks in the middle.
            try desk.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '\(desk.slot)' AND active")
            try await listener.tell(500, forgiving: true) { $0.told.filter { $0.event.operation == .upsert }.count >= 30_000 }
            let keys = listener.told.filter { $0.event.operation == .upsert }.compactMap(\.event.key)
            #expect(keys.count == 30_000 && Set(keys).count == 30_000)
            #expect(listener.isInOrder)
            let details = try await desk.driver.probe().details
            #expect(details.contains { $0.contains("larger") } && details.contains { $0.contains("bytes behind") }, "\(details)")
        }
    }

    @Test func anEmptiedTableIsToldByItsKeys() async throws {
        try await SlotDesk.run { desk in
            try desk.sql("INSERT INTO customer (name) SELECT 'row ' || i FROM generate_series(1, 30) i")
            var listener = try desk.listener()
            try await listener.tell { $0.isStreaming }
            // Emptied and filled again: only what is missing afterwards has gone.
            try desk.sql("BEGIN; TRUNCATE customer CASCADE; INSERT INTO customer (name) VALUES ('again'); COMMIT")
            try desk.sql("INSERT INTO customer (name) VALUES ('later')")
            try await listener.tell(7) { $0.state.count == 2 && $0.isStreaming }
            #expect(Set(listener.state.values.compactMap { $0["name"] }) == ["again", "later"])
            #expect(listener.told.filter { $0.event.operation == .delete }.count == 30)
            #expect(listener.isInOrder)
        }
    }

    @Test func aLostSlotIsSaidAndMadeGoodByReadingAndComparing() async throws {
        try await SlotDesk.run { desk in
            try desk.sql("INSERT INTO customer (name) SELECT 'row ' || i FROM generate_series(1, 12) i")
            var listener = try desk.listener()
            try await listener.tell { $0.isStreaming }
            await desk.restart()
            try await desk.dropSlot()
            try desk.sql("DELETE FROM customer WHERE id <= 5; UPDATE customer SET name = 'missed' WHERE id = 6")
            listener = try desk.listener(listener)
            let error = await #expect(throws: DriverError.self) { try await listener.tell(5) }
            #expect(error?.message.contains("is gone") == true && error?.message.contains("comparing keys") == true)
            try await listener.tell(5) { $0.isStreaming }
            #expect(listener.state.count == 7 && listener.state["6"]?["name"] == "missed")
            #expect(listener.told.filter { $0.event.operation == .delete }.compactMap(\.event.key).sorted() == ["1", "2", "3", "4", "5"])
            #expect(listener.isInOrder)
            try desk.sql("INSERT INTO customer (name) VALUES ('goes on')")
            try await listener.tell { $0.told.last?.fields?["name"] == "goes on" }
        }
    }

    @Test func tablesMayChangeInTheMiddle() async throws {
        try await SlotDesk.run { desk in
            var listener = try desk.listener()
            try await listener.tell { $0.isStreaming }
            try desk.sql("INSERT INTO customer (name) VALUES ('before')")
            try desk.sql("ALTER TABLE customer ADD colour text DEFAULT 'red'; INSERT INTO customer (name, colour) VALUES ('after', 'blue')")
            try desk.sql("ALTER TABLE customer DROP COLUMN born; UPDATE customer SET name = 'changed' WHERE id = 1")
            try await listener.tell { $0.told.last?.fields?["name"] == "changed" }
            #expect(listener.state["2"]?["colour"] == "blue" && listener.state["1"]?["colour"] == "red")
            #expect(listener.told.last?.fields?.names.contains("born") == false)
        }
    }

    @Test func aTableWhoseDeletionsCouldNotBeToldIsRefused() async throws {
        try await SlotDesk.run { desk in
            try desk.sql("ALTER TABLE customer REPLICA IDENTITY NOTHING")
            var listener = try desk.listener()
            let error = await #expect(throws: DriverError.self) { try await listener.tell(5) }
            #expect(error?.code == .configuration && error?.message.contains("REPLICA IDENTITY FULL") == true, "\(error?.message ?? "")")
            try desk.sql("ALTER TABLE customer REPLICA IDENTITY FULL; INSERT INTO customer (name, extra) VALUES ('full', '[1]')")
            try await listener.tell { $0.isStreaming }
            try desk.sql("DELETE FROM customer")
            try await listener.tell { $0.told.last?.event.operation == .delete }
            #expect(listener.state.isEmpty)
        }
    }

    @Test func aDeletionSaysOfWhichCompanyItWas() async throws {
        try await SlotDesk.run("", "branch: table=$schema.branch company=company feed=slot") { desk in
            var listener = try desk.listener()
            let error = await #expect(throws: DriverError.self) { try await listener.tell(5) }
            #expect(error?.message.contains("has not the column company") == true, "\(error?.message ?? "")")
            try desk.sql("ALTER TABLE branch REPLICA IDENTITY FULL; INSERT INTO branch (city, company) VALUES ('Lyon', 'fr')")
            try await listener.tell { $0.isStreaming && !$0.told.isEmpty }
            try desk.sql("DELETE FROM branch")
            try await listener.tell { $0.told.last?.event.operation == .delete }
            #expect(listener.told.map(\.event.company) == ["fr", "fr"])
        }
    }

    @Test func aTableThatComesLaterIsReadWhole() async throws {
        try await SlotDesk.run { desk in
            try desk.sql("INSERT INTO customer (name) VALUES ('a'); INSERT INTO country VALUES ('FR', 'France')")
            var listener = try desk.listener()
            try await listener.tell { $0.isStreaming }
            desk.declared += "land: table=$schema.country feed=slot"
            await desk.restart()
            var later = try desk.listener(listener)
            try desk.sql("INSERT INTO country VALUES ('DE', 'Germany'); UPDATE customer SET name = 'b'")
            try await later.tell { $0.state["1"]?["name"] == "b" && $0.state.count == 3 }
            #expect(later.isInOrder && later.state["FR"] != nil && later.state["DE"] != nil)
        }
    }

    @Test func theSlotIsMovedOnWithWhatTheHubHasAndWhereNothingConcernsIt() async throws {
        try await SlotDesk.run(settings: ["slotKeepSeconds": "0"]) { desk in
            var listener = try desk.listener()
            try await listener.tell { $0.isStreaming }
            func confirmed() throws -> LogSequenceNumber {
                let row = try desk.connection.run(
                    "SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = $1", [.text(desk.slot)]
                ).first
                return try #require(row.flatMap { LogSequenceNumber($0.text(0)) })
            }
            func written() throws -> LogSequenceNumber {
                let row = try desk.connection.run("SELECT pg_current_wal_lsn()::text").first
                return try #require(row.flatMap { LogSequenceNumber($0.text(0)) })
            }
            // An idle slot may still be moved on to here, and not a byte beyond.
            let before = try written()
            try desk.sql("INSERT INTO customer (name) VALUES ('told')")
            try await listener.tell { $0.told.last?.fields?["name"] == "told" }
            #expect(try confirmed() <= before, "told is not stored")
            // Others write much of the log.
            try desk.sql("CREATE TABLE noise AS SELECT i, repeat(md5(i::text), 10) FROM generate_series(1, 20000) i")
            let noise = try written()
            for _ in 0..<200 {
                if try confirmed() >= noise { break }
                try await listener.tell(10)
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(try confirmed() >= noise)
        }
    }

    @Test func partsSignalTheirDocument() async throws {
        let tables = """
            CREATE TABLE sale (id int PRIMARY KEY, state text); CREATE TABLE line (id int PRIMARY KEY, sale int, quantity int);
            ALTER TABLE line REPLICA IDENTITY FULL; INSERT INTO sale VALUES (1, 'draft'), (2, 'draft'); INSERT INTO line VALUES (1, 1, 5);
            """
        let declared = """
            sale: table=$schema.sale feed=slot
            sale.line: table=$schema.line document=sale key=sale feed=slot
            """
        try await SlotDesk.run(tables, declared) { desk in
            #expect(desk.driver.manifest.entity(native: "sale.line") == nil)
            var listener = try desk.listener()
            try await listener.tell { $0.isStreaming }
            #expect(listener.told.filter { $0.event.type == "sale" }.map(\.event.key) == ["1", "2"], "parts are no documents")
            try desk.sql("BEGIN; UPDATE line SET quantity = 6; INSERT INTO line VALUES (2, 2, 1); COMMIT")
            try await listener.tell { $0.told.last?.event.key == "2" && $0.told.last?.event.operation == .upsert }
            #expect(listener.told.suffix(2).map(\.event.key) == ["1", "2"] && listener.told.last?.fields == nil)
            // From one document to the other: both have changed.
            try desk.sql("UPDATE line SET sale = 2 WHERE id = 1")
            let count = listener.told.count
            try await listener.tell { $0.told.count >= count + 2 }
            #expect(listener.told.suffix(2).map(\.event.key) == ["1", "2"])
            try desk.sql("DELETE FROM line WHERE id = 2")
            try await listener.tell { $0.told.count >= count + 3 }
            #expect(listener.told.last?.event.key == "2" && listener.told.last?.event.operation == .upsert)
        }
    }
}
