import HubDriver
import HubModel
import Testing

@testable import Odoo

@Suite struct ValueTests {
    @Test func falseMeansNothingButInTruthValues() {
        #expect(NativeMember("ref", .text).told(false) == .null)
        #expect(NativeMember("active", .boolean).told(false) == false)
        #expect(NativeMember("partner_id", .key).told([6, "Acme"]) == 6)
        #expect(NativeMember("list_price", .decimal).told(number("25.10")) == number("25.1"))
    }

    @Test func floatsAreComparedAtTheScaleThatIsWanted() {
        let member = NativeMember("price_unit", .decimal)
        #expect(member.isSame(number("93.92000000000002"), number("93.92")))
        #expect(member.isSame(number("0.1"), number("0.1000")))
        #expect(!member.isSame(number("93.92"), number("93.921")))
        #expect(!member.isSame(number("93.93"), number("93.92")))
        #expect(member.isSame(number("0.0"), .null))
    }

    @Test func whatOdooWouldTakeWronglyIsRefusedBefore() {
        func rule(_ kind: NativeMember.Kind, _ value: Value) -> String? {
            do throws(Broken) {
                try NativeMember("m", kind).check(value)
                return nil
            } catch { return error.rejection.rule }
        }
        #expect(rule(.text, "a\u{0}b") == "invalid-text")
        #expect(rule(.text, 1) == "invalid-value")
        #expect(rule(.decimal, number("1234567890123.45")) == nil)
        #expect(rule(.decimal, number("12345678901234.567")) == "precision")
        #expect(rule(.decimal, number("0.000001234")) == nil)
        #expect(rule(.decimal, "1") == "invalid-value")
        #expect(rule(.key, "4294967296") == "unknown-reference")
        #expect(rule(.key, "Acme") == "unknown-reference")
        #expect(rule(.date, "2026-03-01") == nil)
        #expect(rule(.date, "1.3.2026") == "invalid-value")
        #expect(rule(.moment, "2026-03-01 11:00:00") == nil)
        #expect(rule(.moment, "2026-03-01T11:00:00Z") == "invalid-value")
        for kind in [NativeMember.Kind.text, .decimal, .key, .boolean, .date] { #expect(rule(kind, .null) == nil) }
    }

    @Test func referencesSurviveAsExternalIDs() {
        for text in ["customer-1-42", "order_9.a", "a b/c~é", "", "🦊,x"] {
            let name = ExternalID.name(of: CanonicalID(text))
            #expect(name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x2C && $0 != 0x2F })
            #expect(ExternalID.reference(of: name) == CanonicalID(text))
        }
        #expect(ExternalID.reference(of: "broken~4") == nil)
        #expect(ExternalID.number(of: ExternalID.mark("res.partner", 42)) == 42)
    }

    @Test func momentsGoBackOverTheEndsOfYears() {
        #expect(PlainMoment.text("2026-01-01 00:00:30", minus: 60) == "2025-12-31 23:59:30")
        #expect(PlainMoment.text("2024-03-01 00:00:00", minus: 1) == "2024-02-29 23:59:59")
        #expect(PlainMoment.text("2026-11-21 12:06:25", minus: 0) == "2026-11-21 12:06:25")
        #expect(PlainMoment.text("never", minus: 1) == "never")
    }

    @Test func positionsAreTextAndBack() throws {
        var position = CapturePosition()
        var place = CapturePosition.Place(first: nil)
        place.date = "2026-11-21 12:06:25"
        place.told = [7: .init(date: "2026-11-21 12:06:25", hash: "abc")]
        place.keys = KeyRanges([1, 2, 7])
        place.top = 9
        place.moved = Instant(milliseconds: 5)
        place.swept = Instant(milliseconds: 6)
        position.places = ["res.partner": place, "sale.order@1": .init()]
        #expect(try CapturePosition(text: position.text) == position)
        #expect(throws: DriverError.self) { try CapturePosition(text: "17") }
    }
}
