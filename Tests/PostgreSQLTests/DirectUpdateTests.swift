import HubDriver
import HubModel
import PostgresClient
import Testing

/// Batches of updates, which the driver tries in one statement: what it answers is what the careful way answers.
@Suite(.enabled(if: Live.isThere, Live.why)) struct DirectUpdateTests {
    private func update(_ desk: Desk, _ number: Int, token: String = "1", _ fields: Fields) -> Delivery {
        desk.delivery(.update, "customer", "customer-1-\(number)", number: 2, key: NativeKey("\(number)"), token: token, fields)
    }

    private func fill(_ desk: Desk, _ count: Int) throws {
        try desk.connection.run(
            "INSERT INTO customer (code, name, \"limit\") SELECT 'C-' || n, 'old ' || n, n FROM generate_series(1, $1) AS n",
            [.integer(Int64(count))])
    }

    @Test func everyDeliveryOfABatchHasTheAnswerThatItHasAlone() async throws {
        try await Desk.run { desk in
            try fill(desk, 8)
            try desk.connection.run("DELETE FROM customer WHERE id = 4")
            try desk.connection.run("BEGIN")
            try desk.connection.run("SELECT FROM customer WHERE id = 5 FOR UPDATE")
            let answers = try await desk.driver.apply([
                update(desk, 1, ["name": "new", "limit": .number(Number(12_345, scale: 3)), "since": "2026-11-21T13:00:00+01:00"]),
                update(desk, 2, ["name": "old 2"]), update(desk, 3, token: "7", ["name": "new"]), update(desk, 4, ["name": "new"]),
                update(desk, 5, ["name": "new"]), update(desk, 6, ["limit": .number(Number(6_001, scale: 3))]),
                update(desk, 7, ["extra": ["a": [1, .null, "x"]], "active": false, "code": .null, "data": "\\x00ff"]),
            ])
            try desk.connection.run("ROLLBACK")
            let first = try #require(answers[0].document)
            #expect(answers[0].isWritten && first.token == "2" && first.reference == "customer-1-1")
            #expect(first.fields["limit"]?.number?.description == "12.35" && first.fields["double_limit"]?.number?.description == "24.70")
            #expect(first.fields["since"] == "2026-11-21T12:00:00+00:00" && first.fields["extra"] == .some(.null))
            #expect(answers[1].isUnchanged && answers[2] == .changed && answers[3] == .gone)
            if case .later = answers[4] {} else { Issue.record("\(answers[4])") }
            // What the column rounds to is there already.
            #expect(answers[5].isUnchanged && answers[5].document?.token == "1")
            let last = try #require(answers[6].document)
            #expect(answers[6].isWritten && last.fields["extra"] == ["a": [1, .null, "x"]] && last.fields["active"] == false)
            #expect(last.fields["code"] == .some(.null) && last.fields["data"] == "\\x00ff")

            let log = try desk.connection.run(
                "SELECT document FROM multipoint.write_log WHERE application = $1 ORDER BY 1", [.text(desk.application)])
            #expect(log.rows.map { $0.text(0) } == ["customer-1-1", "customer-1-7"])
            // What is told without JSON is what is read with it.
            let reading = try #require(desk.driver as? any Reading)
            let read = try await reading.read(["1", "7"].map { ReadRequest(native: "customer", company: nil, key: $0) })
            #expect(read.map { $0?.fields } == [first.fields, last.fields])
        }
    }

    @Test func aBatchOfUpdatesIsTwoStatements() async throws {
        try await Desk.run { desk in
            try fill(desk, 120)
            try desk.connection.script(
                """
                CREATE TABLE seen (query text);
                CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    INSERT INTO \(desk.schema).seen VALUES (current_query()); RETURN NULL; END $$;
                CREATE TRIGGER see AFTER UPDATE ON customer FOR EACH STATEMENT EXECUTE FUNCTION see();
                """)
            let batch = (1...120).map { update(desk, $0, ["name": .string("new \($0)"), "limit": 7]) }
            let answers = try await desk.driver.apply(batch)
            #expect(answers.map { $0.document?.fields["name"] } == (1...120).map { .string("new \($0)") })
            let seen = try desk.connection.run("SELECT query LIKE 'WITH written%UPDATE%write_log%' FROM seen").rows.map { $0.flag(0) }
            #expect(seen == [true, true], "the first one of few rows, so that the server begins early")
        }
    }

    @Test func aRefusedRowTakesNoOtherWithItAndNamesItsConstraint() async throws {
        try await Desk.run { desk in
            try fill(desk, 120)
            var batch = (1...120).map { update(desk, $0, ["name": "new"]) }
            batch[3].fields = ["limit": -1]
            batch[60].fields = ["code": "C-1"]
            batch[99].fields = ["born": "2026-02-30"]
            batch[110].fields = ["name": "zero\u{0}byte"]
            let answers = try await desk.driver.apply(batch)
            #expect(answers[3].rejection?.rule == "check" && answers[3].rejection?.text.hasPrefix("customer_limit_check: ") == true)
            #expect(answers[60].rejection?.rule == "unique" && answers[60].rejection?.field == "code")
            #expect(answers[99].rejection?.rule == "invalid-value" && answers[110].rejection?.rule == "invalid-value")
            #expect(answers.count(where: \.isWritten) == 116)
            let log = try desk.connection.run(
                "SELECT count(*) FROM multipoint.write_log WHERE application = $1", [.text(desk.application)])
            #expect(log.first?.integer(0) == 116)
        }
    }

    @Test func whatWasWrittenBeforeIsNotWrittenOverLaterWork() async throws {
        try await Desk.run { desk in
            try desk.connection.script("INSERT INTO country VALUES ('FR', 'old'), ('DE', 'old')")
            // Without a version column.
            let batch = ["FR", "DE"].map {
                desk.delivery(.update, "country", "country-1-\($0)", number: 2, key: NativeKey($0), ["name": "new"])
            }
            #expect(try await desk.driver.apply(batch).filter { !$0.isWritten } == [])
            // FNV-1a of the parts, which stays the same from version to version: what was written before is known by it.
            let log = try desk.connection.run(
                "SELECT digest FROM multipoint.write_log WHERE application = $1 AND document = 'country-1-FR'", [.text(desk.application)])
            #expect(log.first?.text(0) == "6rebea12gdoiabno06776p8ux")
            try desk.connection.run("UPDATE country SET name = 'by hand' WHERE code = 'DE'")
            let again = try await desk.driver.apply(batch)
            #expect(again.map(\.isUnchanged) == [true, true] && again[1].document?.fields["name"] == "by hand")
        }
    }

    @Test func columnsThatChangeMeanwhileAreSeen() async throws {
        try await Desk.run { desk in
            try fill(desk, 3)
            let before = try await desk.driver.apply([update(desk, 1, ["name": "a"]), update(desk, 2, ["name": "b"])])
            #expect(before.filter { !$0.isWritten } == [])
            try desk.connection.script("ALTER TABLE customer DROP born, ADD city text DEFAULT 'Lyon', ALTER code TYPE char(6)")
            let after = try await desk.driver.apply([update(desk, 1, token: "2", ["name": "c"]), update(desk, 3, ["name": "d"])])
            #expect(after.filter { !$0.isWritten } == [])
            for document in after.compactMap(\.document) {
                #expect(document.fields["city"] == "Lyon" && document.fields["born"] == nil)
            }
            // The column keeps its spaces.
            #expect(after.first?.document?.fields["code"] == "C-1   ")
        }
    }

    @Test func aTriggerThatWithholdsARowIsNamedForThatRowOnly() async throws {
        try await Desk.run { desk in
            try fill(desk, 3)
            try desk.connection.script(
                """
                CREATE FUNCTION withhold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF NEW.name = 'withhold' THEN RETURN NULL; END IF; RETURN NEW; END $$;
                CREATE TRIGGER withhold BEFORE UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION withhold();
                """)
            let answers = try await desk.driver.apply([
                update(desk, 1, ["name": "x"]), update(desk, 2, ["name": "withhold"]), update(desk, 3, ["name": "y"]),
            ])
            #expect(answers.map { $0.rejection?.rule ?? "\($0.isWritten)" } == ["true", "suppressed", "true"])
        }
    }
}
