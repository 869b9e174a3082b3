import HubModel
import Testing

@Suite("Values, fields and names")
struct FieldsTests {
    @Test("members are unique and sorted by bytes, in whatever order they come")
    func order() {
        let fields = Fields([("b", 1), ("a", 2), ("ä", 3), ("B", 4), ("b", 5)])
        #expect(fields.names == ["B", "a", "b", "ä"])
        #expect(fields["b"] == 5)
        #expect(fields == ["ä": 3, "B": 4, "b": 5, "a": 2])
        #expect(fields.hashValue == (["ä": 3, "B": 4, "b": 5, "a": 2] as Fields).hashValue)
        #expect(fields["c"] == nil)
    }

    @Test("nil removes, null stays")
    func removal() {
        var fields: Fields = ["a": 1, "b": .null]
        #expect(fields["b"] == .some(.null))
        fields["a"] = nil
        fields["c"] = nil
        #expect(fields.names == ["b"])
        fields["b"] = .some(.null)
        #expect(fields.count == 1)
    }

    @Test("Values change under their names, null among them")
    func mapValues() {
        let fields: Fields = ["b": 2, "a": .null, "c": ["d": 1]]
        #expect(fields.mapValues { $0.isNull ? "nothing" : $0 } == ["a": "nothing", "b": 2, "c": ["d": 1]])
        #expect(fields.mapValues { _ in .null }.names == ["a", "b", "c"])
    }

    @Test("overlay takes every member of the upper one")
    func overlay() {
        let lower: Fields = ["a": 1, "c": ["x": 1], "e": 5]
        #expect(lower.overlaid(with: ["b": 2, "c": ["y": 2], "e": .null]) == ["a": 1, "b": 2, "c": ["y": 2], "e": .null])
        #expect(lower.overlaid(with: [:]) == lower)
        #expect(([:] as Fields).overlaid(with: lower) == lower)
    }

    @Test("dotted paths lead through objects and make them")
    func paths() {
        var fields: Fields = [:]
        fields[path: ["a", "b", "c"]] = "deep"
        #expect(fields == ["a": ["b": ["c": "deep"]]])
        #expect(fields[path: ["a", "b"]] == ["c": "deep"])
        #expect(fields[path: ["a", "x", "c"]] == nil)
        #expect(fields[path: ["a", "b", "c", "d"]] == nil)
        fields[path: ["a", "b", "c"]] = nil
        #expect(fields[path: ["a", "b", "c"]] == nil)
        #expect(fields[path: [String]()] == nil)
    }

    @Test("text is compared byte for byte, numbers by value")
    func equality() {
        #expect(Value.string("é") != Value.string("e\u{301}"))
        #expect(Value.number(Number(10, scale: 1)) == 1)
        #expect(Value.number(Number(10, scale: 1)).hashValue == (1 as Value).hashValue)
        #expect((1 as Value) != "1")
        #expect(Value.bool(false) != .null)
        #expect(NativeKey("é") != NativeKey("e\u{301}"))
        #expect(!"é".hasSameBytes(as: "e\u{301}"))
        #expect("".hasSameBytes(as: "") && "long enough not to be small".hasSameBytes(as: "long enough not to be " + "small"))
        #expect(!"a".hasSameBytes(as: "b") && !"a".hasSameBytes(as: "aa"))
    }

    @Test("names have an order of bytes; tokens that are numbers one of numbers")
    func order2() {
        #expect(NativeKey("10") < NativeKey("9"))
        #expect(VersionToken("9") < VersionToken("10"))
        #expect(VersionToken("a10") < VersionToken("a9"))
        #expect(!(VersionToken("10") < VersionToken("10")))
        #expect(EntityName("Z") < EntityName("a"))
        #expect(SourcePosition(major: 1, minor: 9) < SourcePosition(major: 2, minor: 0))
        #expect(Version(generation: 1, number: 99) < Version(generation: 2, number: 1))
        #expect(Version("2.17") == Version(generation: 2, number: 17))
        #expect(Version("2") == nil && Version("a.b") == nil && Version("1.2.3") == nil)
    }

    @Test(
        "key text",
        arguments: [("x" as Value, "x"), (17, "17"), (.number(Number(170, scale: 1)), "17"), (.null, nil), (true, nil), (.array([1]), nil)])
    func keyText(_ value: Value, _ text: String?) { #expect(value.keyText == text) }
}
