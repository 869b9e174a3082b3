import HubModel
import Testing

@testable import REST

@Suite("REST: paths and places")
struct TemplateTests {
    private func path(_ text: String, _ values: [String: String], doubles: Bool = false) throws -> String? {
        try Template(text, doublesQuotes: doubles).path(values)
    }

    @Test("Values are encoded, and parts without one left out")
    func paths() throws {
        #expect(try path("/a/{key}?x={y}[&z={z}]", ["key": "a b/ü", "y": "&"]) == "/a/a%20b%2F%C3%BC?x=%26")
        #expect(try path("/a[&z={z}]", ["z": "1"]) == "/a&z=1")
        #expect(try path("/a/{key}", [:]) == nil)
        #expect(try path("/a?$filter=name eq '{name}'", ["name": "O'Brien"], doubles: true) == "/a?$filter=name%20eq%20'O%27%27Brien'")
        #expect(
            try path("/a?d=`[[\"code\", \"=\", \"{reference}\"]]`", ["reference": "x\"y"])
                == "/a?d=W1siY29kZSIsICI9IiwgInhcInkiXV0%3D".replacing("%3D", with: "="))
        #expect(try Template("`{\"a\": {\"b,{key}\": 1}}`").variables == ["key"])
    }

    @Test("Mistakes are refused", arguments: ["/{", "/{}", "/{a b}", "/[a", "/a]", "/a}", "/[a[b]]", "/`a"])
    func mistakes(text: String) { #expect(throws: Template.Mistake.self) { try Template(text) } }

    @Test("Places lead through objects and lists; a whole name goes first")
    func places() {
        let value: Value = ["a": ["b": [["c": 1]]], "@odata.etag": "x", "a.b": 2]
        #expect(Place("a.b.0.c").value(in: value) == 1)
        #expect(Place("@odata.etag").value(in: value) == "x")
        #expect(Place("a.b").value(in: value) == 2)
        #expect(Place("a.x").value(in: value) == nil)
        #expect(Place("a.b.7").value(in: value) == nil)
    }
}
