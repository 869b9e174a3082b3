import HubDriver
import HubModel
import PostgresClient
import Testing

/// The driver on real tables.
@Suite(.enabled(if: Live.isThere, Live.why)) struct DriverTests {
    @Test func aDocumentIsCreatedChangedAndDeleted() async throws {
        try await Desk.run { desk in
            let fields: Fields = [
                "code": "C-1", "name": "Zoë \"Quote\" \\ ☃", "limit": .number(Number(250_050, scale: 2)),
                "since": "2026-11-21T13:08:01.250+01:00", "born": "1980-02-29", "data": "\\x00ff", "extra": ["a": [1, .null, "x"]],
                "active": false,
            ]
            let answers = try await desk.driver.apply([desk.delivery(.create, "customer", "customer-1-1", fields)])
            let made = try #require(answers.first?.document)
            #expect(answers.first?.isWritten == true)
            #expect(made.key == "1" && made.token == "1" && made.reference == "customer-1-1")
            #expect(made.fields["name"] == fields["name"] && made.fields["extra"] == fields["extra"] && made.fields["active"] == false)
            #expect(made.fields["limit"]?.number?.description == "2500.50")
            #expect(made.fields["double_limit"]?.number?.description == "5001.00")
            #expect(made.fields["since"] == "2026-11-21T12:08:01.25+00:00" && made.fields["born"] == "1980-02-29")
            #expect(made.fields["data"] == "\\x00ff")

            let update = desk.delivery(.update, "customer", "customer-1-1", number: 2, key: "1", token: "1", ["limit": 7, "extra": .null])
            let updated = try await desk.driver.apply([update])
            #expect(updated.first?.isWritten == true)
            let changed = try #require(updated.first?.document)
            #expect(changed.token == "2" && changed.fields["limit"]?.number?.description == "7.00")
            #expect(changed.fields["extra"] == .some(.null) && changed.fields["code"] == "C-1")

            let same = desk.delivery(.update, "customer", "customer-1-1", number: 3, key: "1", token: "2", ["limit": 7])
            #expect(try await desk.driver.apply([same]).first?.isUnchanged == true)
            let stale = desk.delivery(.update, "customer", "customer-1-1", number: 4, key: "1", token: "1", ["limit": 8])
            #expect(try await desk.driver.apply([stale]) == [.changed])
            let staleDelete = desk.delivery(.delete, "customer", "customer-1-1", number: 4, key: "1", token: "1")
            #expect(try await desk.driver.apply([staleDelete]) == [.changed])

            let delete = desk.delivery(.delete, "customer", "customer-1-1", number: 5, key: "1", token: "2")
            let gone = try await desk.driver.apply([delete])
            #expect(gone.first?.isWritten == true && gone.first?.document?.isDeleted == true)
            #expect(try await desk.driver.apply([delete]).first?.isUnchanged == true)
            #expect(try desk.count("customer") == 0)
            let late = desk.delivery(.update, "customer", "customer-1-1", number: 6, key: "1", token: "2", ["limit": 8])
            #expect(try await desk.driver.apply([late]) == [.gone])
        }
    }

    @Test func whatIsSentTwiceHappensOnce() async throws {
        try await Desk.run { desk in
            let create = desk.delivery(.create, "customer", "customer-1-1", ["name": "Ann"])
            #expect(try await desk.driver.apply([create]).first?.isWritten == true)
            #expect(try await desk.driver.apply([create]).first?.isUnchanged == true)
            #expect(try await desk.driver.apply([create, create]).allSatisfy(\.isUnchanged))
            #expect(try desk.count("customer") == 1)

            let update = desk.delivery(.update, "customer", "customer-1-1", number: 2, key: "1", token: "1", ["name": "Bob"])
            #expect(try await desk.driver.apply([update]).first?.isWritten == true)
            // A person goes on; the redelivery covers nothing and is not taken for a stale write.
            try desk.connection.run("UPDATE customer SET name = 'Cid' WHERE id = 1")
            let again = try await desk.driver.apply([update])
            #expect(again.first?.isUnchanged == true && again.first?.document?.fields["name"] == "Cid")
            // The same version with something else in it is another write.
            let completed = desk.delivery(.update, "customer", "customer-1-1", number: 2, key: "1", token: "3", ["code": "C-9"])
            #expect(try await desk.driver.apply([completed]).first?.isWritten == true)

            let log = try desk.connection.run(
                #"SELECT native, "key", generation, number FROM multipoint.write_log WHERE application = $1"#, [.text(desk.application)])
            #expect(log.count == 1 && log.first?.text(0) == "customer" && log.first?.text(1) == "1" && log.first?.integer(3) == 2)
        }
    }

    @Test func manyAtOnceMakeOneRowForEachTarget() async throws {
        try await Desk.run { desk in
            let batches = (0..<4).map { _ in
                (0..<50).shuffled().map { desk.delivery(.create, "customer", "customer-1-\($0)", ["name": .string("n\($0)")]) }
            }
            let driver = desk.driver
            let answers = try await withThrowingTaskGroup(of: [Answer].self) { group in
                for batch in batches { group.addTask { try await driver.apply(batch) } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(try desk.count("customer") == 50)
            // Who came second waited or was asked to come again.
            #expect(answers.count { $0.isWritten } == 50)
            #expect(answers.allSatisfy { if case .later = $0 { true } else { $0.document != nil } })
        }
    }

    @Test func eachBrokenRuleIsARejectionAndTheOthersAreKept() async throws {
        try await Desk.run { desk in
            try desk.connection.script(
                """
                CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF NEW.name = 'raise' THEN RAISE EXCEPTION 'no such name' USING HINT = 'take another one'; END IF;
                    IF NEW.name = 'withhold' THEN RETURN NULL; END IF;
                    RETURN NEW; END $$;
                CREATE TRIGGER stop BEFORE INSERT ON customer FOR EACH ROW EXECUTE FUNCTION stop();
                """)
            func create(_ id: Int, _ fields: Fields, _ native: String = "customer") -> Delivery {
                desk.delivery(.create, native, "\(native)-1-\(id)", fields)
            }
            let answers = try await desk.driver.apply([
                create(1, ["name": "good", "code": "A"]), create(2, ["name": "double", "code": "A"]), create(3, ["code": "B"]),
                create(4, ["name": "poor", "limit": -1]), create(5, ["name": "wrong", "limit": "much"]),
                create(6, ["name": "huge", "limit": .number(Number(1_000_000_000_000))]), create(7, ["name": "zero\u{0}byte"]),
                create(8, ["name": "raise"]), create(9, ["name": "withhold"]), create(10, ["name": "x", "colour": "red"]),
                create(11, ["name": "x", "row_version": 5]), create(12, ["city": "Lyon", "customer": 4711], "branch"),
                create(13, ["name": "France"], "unheard-of"), create(14, ["name": "x", "double_limit": 3]),
                create(15, ["name": "also good"]), create(16, ["name": "x", "born": "2026-02-30"]),
            ])
            let rules = answers.map { $0.rejection?.rule ?? ($0.isWritten ? "-" : "\($0)") }
            // Either of the two with one code may win, since the batch is one statement's rows.
            #expect(
                rules == [
                    "-", "unique", "not-null", "check", "invalid-value", "invalid-value", "invalid-value", "raised", "suppressed",
                    "unknown-field", "read-only", "foreign-key", "unknown-type", "read-only", "-", "invalid-value",
                ])
            #expect(answers[1].rejection?.text.hasPrefix("customer_code_key: ") == true)
            #expect(answers[1].rejection?.field == "code")
            #expect(answers[2].rejection?.field == "name")
            #expect(answers[3].rejection?.text.hasPrefix("customer_limit_check: ") == true && answers[3].rejection?.field == "limit")
            #expect(answers[7].rejection?.text == "no such name take another one")
            #expect(answers[11].rejection?.text.hasPrefix("branch_customer_fkey: ") == true && answers[11].rejection?.field == "customer")
            #expect(try desk.count("customer") == 2)
            let broken = Set(answers.compactMap { $0.rejection?.rule })
            let declared = Set(desk.driver.manifest.entities.flatMap(\.rules))
            #expect(broken.subtracting(declared) == ["unknown-type"])
            // Nothing of what was refused is in the write log.
            let log = try desk.connection.run(
                "SELECT count(*) FROM multipoint.write_log WHERE application = $1", [.text(desk.application)])
            #expect(log.first?.integer(0) == 2)

            let missing = try await desk.driver.apply([
                desk.delivery(.update, "customer", "customer-1-1", number: 2, key: "1", ["name": "x"]),
                desk.delivery(.update, "customer", "customer-1-1", number: 2, ["name": "x"]),
                desk.delivery(.delete, "kept", "kept-1-1", number: 2, key: "FR"),
                desk.delivery(.update, "customer", "customer-1-8", number: 2, key: "not a number", token: "1", ["name": "x"]),
            ])
            #expect(missing.map { $0.rejection?.rule } == ["missing-token", "missing-key", "no-delete", "invalid-value"])
        }
    }

    @Test func naturalKeysTakenOverKeysArchivesAndCompanies() async throws {
        try await Desk.run { desk in
            try desk.connection.run("INSERT INTO country VALUES ('FR', 'old')")
            let taken = try await desk.driver.apply([
                desk.delivery(.create, "country", "country-1-1", ["code": "FR", "name": "France"]),
                desk.delivery(.create, "country", "country-1-2", ["name": "by reference"]),
            ])
            #expect(taken.map { $0.document?.key } == ["FR", "country-1-2"])
            #expect(try desk.connection.run("SELECT name FROM country WHERE code = 'FR'").first?.text(0) == "France")

            let branch = desk.delivery(.create, "branch", "branch-1-1", company: "fr", ["city": "Lyon"])
            let made = try #require(try await desk.driver.apply([branch]).first?.document)
            #expect(made.fields["company"] == "fr" && made.key.rawValue.count == 36)
            let read = try #require(desk.driver as? any Reading)
            #expect(try await read.read([ReadRequest(native: "branch", company: "us", key: made.key)]) == [nil])
            #expect(try await read.read([ReadRequest(native: "branch", company: "fr", key: made.key)]).first??.key == made.key)
            let archived = try await desk.driver.apply([
                desk.delivery(.delete, "branch", "branch-1-1", number: 2, key: made.key, company: "fr")
            ])
            #expect(archived.first?.isWritten == true && archived.first?.document?.isDeleted == true)
            #expect(try desk.count("branch") == 1)
        }
    }

    @Test func documentsAreFoundByReferenceReadAndPaged() async throws {
        try await Desk.run { desk in
            let creates = (1...25).map { desk.delivery(.create, "customer", "customer-1-\($0)", ["name": .string("n\($0)")]) }
            _ = try await desk.driver.apply(creates)
            try desk.connection.run("INSERT INTO customer (name) VALUES ('by hand')")
            try desk.connection.run("DELETE FROM customer WHERE id = 3")
            let looking = try #require(desk.driver as? any LookingUp)
            let found = try await looking.lookUp(
                ["customer-1-2", "customer-1-3", "customer-1-99"].map { LookUp(native: "customer", company: nil, reference: $0) })
            #expect(found.map(\.count) == [1, 1, 0])
            #expect(found[0].first?.fields["name"] == "n2" && found[0].first?.reference == "customer-1-2")
            #expect(found[1].first?.isDeleted == true && found[1].first?.key == "3")

            let reading = try #require(desk.driver as? any Reading)
            let read = try await reading.read(["2", "3", "x"].map { ReadRequest(native: "customer", company: nil, key: $0) })
            #expect(read.map { $0?.key } == ["2", nil, nil])

            let paging = try #require(desk.driver as? any Paging)
            var keys: [String] = []
            var references = 0
            var cursor: String?
            repeat {
                let page = try await paging.page(native: "customer", company: nil, after: cursor, limit: 7)
                keys += page.documents.map(\.key.rawValue)
                references += page.documents.count { $0.reference != nil }
                cursor = page.next
                // What changes meanwhile disturbs neither order nor completeness.
                try desk.connection.run("UPDATE customer SET name = name || '!' WHERE id % 2 = 0")
            } while cursor != nil
            #expect(keys == (1...26).filter { $0 != 3 }.map(String.init))
            #expect(references == 24)
        }
    }

    @Test func changesAreToldInOrderAndNoneIsMissedWhileTransactionsAreOpen() async throws {
        try await Desk.run("told: table=$schema.customer version=row_version reference=hub_reference feed=yes") { desk in
            try desk.connection.script(
                "CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON customer FOR EACH ROW EXECUTE FUNCTION multipoint.note_change('id')"
            )
            let feed = try #require(desk.driver as? any Capturing)
            var position: String?
            func tell(_ limit: Int = 100) async throws -> [CapturedChange] {
                let batch = try await feed.capture(after: position, limit: limit)
                position = batch.position
                return batch.changes
            }
            while try await !tell().isEmpty {}
            // An old transaction takes its number first and commits last.
            let slow = try Live.connect()
            defer { slow.close() }
            try slow.run("BEGIN")
            try slow.run("INSERT INTO \(desk.schema).customer (name) VALUES ('slow')")
            _ = try await desk.driver.apply([desk.delivery(.create, "told", "customer-1-2", ["name": "Ann"])])
            try desk.connection.run("UPDATE customer SET name = 'Bob' WHERE id = 2")
            let early = try await tell()
            #expect(!early.contains { $0.fields?["name"] == "slow" })
            try slow.run("COMMIT")
            var told = early
            for _ in 0..<20 where Set(told.compactMap(\.event.key)).count < 2 {
                told += try await tell(1)
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(Set(told.compactMap { $0.fields?["name"] }) == ["slow", "Bob"])
            let bob = try #require(told.last { $0.event.key == "2" })
            #expect(bob.event.reference == "customer-1-2" && bob.event.token == "2" && bob.event.type == "told")
            try desk.connection.run("DELETE FROM customer WHERE id = 2")
            var gone: [CapturedChange] = []
            for _ in 0..<20 where gone.last?.event.operation != .delete { gone += try await tell() }
            #expect(gone.last?.event.key == "2" && gone.last?.event.reference == "customer-1-2" && gone.last?.fields == nil)
        }
    }

    @Test func aDatabaseThatWasRestoredIsSaid() async throws {
        try await Desk.run("told: table=$schema.customer version=row_version reference=hub_reference feed=yes") { desk in
            let feed = try #require(desk.driver as? any Capturing)
            await #expect {
                _ = try await feed.capture(after: "5/9999999999/0", limit: 10)
            } throws: { "\($0)".contains("the database was restored") }
        }
    }

    @Test func theApplicationSaysWhoItIsAndWhatIsMissing() async throws {
        try await Desk.run { desk in
            let identity = try await desk.driver.probe()
            #expect(identity.version.hasPrefix("1") && identity.instance.contains("/"))
            try desk.connection.script("DROP TABLE branch")
            await #expect { _ = try await desk.driver.probe() } throws: {
                ($0 as? DriverError)?.code == .configuration && "\($0)".contains("branch")
            }
        }
    }
}
