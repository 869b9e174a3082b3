import HubCodec
import HubModel
import Testing

@testable import HubStore

/// Rows survive being written and read again, whatever is in them.
@Suite struct EncodingTests {
    static let hostile = [
        "", " ", "\"", "\\", "\u{0}", "\u{0}\u{0}x", "\n\r\t\u{8}\u{c}\u{1f}\u{7f}", "é", "e\u{301}", "👩‍👩‍👧‍👦", "\u{FFFF}\u{10FFFF}",
        "</script>", "'; DROP TABLE golden; --",
        "{\"a\":1}", "\u{2028}\u{FEFF}", String(repeating: "long\\\"", count: 2000),
    ]
    static let numbers = [
        "0", "-0", "1.10", "1e5", "-1E-7", "123456789012345678901234567890.123456789", "0.1", "-9223372036854775808", "1e400",
    ]

    static var fields: Fields {
        var fields = Fields()
        for (place, text) in hostile.enumerated() {
            fields["t\(place)"] = .string(text)
            fields[text] = .array([.string(text), .null, .bool(true), .object([text: .bool(false)])])
        }
        for text in numbers { fields["n" + text] = Number(text).map { .number($0) } }
        fields["empty"] = .object([:])
        fields["none"] = .array([])
        return fields
    }

    @Test func goldenRecords() throws {
        for text in Self.hostile {
            let golden = GoldenRecord(
                id: CanonicalID(text), entity: "customer", company: CompanyID(text), version: Version(generation: 3, number: .max),
                isDeleted: true,
                fields: Self.fields,
                provenance: [
                    text: Provenance(time: Instant(milliseconds: .min), application: ApplicationID(text), event: text),
                    "other" + text: Provenance(time: Instant(milliseconds: .max), application: "crm"),
                ])
            let again = try GoldenRecord(id: golden.id, entity: golden.entity, stored: golden.stored)
            #expect(again == golden)
            for number in Self.numbers { #expect(again.fields["n" + number]?.number?.description == number) }
        }
        let plain = GoldenRecord(id: "a", entity: "b", version: Version(generation: 1, number: 1), fields: ["x": 1])
        #expect(String(decoding: plain.stored, as: UTF8.self) == #"{"version":"1.1","fields":{"x":1}}"#)
        #expect(try GoldenRecord(id: "a", entity: "b", stored: plain.stored) == plain)
    }

    static let natives = [#"{"a": 1.50,  "b":[null]}"#, #"{"a":{"b":{},"c":[{}]},"\u0064":1e400}"#, "1", "\"x\"", "{}", " {}\n", "[[]]"]

    @Test(arguments: natives.indices) func targetStates(_ place: Int) throws {
        let native = try RawJSON(Self.natives[place])
        for text in Self.hostile {
            var state = TargetState()
            state.key = NativeKey(text)
            state.heard = .init(
                fields: Self.fields, native: native, mapping: text, position: SourcePosition(major: -4, minor: .max),
                token: VersionToken(text),
                isDeleted: true)
            var write = TargetState.Write(
                id: 7, fields: Self.fields, isCreate: true, isDelete: true, condition: VersionToken(text), sent: at(-5))
            write.token = VersionToken(text)
            write.isAnswered = true
            state.written = [write, .init(id: 8, fields: [:], sent: at(6))]
            state.delivered = Version(generation: 2, number: 9)
            state.wait = .init(.reference, detail: text, awaits: CanonicalID(text), until: at(.max), since: at(.min))
            state.rejected = .init(
                rejection: Rejection(rule: text, field: text, text: text), fields: Self.fields, version: state.delivered, since: at(-9))
            state.attempts = 12
            state.corrections = [
                text: .init(count: 2, windowStart: at(1), disputed: .null), "x" + text: .init(count: 1, windowStart: at(2)),
            ]
            state.leftOut = [text: CanonicalID(text), "y" + text: "c"]
            let again = try TargetState(stored: state.stored, of: "t")
            #expect(again == state)
        }
    }

    @Test func largeDocuments() throws {
        let text = String(repeating: "long\\\"", count: 1_000_000)
        let golden = GoldenRecord(id: "a", entity: "b", version: Version(generation: 1, number: 1), fields: ["text": .string(text)])
        #expect(try GoldenRecord(id: "a", entity: "b", stored: golden.stored) == golden)
    }

    @Test func emptyTargetStates() throws {
        #expect(String(decoding: TargetState().stored, as: UTF8.self) == "{}")
        #expect(try TargetState(stored: Array("{}".utf8), of: "t") == TargetState())
        for reason in TargetState.Wait.Reason.allCases {
            var state = TargetState()
            state.wait = .init(reason, since: at(1))
            #expect(try TargetState(stored: state.stored, of: "t") == state)
        }
        // What is heard stands in the row as JSON, readable as it came.
        var state = TargetState()
        state.heard = .init(fields: [:], native: try RawJSON(#"{"id": 7}"#), position: SourcePosition(minor: 3))
        #expect(String(decoding: state.stored, as: UTF8.self) == #"{"heard":{"position":"0/3","fields":{},"native":{"id": 7}}}"#)
    }

    @Test(arguments: [
        "", "{", "[]", "{\"delivered\":5}", "{\"wait\":{\"reason\":\"moon\",\"since\":1}}", "{\"heard\":{\"position\":\"x\"}}",
    ])
    func damagedRowsAreTold(_ text: String) throws {
        if text != "[]" {
            let error = storeError { _ = try TargetState(stored: Array(text.utf8), of: "crm/customer-1-7") }
            #expect(error?.code == .corrupt)
            #expect(error?.message.contains("crm/customer-1-7") == true)
        }
        let error = storeError { _ = try GoldenRecord(id: "customer-1-7", entity: "customer", stored: Array(text.utf8)) }
        #expect(error?.code == .corrupt)
        #expect(error?.message.contains("customer-1-7") == true)
    }

    @Test func clockCacheForgetsWhatIsNotAskedFor() {
        var cache = ClockCache<Int, Int>(capacity: 3)
        for number in 1...3 { cache.set(number, for: number) }
        #expect(cache.value(for: 1) == 1)
        cache.set(4, for: 4)
        #expect(cache.value(for: 2) == nil)
        #expect(cache.value(for: 1) == 1)
        cache.remove(1)
        #expect(cache.count == 2)
        #expect(cache.value(for: 1) == nil)
        for number in 0..<1000 {
            cache.set(number, for: number % 11)
            #expect(cache.count <= 3)
            #expect(cache.value(for: number % 11) == number)
            if number % 3 == 0 { cache.remove(number % 7) }
        }
    }
}
