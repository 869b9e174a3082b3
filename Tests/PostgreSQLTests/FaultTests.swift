import Foundation
import HubDriver
import HubModel
import PostgresClient
import Testing

/// What goes wrong between the driver and the database.
@Suite(.enabled(if: Live.isThere, Live.why)) struct FaultTests {
    /// Runs on a driver whose way to the server leads through the proxy, unencrypted so that it can be looked into.
    private func run(_ test: (Desk, SeveringProxy) async throws -> Void) async throws {
        let port = try #require(URL(string: Live.connection ?? "")?.port)
        let proxy = try SeveringProxy(to: port)
        defer { proxy.close() }
        let through = Live.options(proxy.port).connection
        let settings = ["connection": through + (through.contains("?") ? "&" : "?") + "sslmode=disable", "connections": "1"]
        try await Desk.run(settings: settings) { try await test($0, proxy) }
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
        try await run { desk, _ in
            try desk.connection.run("INSERT INTO customer (name) VALUES ('a'), ('b')")
            // nonisolated(unsafe) because the thread has it to itself until it has finished.
            nonisolated(unsafe) let other = try Live.connect()
            defer { other.close() }
            try other.script("SET search_path = \(desk.schema); SET lock_timeout = 0; SET deadlock_timeout = '10s'; BEGIN")
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
            try await Task.sleep(for: .milliseconds(100))
            let thread = Thread {
                _ = try? other.run("SELECT FROM customer WHERE id = 1 FOR UPDATE")
                _ = try? other.run("COMMIT")
            }
            thread.start()
            #expect(try await answers.first?.isWritten == true)
            while !thread.isFinished { try await Task.sleep(for: .milliseconds(10)) }
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
            guard case .retry = answers[0] else {
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
