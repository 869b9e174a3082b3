import Foundation
import HubDriver
import HubModel
import PostgresClient
import Synchronization
import Testing

@testable import PostgreSQL

/// Rows that belong to documents, directly or through other tables, on a live server.
@Suite(.serialized, .enabled(if: Live.isThere, Live.why)) struct SlotTrailTests {
    private static let tables = """
        CREATE TABLE sale (id int PRIMARY KEY, state text); CREATE TABLE line (id int PRIMARY KEY, sale int);
        CREATE TABLE invoice (id int PRIMARY KEY, state text);
        CREATE TABLE invoice_line (id int PRIMARY KEY, invoice int, origin text);
        CREATE TABLE note (id int PRIMARY KEY, resource text, body text);
        ALTER TABLE line REPLICA IDENTITY FULL; ALTER TABLE invoice_line REPLICA IDENTITY FULL;
        INSERT INTO sale VALUES (1, 'open'), (2, 'open'), (3, 'open'); INSERT INTO line VALUES (10, 1), (20, 2), (21, 2), (30, 3);
        INSERT INTO invoice VALUES (7, 'draft'), (8, 'draft');
        INSERT INTO invoice_line VALUES (70, 7, 'sale.line,10'), (71, 7, 'sale.line,20'), (72, 7, 'sale.line,21'), (73, 7, NULL),
            (74, 7, 'sale.line,'), (75, 7, 'sale.line,x'), (80, 8, 'purchase.line,30');
        """

    private static let declared = """
        sale: table=$schema.sale feed=slot write=no
        sale.line: table=$schema.line document=sale key=sale feed=slot
        sale.invoice: table=$schema.invoice document=sale key=id \
        through=$schema.invoice_line:invoice:origin(sale.line)/$schema.line:id:sale feed=slot
        sale.invoiced: table=$schema.invoice_line document=sale key=origin(sale.line) through=$schema.line:id:sale feed=slot
        sale.note: table=$schema.note document=sale key=resource(sale) deletions=no feed=slot
        sale.missing: table=$schema.missing document=sale key=sale feed=slot optional=yes
        missing: table=$schema.missing feed=slot optional=yes
        sale.bent: table=$schema.note document=sale key=id through=$schema.missing:a:b deletions=no feed=slot optional=yes

        """

    private func keys(_ changes: [CapturedChange]) -> [NativeKey] { changes.filter { $0.event.type == "sale" }.compactMap(\.event.key) }

    @Test func theWayMayLeadThroughOtherTables() async throws {
        try await SlotDesk.run(Self.tables, Self.declared) { desk in
            var listener = try desk.listener()
            try await listener.tell { $0.isStreaming }
            #expect(keys(listener.told) == ["1", "2", "3"])
            func told(_ sql: String, _ listener: inout SlotListener, until key: NativeKey) async throws -> [CapturedChange] {
                let count = listener.told.count
                try desk.sql(sql)
                try await listener.tell { $0.told.dropFirst(count).contains { $0.event.key == key } }
                return Array(listener.told.dropFirst(count))
            }
            // One invoice of two orders, one of whose has two lines on it.
            let invoiced = try await told("UPDATE invoice SET state = 'posted' WHERE id IN (7, 8)", &listener, until: "2")
            #expect(keys(invoiced) == ["1", "2"] && invoiced.allSatisfy { $0.fields == nil && $0.event.operation == .upsert })
            #expect(Set(invoiced.map(\.event.id)).count == 2)
            // A line of an invoice goes: its order is told, and no other.
            let gone = try await told("DELETE FROM invoice_line WHERE id IN (70, 75, 80)", &listener, until: "1")
            #expect(keys(gone) == ["1"])
            // A note moves on: who had it before is not known, as its table says nothing of that.
            let noted = try await told("INSERT INTO note VALUES (1, 'sale,3', 'a'), (2, 'party,1', 'b')", &listener, until: "3")
            #expect(keys(noted) == ["3"])
            let moved = try await told(
                "DELETE FROM note WHERE id = 2; UPDATE note SET resource = 'sale,2' WHERE id = 1", &listener, until: "2")
            #expect(keys(moved) == ["2"])
            let details = try await desk.driver.probe().details
            #expect(details.contains { $0.hasPrefix("not there, and left out: missing") }, "\(details)")
        }
    }

    @Test func aDocumentIsSignalledOnceByATransactionHoweverManyRowsOfItChange() async throws {
        try await SlotDesk.run(Self.tables, Self.declared) { desk in
            var listener = try desk.listener()
            try await listener.tell { $0.isStreaming }
            let count = listener.told.count
            try desk.sql(
                "INSERT INTO line SELECT i, 1 + i % 2 FROM generate_series(1000, 3000) i; UPDATE sale SET state = 'done' WHERE id = 3")
            try await listener.tell(10) { $0.state["3"]?["state"] == "done" }
            #expect(keys(Array(listener.told.dropFirst(count))) == ["1", "2", "3"])
        }
    }

    @Test func aTableThatSomebodyElsePublishesIsHeardOfWithoutARestart() async throws {
        try await SlotDesk.run(Self.tables, Self.declared) { desk in
            var listener = try desk.listener()
            try await listener.tell { $0.isStreaming }
            try desk.sql(
                """
                CREATE TABLE missing (id int PRIMARY KEY, sale int, a int, b int); ALTER TABLE missing REPLICA IDENTITY FULL;
                ALTER PUBLICATION \(desk.slot) ADD TABLE missing; INSERT INTO missing VALUES (5, 1, 1, 2)
                """)
            // The next look at slot and publication, which would be half a minute away.
            let feed = try #require((desk.driver as? PostgreSQLFeedDriver)?.feed as? SlotFeed)
            feed.state.withLock { $0.checked = nil }
            try await listener.tell { $0.told.contains { $0.event.type == "missing" && $0.event.key == "5" } && $0.isStreaming }
            let count = listener.told.count
            try desk.sql("UPDATE missing SET sale = 2")
            try await listener.tell { $0.told.dropFirst(count).contains { $0.event.type == "sale" && $0.event.key == "2" } }
        }
    }

    @Test func wherePartsWereEmptiedAllDocumentsAreToldAgain() async throws {
        try await SlotDesk.run(Self.tables, Self.declared) { desk in
            var listener = try desk.listener()
            try await listener.tell { $0.isStreaming }
            let count = listener.told.count
            try desk.sql("TRUNCATE line")
            try await listener.tell(2) { $0.isStreaming && $0.told.count >= count + 3 }
            let again = Array(listener.told.dropFirst(count))
            #expect(keys(again) == ["1", "2", "3"] && again.allSatisfy { $0.event.operation == .snapshot && $0.event.time != nil })
            #expect(listener.isInOrder)
            try desk.sql("INSERT INTO line VALUES (40, 2)")
            try await listener.tell { $0.told.last?.event.operation == .upsert }
            #expect(listener.told.last?.event.key == "2")
        }
    }

    @Test func whatOthersDoNotSeeYetIsNotTold() async throws {
        try await SlotDesk.run(Self.tables, Self.declared) { desk in
            // The server of the tests has a standby that never comes, for who wants to wait for it.
            let standby = try desk.connection.run("SHOW synchronous_standby_names").first?.text(0) ?? ""
            guard !standby.isEmpty else {
                print("skipped: what others do not see yet, as the server has no standby (scripts/apps/postgres, in a new folder)")
                return
            }
            var listener = try desk.listener()
            try await listener.tell { $0.isStreaming }
            let count = listener.told.count
            // nonisolated(unsafe) because the thread has it to itself until it has finished.
            nonisolated(unsafe) let other = try Live.connect()
            defer { other.close() }
            let process = other.serverProcess
            try other.script("SET search_path = \(desk.schema); SET synchronous_commit = on")
            let thread = Thread { _ = try? other.run("UPDATE sale SET state = 'awaited' WHERE id = 2") }
            thread.start()
            func isWaiting() throws -> Bool {
                try desk.connection.run("SELECT FROM pg_stat_activity WHERE pid = \(process) AND wait_event = 'SyncRep'").count == 1
            }
            while try !isWaiting(), !thread.isFinished { try await Task.sleep(for: .milliseconds(5)) }
            for _ in 1...10 {
                try await listener.tell(10)
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(try isWaiting() && listener.told.count == count, "it is in the log, and whoever reads finds the state before")
            try desk.connection.run("SELECT pg_cancel_backend(\(process))")
            try await listener.tell { $0.told.count > count }
            #expect(listener.told.last?.event.key == "2" && listener.state["2"]?["state"] == "awaited")
            while !thread.isFinished { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    @Test func aTableThatComesLaterIsHeardOf() async throws {
        try await SlotDesk.run(Self.tables, Self.declared) { desk in
            var listener = try desk.listener()
            try await listener.tell { $0.isStreaming }
            try desk.sql("CREATE TABLE missing (id int PRIMARY KEY, sale int, a int, b int); ALTER TABLE missing REPLICA IDENTITY FULL")
            try desk.sql("INSERT INTO missing VALUES (5, 1, 1, 2)")
            await desk.restart()
            var later = try desk.listener(listener)
            try await later.tell { $0.told.contains { $0.event.type == "missing" && $0.event.key == "5" } && $0.isStreaming }
            let count = later.told.count
            try desk.sql("UPDATE missing SET sale = 2")
            try await later.tell { $0.told.dropFirst(count).contains { $0.event.key == "2" } }
            #expect(keys(Array(later.told.dropFirst(count))) == ["1", "2"], "the order before, and the one now")
        }
    }
}
