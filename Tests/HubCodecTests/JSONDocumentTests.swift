import HubCodec
import HubModel
import Testing

@Suite struct JSONDocumentTests {
    @Test func readsEveryKind() throws {
        let text = #" {"a": [1, -2.50, 1e3, true, false, null], "b": {"c": "x\"\u00e9\ud83d\ude00\u0000\/"}, "d": {}, "e": []} "#
        let root = try JSONDocument.parse(text).root
        #expect(root.kind == .object)
        #expect(root["a"]?.elements.map { String(decoding: $0.rawBytes, as: UTF8.self) } == ["1", "-2.50", "1e3", "true", "false", "null"])
        #expect(root["b"]?["c"]?.string == "x\"é😀\u{0}/")
        #expect(root[path: ["b", "c"]]?.kind == .string)
        #expect(root["a"]?.elements.dropFirst().first { _ in true }?.number?.description == "-2.50")
        #expect(root["d"]?.members.map(\.name) == [])
        #expect(root["e"]?.value == [])
        #expect(root["none"] == nil)
        #expect(root.members.map(\.name) == ["a", "b", "d", "e"])
        #expect(root["d"].map { String(decoding: $0.rawBytes, as: UTF8.self) } == "{}")
        #expect(root["b"].map { String(decoding: $0.rawBytes, as: UTF8.self) } == #"{"c": "x\"\u00e9\ud83d\ude00\u0000\/"}"#)
        #expect(
            root.value == [
                "a": [1, .number(Number(-250, scale: 2)), 1000, true, false, .null], "b": ["c": "x\"é😀\u{0}/"], "d": [:], "e": [],
            ])
    }

    @Test(arguments: [
        (#"{"a": 01}"#, "leading zero"), (#"{"a" 1}"#, "colon"), (#"{"a": 1,}"#, "member's name"), ("[1 2]", "comma"),
        ("\"a\u{1}\"", "unescaped"), (#""\ud800""#, "surrogate"), (#""\ud800\u0041""#, "surrogate"), (#""\x""#, "backslash"), ("", "empty"),
        ("[1", "ends inside an array"), ("nul", "null"), ("1 1", "after the document"), ("\u{FEFF}1", "byte order mark"),
        (#""\u00"#, "four"),
    ])
    func refusesWithWords(text: String, word: String) {
        #expect { try JSONDocument.parse(text) } throws: { error in (error as? JSONError)?.reason.contains(word) == true }
    }

    @Test(
        arguments: [
            [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0xFF], [0x80], [0xF0, 0x80, 0x80, 0x80],
        ] as [[UInt8]])
    func refusesWhatIsNotUTF8(bytes: [UInt8]) {
        #expect(throws: JSONError.self) { try JSONDocument.parse([0x22] + bytes + [0x22]) }
        #expect(throws: JSONError.self) { try JSONDocument.parse(Array(#"["12345678", ""#.utf8) + bytes + Array(#"12345678"]"#.utf8)) }
    }

    @Test func tellsThePlace() throws {
        let error = try #require(throws: JSONError.self) { try JSONDocument.parse("{\n\"a\": 1,\n\"b\": x}") }
        #expect(error.line == 3)
        #expect(error.offset == 15)
        #expect(error.description == "'x' where a value should stand at byte 15, line 3")
    }

    @Test func limitsDepthAndSize() throws {
        func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        #expect(throws: Never.self) { try JSONDocument.parse(nested(128)) }
        let error = try #require(throws: JSONError.self) { try JSONDocument.parse(nested(129)) }
        #expect(error.reason.hasPrefix("depth limit of 128 reached at byte 128"))
        let deep = try JSONDocument.parse(nested(512), limits: JSONLimits(maxDepth: 512))
        #expect(try JSONDocument.parse(deep.value.json, limits: JSONLimits(maxDepth: 512)).value == deep.value)
        // Reading itself has no depth that it could overflow at.
        #expect(throws: Never.self) { try JSONDocument.parse(nested(200_000), limits: JSONLimits(maxDepth: 200_000)) }
        #expect(throws: JSONError.self) { try JSONDocument.parse("[1,2,3]", limits: JSONLimits(maxBytes: 6)) }
    }

    @Test func lastOfRepeatedMembersCounts() throws {
        let document = try JSONDocument.parse(#"{"a":1,"b":{"c":1,"c":2},"l":[0,{"x":1,"\u0078":2}],"a":3,"a":4}"#)
        #expect(document.root["a"]?.integer == 4)
        #expect(document.root["b"]?["c"]?.integer == 2)
        #expect(document.root["l"]?.elements.map { $0["x"]?.integer } == [nil, 2])
        #expect(document.value == ["a": 4, "b": ["c": 2], "l": [0, ["x": 2]]])
        #expect(document.duplicateNames == ["a", "b.c", "l.1.x"])
        #expect(try JSONDocument.parse(#"{"a":1,"b":{"a":1}}"#).duplicateNames.isEmpty)
    }

    @Test func manyMembersCostLittle() throws {
        // In disorder, so that sorting on arrival would be quadratic; one repeated.
        let count = 100_000
        let members = (0..<count).map { "\"k\(($0 * 7919) % count)\":\($0)" }
        let document = try JSONDocument.parse("{" + members.joined(separator: ",") + ",\"k5\":-1}")
        let clock = ContinuousClock()
        let time = try clock.measure {
            #expect(document.duplicateNames == ["k5"])
            let fields = try #require(document.root.fields)
            #expect(fields.count == count)
            #expect(fields["k5"] == -1)
        }
        // Quadratic work would take minutes.
        #expect(time < .seconds(20))
    }

    @Test func longTapeIsReadAgain() throws {
        // More words than bytes / 4: the guess for the tape is too short.
        let text = "[" + String(repeating: "[],", count: 5000) + "[]]"
        #expect(try JSONDocument.parse(text).root.elements.reduce(0) { count, _ in count + 1 } == 5001)
    }

    @Test func comparesTextWithoutDecoding() throws {
        let root = try JSONDocument.parse(#"["abc", "a\u0062c", 1]"#).root
        #expect(root.elements.map { $0.isText("abc") } == [true, true, false])
        #expect(root.elements.map { $0.isText("abd") } == [false, false, false])
        #expect(root.elements.map(\.keyText) == ["abc", "abc", "1"])
    }
}
