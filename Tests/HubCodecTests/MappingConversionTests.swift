import Foundation
import HubCodec
import HubModel
import Testing

@Suite struct MappingConversionTests {
    /// Native JSON, the field's options, canonical JSON, and native JSON written back where it differs.
    struct Trip: Sendable, CustomTestStringConvertible {
        var options: String
        var native: String
        var canonical: String
        var back: String

        init(_ options: String, _ native: String, _ canonical: String, back: String? = nil) {
            self.options = options
            self.native = native
            self.canonical = canonical
            self.back = back ?? native
        }

        var testDescription: String { "\(options): \(native)" }
    }

    static let trips = [
        Trip("", #""text\n\"é""#, #""text\n\"é""#), Trip("", "1.50", "1.50"), Trip("", "true", "true"), Trip("", "null", "null"),
        Trip("", #"["a",{"b":1}]"#, #"["a",{"b":1}]"#),
        Trip("as: text", #""a""#, #""a""#), Trip("as: text", "7", #""7""#, back: #""7""#),
        Trip("as: integer", "7", "7"), Trip("as: integer", "7.0", "7", back: "7"), Trip("as: integer, quoted: true", #""7""#, "7"),
        Trip("as: decimal", "1.10", "1.10"), Trip("as: decimal, quoted: true", #""1.10""#, "1.10"),
        Trip("scale: 2", "12.5", "12.50", back: "12.50"),
        Trip("scale: 2", "12", "12.00", back: "12.00"), Trip("scale: 2", "1.25e1", "12.50", back: "12.50"), Trip("scale: 0", "3", "3"),
        Trip("scale: 2", "-0.5", "-0.50", back: "-0.50"),
        Trip("scale: 2, round: true", "1.005", "1.01", back: "1.01"), Trip("scale: 2, round: true", "-1.005", "-1.01", back: "-1.01"),
        Trip("scale: 2, float: true", "4.3499999999999996447", "4.35", back: "4.35"), Trip("scale: 2", "1.100", "1.10", back: "1.10"),
        Trip("as: decimal, scale: 2, quoted: true", #""12.5""#, "12.50", back: #""12.50""#),
        Trip("as: date", #""2024-02-29""#, #""2024-02-29""#), Trip("as: date, unit: days", "19782", #""2024-02-29""#),
        Trip("as: date, unit: days", "-1", #""1969-12-31""#),
        Trip("as: date, form: plain", #""2026-03-01 23:30:00""#, #""2026-03-02""#, back: #""2026-03-01 23:00:00""#),
        Trip("as: date, form: iso", #""2026-07-01T23:30:00Z""#, #""2026-07-02""#, back: #""2026-07-02T00:00:00+02:00""#),
        Trip("as: date, unit: milliseconds", "1772319600000", #""2026-03-01""#),
        Trip("as: instant", #""2026-03-01T12:00:00+01:00""#, #""2026-03-01T12:00:00+01:00""#),
        Trip("as: instant", #""2026-03-01T12:00:00.120Z""#, #""2026-03-01T12:00:00.120Z""#),
        Trip("as: instant", #""2026-03-01t12:00:00-0530""#, #""2026-03-01T12:00:00-05:30""#, back: #""2026-03-01T12:00:00-05:30""#),
        Trip("as: instant, form: plain", #""2026-03-01 12:00:00""#, #""2026-03-01T12:00:00Z""#),
        Trip("as: instant, form: plain", #""2026-03-01T12:00:00+01:00""#, #""2026-03-01T12:00:00+01:00""#, back: #""2026-03-01 11:00:00""#),
        Trip("as: instant, unit: seconds", "1772319600", #""2026-02-28T23:00:00Z""#),
        Trip("as: instant, unit: milliseconds", "1772319600007", #""2026-02-28T23:00:00.007Z""#),
        Trip("as: instant, unit: microseconds", "-1", #""1969-12-31T23:59:59.999999Z""#),
        Trip("as: boolean", "true", "true"), Trip("as: boolean", "0", "false", back: "false"),
        Trip("as: boolean, values: { true: Y, false: [N, X] }", #""X""#, "false", back: #""N""#),
        Trip("values: { open: 1, done: [2, two, true] }", "1.0", #""open""#, back: "1"),
        Trip("values: { open: 1, done: [2, two, true] }", #""t\u0077o""#, #""done""#, back: "2"),
        Trip("values: { open: 1, done: [2, two, true] }", "true", #""done""#, back: "2"),
        Trip("default: none", "null", #""none""#, back: #""none""#), Trip("empty: [false, \"\"]", "false", "null"),
        Trip("empty: [false, \"\"]", #""""#, "null", back: "false"), Trip("empty: false", "null", "null", back: "false"),
        Trip("ref: other", "17", #""17""#, back: #""17""#), Trip("ref: other, keys: integer", "17", #""17""#),
        Trip("ref: other", #""A-1""#, #""A-1""#),
        Trip("ref: other", "null", "null"),
    ]

    @Test(arguments: trips)
    func roundTrip(trip: Trip) throws {
        let options = trip.options.isEmpty ? "" : ", " + trip.options
        let mapping = try MappingTests.compile("native: x\nentity: x\nfields:\n  a: { path: p.q\(options) }")
        let document = try JSONDocument.parse(#"{"p":{"q":\#(trip.native)}}"#)
        let expected = try JSONDocument.parse(trip.canonical).value
        let fields = try mapping.translate(document.root, timeZone: MappingTests.paris)
        #expect(fields == ["a": expected])
        #expect(try mapping.translate(document.value, timeZone: MappingTests.paris) == fields)
        var writer = JSONWriter()
        try mapping.encode(document.root, into: &writer, timeZone: MappingTests.paris)
        #expect(try JSONDocument.parse(writer.bytes).value == .object(fields))
        #expect(writer.text == #"{"a":\#(trip.canonical)}"#)
        let native = try mapping.native(from: fields, timeZone: MappingTests.paris) { NativeKey($1.rawValue) }
        #expect(String(decoding: native.native.json, as: UTF8.self) == #"{"p":{"q":\#(trip.back)}}"#)
        // What was written back means the same again.
        let again = try mapping.translate(.object(native.native), timeZone: MappingTests.paris)["a"]
        #expect(again.map { mapping.same("a", $0, expected) } == true)
    }

    @Test(arguments: [
        ("values: { open: 1 }", "2", "unknown value"), ("scale: 2", "1.005", "more than 2 decimals"),
        ("scale: 18", "123456789", "too large"),
        ("scale: 2", #""x""#, "no number"), ("as: date", #""2026-02-29""#, "no date"), ("as: date", "5", "unit:"),
        ("as: instant", #""2026-03-01""#, "no date or time"),
        ("as: instant", #""2026-03-01T24:00:00Z""#, "no date or time"), ("as: integer", "1.5", "whole"),
        ("as: boolean", #""true""#, "neither"),
        ("as: text", "true", "no text"), ("ref: other", "[1]", "key"), ("", "{}", "object"),
        ("as: instant, unit: seconds", "99999999999999", "years"),
    ])
    func refusesWithFieldPathAndExcerpt(options: String, native: String, reason: String) throws {
        let mapping = try MappingTests.compile(
            "native: x\nentity: x\nfields:\n  a.b: { path: p.q\(options.isEmpty ? "" : ", " + options) }")
        let document = try JSONDocument.parse(#"{"p":{"q":\#(native)}}"#)
        let error = try #require(throws: TranslationError.self) { try mapping.translate(document.root) }
        #expect(error.field == "a.b")
        #expect(error.path == "p.q")
        #expect(error.excerpt == native)
        #expect(error.reason.contains(reason), "\(error.reason)")
        #expect(throws: error) { try mapping.translate(document.value) }
        var writer = JSONWriter()
        #expect(throws: error) { try mapping.encode(document.root, into: &writer) }
        #expect(writer.bytes.isEmpty)
    }

    @Test func errorsInListsNameTheList() throws {
        let mapping = try MappingTests.compile("native: x\nentity: x\nlines: { path: l.m, fields: { q: { path: n, scale: 1 } } }")
        for (text, field, path) in [(#"[{"n":"x"}]"#, "lines.q", "l.m.n"), ("[1]", "lines", "l.m"), (#""x""#, "lines", "l.m")] {
            let document = try JSONDocument.parse(#"{"l":{"m":\#(text)}}"#)
            let error = try #require(throws: TranslationError.self) { try mapping.translate(document.root) }
            #expect(error.field == field)
            #expect(error.path == path)
            #expect(throws: error) { try mapping.translate(document.value) }
            var writer = JSONWriter()
            #expect(throws: error) { try mapping.encode(document.root, into: &writer) }
        }
    }

    @Test func excerptIsShort() throws {
        let mapping = try MappingTests.compile("native: x\nentity: x\nfields: { a: { path: p, as: integer } }")
        let document = try JSONDocument.parse("{\"p\":\"" + String(repeating: "é", count: 500) + "\"}")
        let error = try #require(throws: TranslationError.self) { try mapping.translate(document.root) }
        #expect(error.excerpt?.count == 80)
    }

    @Test func wayBackRefusesToo() throws {
        let mapping = try MappingTests.compile(
            "native: x\nentity: x\nkeys: integer\nfields: { a: { path: p, values: { open: 1 } }, b: { path: q, ref: y } }")
        #expect(throws: TranslationError.self) { try mapping.native(from: ["a": "shut"]) { _, _ in nil } }
        #expect(throws: TranslationError.self) { try mapping.native(from: ["b": "y-1"]) { _, _ in "not a number" } }
    }

    @Test func directions() throws {
        let mapping = try MappingTests.compile(
            "native: x\nentity: x\nfields: { a: { path: p, direction: in }, b: { path: q, direction: out }, c: { constant: 1 } }")
        let document = try JSONDocument.parse(#"{"p":1,"q":2}"#)
        #expect(try mapping.translate(document.root) == ["a": 1, "c": 1])
        var writer = JSONWriter()
        try mapping.encode(document.root, into: &writer)
        #expect(writer.text == #"{"a":1,"c":1}"#)
        #expect(try mapping.native(from: ["a": 3, "b": 4, "c": 5]) { _, _ in nil }.native == ["q": 4])
    }

    @Test func everyDayIsItself() throws {
        let mapping = try MappingTests.compile("native: x\nentity: x\nfields: { a: { path: p, as: date, form: iso } }")
        // Days of clock changes included.
        for zone in ["Europe/Paris", "America/New_York", "Pacific/Apia", "America/Sao_Paulo"] {
            let timeZone = try #require(TimeZone(identifier: zone))
            for day in ["2026-03-29", "2026-10-25", "2026-03-08", "2018-11-04", "1999-12-31", "2000-02-29", "2024-12-31", "1900-03-01"] {
                let native = try mapping.native(from: ["a": .string(day)], timeZone: timeZone) { _, _ in nil }.native
                #expect(try mapping.translate(.object(native), timeZone: timeZone) == ["a": .string(day)], "\(zone)")
            }
        }
    }
}
