import Foundation
import HubDriver
import HubModel
import PostgresClient
import Testing

/// What goes wrong between the driver and the database.
@Suite(.enabled(if: Live.isThere, Live.why)) struct FaultTests {
    /// Runs on a driver whose way to the server leads through the proxy, unencrypted so that it can be looked into.
    ///
    /// - Parameter more: settings of the connection.
    private func run(_ more: String = "", settings: [String: String] = [:], _ test: (Desk, SeveringProxy) async throws -> Void) async throws
    {
        let port = try #require(URL(string: Live.connection ?? "")?.port)
        let proxy = try SeveringProxy(to: port)
        defer { proxy.close() }
        let through = Live.options(proxy.port).connection
        let connection = through + (through.contains("?") ? "&" : "?") + "sslmode=disable" + more
        try await Desk.run(settings: settings.merging(["connection": connection, "connections": "1"]) { $1 }) { try await test($0, proxy) }
    }

    /// Waits until the driver's connection is at a statement like that, and waits for what such events are called.
    private func wait(_ desk: Desk, _ statement: String, _ event: String) async throws {
        let end = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < end {
            let found = try desk.connection.run(
                """
                SELECT FROM pg_stat_activity WHERE application_name = $1 AND query LIKE $2 AND state = 'active'
                    AND $3 IN (wait_event_type, wait_event)
                """, [.text("multipoint \(desk.application)"), .text(statement), .text(event)])
            if found.count > 0 { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("The driver did not wait for \(event).")
    }

    @Test(arguments: [false, true]) func aConnectionLostInTheCommitNeitherLosesNorDoubles(_ isKept: Bool) async throws {
        try await run { desk, proxy in
            proxy.arm(isKept ? .afterCommit : .beforeCommit)
            let creates = (1...5).map { desk.delivery(.create, "customer", "customer-1-\($0)", ["name": .string("n\($0)")]) }
            let answers = try await desk.driver.apply(creates)
            #expect(proxy.count == 1)
            #expect(answers.filter { !$0.isWritten } == [])
            #expect(try desk.count("customer") == 5)
            #expect(answers.map { $0.document?.fields["name"] } == (1...5).map { .string("n\($0)") })
        }
    }

    @Test(arguments: [false, true]) func anUpdateLostInTheCommitIsLookedUpInTheWriteLog(_ isKept: Bool) async throws {
        try await run { desk, proxy in
            try desk.connection.run("INSERT INTO customer (name) VALUES ('Ann')")
            proxy.arm(isKept ? .afterCommit : .beforeCommit)
            let answers = try await desk.driver.apply([
                desk.delivery(.update, "customer", "customer-1-1", number: 2, key: "1", token: "1", ["name": "Bob"])
            ])
            #expect(proxy.count == 1)
            #expect(answers.first?.isWritten == true)
            #expect(answers.first?.document?.token == "2")
        }
    }

    @Test func aDeadlockIsTriedAgain() async throws {
        // Long enough for the other one to come into the way, and shorter than the driver waits for a row.
        try await run("&options=-cdeadlock_timeout%3D1s", settings: ["answerMilliseconds": "12000"]) { desk, _ in
            try desk.connection.run("INSERT INTO customer (name) VALUES ('a'), ('b')")
            // nonisolated(unsafe) because the thread has it to itself until it has finished.
            nonisolated(unsafe) let other = try Live.connect()
            defer { other.close() }
            try other.script("SET search_path = \(desk.schema); SET lock_timeout = 0; SET deadlock_timeout = '30s'; BEGIN")
            // The trigger makes the batch take the second customer's row, which the other one holds, while that waits for the first.
            try desk.connection.script(
                """
                CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    PERFORM FROM \(desk.schema).customer WHERE id = 2 FOR UPDATE; RETURN NEW; END $$;
                CREATE TRIGGER touch BEFORE UPDATE ON customer FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION touch();
                """)
            try other.run("SELECT FROM customer WHERE id = 2 FOR UPDATE")
            let (driver, update) = (
                desk.driver, desk.delivery(.update, "customer", "customer-1-1", number: 2, key: "1", token: "1", ["name": "x"])
            )
            async let answers = driver.apply([update])
            // The first try gives up early; the careful way waits.
            try await wait(desk, "UPDATE %", "Lock")
            let thread = Thread {
                _ = try? other.run("SELECT FROM customer WHERE id = 1 FOR UPDATE")
                _ = try? other.run("COMMIT")
            }
            thread.start()
            #expect(try await answers.first?.isWritten == true)
            while !thread.isFinished { try await Task.sleep(for: .milliseconds(10)) }
        }
    }

    @Test(arguments: ["40P01", "40001"]) func whatOthersStoodInTheWayOfIsTriedAgainAndThenLater(_ state: String) async throws {
        try await run { desk, _ in
            try desk.connection.run("INSERT INTO customer (name) VALUES ('a'), ('b')")
            // Sequences count what is rolled back too: two refusals at first, and every time for the other row.
            try desk.connection.script(
                """
                CREATE SEQUENCE tries;
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF nextval('\(desk.schema).tries') < 3 OR NEW.id = 2 THEN
                        RAISE EXCEPTION 'in the way' USING ERRCODE = '\(state)';
                    END IF;
                    RETURN NEW; END $$;
                CREATE TRIGGER refuse BEFORE UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION refuse();
                """)
            func update(_ id: String) -> Delivery {
                desk.delivery(.update, "customer", "customer-1-\(id)", number: 2, key: NativeKey(id), token: "1", ["name": "x"])
            }
            let written = try await desk.driver.apply([update("1")])
            #expect(written.first?.isWritten == true && written.first?.document?.token == "2")
            #expect(try desk.connection.run("SELECT last_value FROM tries").first?.integer(0) == 3)
            let later = try await desk.driver.apply([update("2")])
            if case .later? = later.first {} else { Issue.record("\(later)") }
            #expect(try desk.connection.run("SELECT last_value FROM tries").first?.integer(0) == 8)
            let log = try desk.connection.run(
                "SELECT document FROM multipoint.write_log WHERE application = $1", [.text(desk.application)])
            #expect(log.rows.map { $0.text(0) } == ["customer-1-1"])
        }
    }

    @Test func aRowThatMovesWhileItIsBeingChangedIsNotCovered() async throws {
        try await run { desk, _ in
            try desk.connection.run("INSERT INTO customer (name) VALUES ('a'), ('b')")
            // The driver's statement, which sees the rows as they were, goes on when somebody else has changed one of them.
            try desk.connection.script(
                """
                CREATE TABLE gate (is_open boolean);
                CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    WHILE NOT EXISTS (SELECT FROM \(desk.schema).gate) LOOP PERFORM pg_sleep(0.01); END LOOP;
                    RETURN NULL; END $$;
                CREATE TRIGGER pass BEFORE UPDATE ON customer FOR EACH STATEMENT
                    WHEN (current_setting('application_name') LIKE 'multipoint %') EXECUTE FUNCTION pass();
                """)
            let driver = desk.driver
            let batch = ["1", "2"].map {
                desk.delivery(.update, "customer", "customer-1-\($0)", number: 2, key: NativeKey($0), token: "1", ["name": "x"])
            }
            async let answers = driver.apply(batch)
            try await wait(desk, "WITH written%", "PgSleep")
            try desk.connection.script("UPDATE customer SET name = 'by hand' WHERE id = 1; INSERT INTO gate VALUES (true)")
            let told = try await answers
            #expect(told[0] == .changed && told[1].isWritten)
            let rows = try desk.connection.run("SELECT name FROM customer ORDER BY id").rows.map { $0.text(0) }
            #expect(rows == ["by hand", "x"])
        }
    }

    @Test func aRowThatSomebodyHoldsIsTriedLaterAndHoldsUpNoOther() async throws {
        try await run { desk, _ in
            try desk.connection.run("INSERT INTO customer (name) VALUES ('a'), ('b')")
            try desk.connection.run("BEGIN")
            try desk.connection.run("SELECT FROM customer WHERE id = 1 FOR UPDATE")
            let start = ContinuousClock.now
            let answers = try await desk.driver.apply([
                desk.delivery(.update, "customer", "customer-1-1", number: 2, key: "1", token: "1", ["name": "x"]),
                desk.delivery(.update, "customer", "customer-1-2", number: 2, key: "2", token: "1", ["name": "y"]),
            ])
            #expect(start.duration(to: .now) < .seconds(2))
            #expect(answers[1].isWritten)
            guard case .later = answers[0] else {
                Issue.record("\(answers[0])")
                return
            }
            try desk.connection.run("ROLLBACK")
        }
    }

    @Test func aServerThatIsGoneIsUnreachableAndFoundAgain() async throws {
        let port = try #require(URL(string: Live.connection ?? "")?.port)
        let desk = try Desk()
        try await desk.prepare()
        let create = desk.delivery(.create, "customer", "customer-1-1", ["name": "Ann"])
        _ = try await desk.driver.apply([create])
        // Every connection of the driver is ended between two calls.
        try desk.connection.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", [.text("multipoint \(desk.application)")])
        let answers = try await desk.driver.apply([create, desk.delivery(.create, "customer", "customer-1-2", ["name": "Bob"])])
        #expect(answers.map { $0.document != nil } == [true, true])
        #expect(try desk.count("customer") == 2)
        await desk.close()

        let closed = try Desk(settings: ["connection": Live.options().connection.replacingOccurrences(of: ":\(port)/", with: ":1/")])
        await #expect { _ = try await closed.driver.apply([create]) } throws: { ($0 as? DriverError)?.code == .unreachable }
        await closed.driver.close()
        closed.connection.close()
    }
}
