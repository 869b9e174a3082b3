import HTTPApplication
import HubDriver
import HubModel
import Testing

@testable import Tryton

@Suite("Tryton's wire and settings")
struct WireTests {
    @Test("Decimals, days and moments go through exactly")
    func values() throws {
        #expect(JSONText.text(Wire.decimal(Number(2500, scale: 2))) == #"{"__class__":"Decimal","decimal":"25.00"}"#)
        let decoded = Wire.decoded(
            try JSONText.value(#"[{"__class__":"Decimal","decimal":"0E-4"},{"__class__":"Decimal","decimal":"-1.50"}]"#))
        #expect(decoded == [0, .number(Number(-150, scale: 2))] && JSONText.text(decoded) == "[0,-1.50]")
        for (day, isDay) in [("2026-02-28", true), ("2028-02-29", true), ("2026-02-29", false), ("2026-13-01", false), ("2026-1-1", false)]
        {
            #expect((Wire.date(day) != nil) == isDay, "\(day)")
            if let date = Wire.date(day) { #expect(Wire.decoded(date) == .string(day)) }
        }
        #expect(Wire.decoded(Wire.moment(microseconds: 1_795_263_355_602_708)) == "2026-11-21T12:15:55.602708Z")
        #expect(Wire.decoded(Wire.moment(microseconds: -1)) == "1969-12-31T23:59:59.999999Z")
        #expect(Timestamp.microseconds("1795263355.602708") == 1_795_263_355_602_708)
        #expect(Base64.text(Array("admin:1:ab".utf8)) == "YWRtaW46MTphYg==")
    }

    @Test("Keys are kept as runs")
    func ranges() throws {
        var keys = KeyRanges()
        for key in [5, 1, 2, 9, 3, 8, 2] as [Int64] { keys.insert(key) }
        #expect(keys.text == "1-3,5,8-9" && keys.count == 6 && keys.last == 9)
        #expect(KeyRanges(keys.text) == keys && KeyRanges("3-1") == nil && KeyRanges("x") == nil && KeyRanges("5,4") == nil)
        var present = keys
        present.remove(2)
        present.remove(9)
        #expect(present.text == "1,3,5,8" && keys.missing(from: present, limit: 10) == [2, 9])
        #expect(keys.missing(from: present, limit: 1) == [2] && !present.contains(2) && present.contains(3))
    }

    @Test("A position survives as text; other texts are refused")
    func position() throws {
        var position = CapturePosition()
        var feed = CapturePosition.Feed(cursor: 7, since: 12)
        feed.keys.insert(3)
        feed.seen = [.init(time: 13, source: 0, id: 4), .init(time: 13, source: 0, id: 5), .init(time: 14, source: 2, id: 1)]
        position.feeds["sale.sale"] = feed
        #expect(try CapturePosition(position.text) == position)
        #expect(throws: DriverError.self) { try CapturePosition("7") }
        #expect(throws: DriverError.self) { try CapturePosition(#"{"a":{"keys":"x"}}"#) }
    }

    @Test("A part's change behind another part's later one moves the document's place in the feed")
    func placeInFeed() throws {
        func sale(_ sale: String, line: String, invoice: String) throws -> Tryton.Record {
            let row = try JSONText.value(
                """
                {"id": 7, "_timestamp": "\(sale)", "lines.": [{"id": 1, "_timestamp": "\(line)"}],
                 "invoices.": [{"id": 2, "_timestamp": "\(invoice)"}]}
                """)
            return Tryton.Record(
                row: try #require(row.object), parts: ["lines.": "sale.line", "invoices.": "account.invoice"], model: "sale.sale")
        }
        let before = try sale("1795263350.000001", line: "1795263350.000001", invoice: "1795263355.000000")
        // The transaction that set the order's state began before the invoice's, and ended after it was read.
        let after = try sale("1795263354.000000", line: "1795263350.000001", invoice: "1795263355.000000")
        let later = try sale("1795263356.000000", line: "1795263350.000001", invoice: "1795263355.000000")
        #expect(before.stamp == after.stamp)
        #expect(before.position < after.position && after.position < later.position)
        #expect(before.token != after.token)
        // Ten times the largest time that can be read is more than a place holds.
        let line = try JSONText.value(#"{"id": 1, "_timestamp": "999999999999.999999"}"#)
        var row = later.row
        row["lines."] = .array(Array(repeating: line, count: 10))
        #expect(Tryton.Record(row: row, parts: later.parts, model: later.model).position.minor == .max)
    }

    @Test("Tryton's errors are rules with stable names, all of them in the manifest")
    func errors() throws {
        let cases: [(String, String)] = [
            (#"["UserError",["A value is required for field \"Party\" in \"Sale\".","",null]]"#, "required"),
            (#"["UserError",["You can not call \"draft\" on \"2\" of \"Sale\".","",null]]"#, "illegal-transition"),
            (#"["UserError",["Party \"A\" has reached their credit limit of €100.00.","",null]]"#, "credit-limit"),
            (#"["UserError",["There is no \"Account Category\" defined for \"W\".","",null]]"#, "missing-account"),
            (#"["UserError",["Something else of an account and a period.","",null]]"#, "refused"), (#"["'nofield'",""]"#, "internal-error"),
            (#"["PostgreSQL text fields cannot contain NUL (0x00) bytes",""]"#, "invalid-text"),
        ]
        for (text, rule) in cases {
            guard case .refused(let rejection) = TrytonFailure(error: try JSONText.value(text), call: "x") else {
                Issue.record("\(text) is no refusal")
                continue
            }
            #expect(rejection.rule == rule && TrytonRules.told.union(["internal-error"]).contains(rule))
        }
        guard case .changed = TrytonFailure(error: ["ConcurrencyException", "Records were modified"], call: "x") else {
            Issue.record("a conflict is not seen")
            return
        }
        guard
            case .warning("a.credit_limit_amount", "Too much") = TrytonFailure(
                error: ["UserWarning", ["a.credit_limit_amount", "Too much", ""]], call: "x")
        else {
            Issue.record("a warning is not seen")
            return
        }
        #expect(TrytonRules.warning("a.credit_limit_amount", "x").rule == "credit-limit")
    }

    @Test("Refusals in another language are known by Tryton's own messages in it")
    func translated() throws {
        let message = "Für das Feld \"%(field)s\" in \"%(model)s\" ist ein Wert erforderlich."
        let sentence = try #require(Sentence(message, rule: "required"))
        #expect(sentence.pieces == ["Für das Feld \"", "\" in \"", "\" ist ein Wert erforderlich."])
        let error: Value = ["UserError", ["Für das Feld \"Partei\" in \"Verkauf\" ist ein Wert erforderlich.", "", .null]]
        func rule(_ sentences: [Sentence]) -> String? {
            guard case .refused(let rejection) = TrytonFailure(error: error, call: "x", sentences) else { return nil }
            return rejection.rule
        }
        #expect(rule([sentence]) == "required" && rule([]) == "refused")
        #expect(!sentence.fits("ist ein Wert erforderlich. Für das Feld \"x\" in \"y\""))
        #expect(Sentence("%(a)s", rule: "x") == nil && Sentence("no %(a)s", rule: "x") == nil)
    }

    @Test("Settings say what is wrong with them")
    func settings() throws {
        func make(_ change: [String: String], companies: [CompanyID: String] = [:]) throws -> TrytonDriver? {
            let values = ["url": "http://127.0.0.1:1/db", "user": "hub", "password": "x"].merging(change) { $1 }
            return try TrytonFactory.make(DriverSettings(application: "erp", values: values, companies: companies)) as? TrytonDriver
        }
        let driver = try #require(try make(["version": "6.0", "warnings": "a, b"], companies: ["fr": "1", "us": "3"]))
        #expect(driver.settings.database == "db" && driver.settings.http.base == "http://127.0.0.1:1" && driver.settings.company == 1)
        #expect(
            driver.settings.warnings == .acceptSome(["a", "b"]) && driver.settings.warnings.accepts("x.b")
                && driver.settings.warnings.accepts("a_sale.sale,3"))
        #expect(driver.manifest.entity(native: "sale.sale")?.isPerCompany == true)
        #expect(driver.manifest.entity(native: "party.account") == nil)
        #expect(try make(["accounts": "yes"])?.manifest.entity(native: "party.account")?.operations == [.create, .update])
        #expect(try make(["warnings": "ask, a"])?.settings.warnings == .ask(["a"]))
        #expect(try make([:])?.settings.warnings == .refuse)
        for change in [
            ["url": "http://h"], ["url": "h/db"], ["version": "7"], ["calls": "0"], ["orders": "sent"], ["accounts": "maybe"],
            ["company": "x"],
        ] {
            #expect(throws: DriverError.self, "\(change)") { try make(change) }
        }
        #expect(throws: DriverError.self) { try make([:], companies: ["fr": "France"]) }
    }

    @Test("A Tryton that is not there is unreachable")
    func unreachable() async throws {
        let driver = try LiveTryton.driver(url: "http://127.0.0.1:1/none")
        do {
            _ = try await driver.apply([
                Delivery(
                    target: Target("t", .shared, "x"), version: Version(generation: 1, number: 1), operation: .create,
                    native: "party.party",
                    reference: "x", fields: ["name": "x"])
            ])
            Issue.record("answered")
        } catch { #expect(error.code == .unreachable, "\(error)") }
        await driver.close()
    }
}
