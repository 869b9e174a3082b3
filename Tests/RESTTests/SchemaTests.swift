import HubDriver
import HubModel
import Testing

@testable import REST

@Suite("REST: schemas of JSON")
struct SchemaTests {
    private func fields(_ text: String, _ name: String) throws -> [DiscoveredField]? {
        let document = SchemaDocument(root: try JSONText.value(text))
        return document.schema(name).map { document.fields($0).all }
    }

    @Test("Schemas are found in OpenAPI, Swagger, $defs and by pointers")
    func places() throws {
        let item = #"{ "type": "object", "properties": { "name": { "type": "string" } } }"#
        for text in [#"{ "components": { "schemas": { "Item": \#(item) } } }"#, #"{ "definitions": { "Item": \#(item) } }"#] {
            #expect(try fields(text, "Item")?.map(\.path) == ["name"])
            #expect(try fields(text, "Other") == nil)
        }
        #expect(try fields(#"{ "$defs": { "a/b~c": \#(item) } }"#, "#/$defs/a~1b~0c")?.map(\.path) == ["name"])
        #expect(try fields(item, "#")?.map(\.path) == ["name"])
    }

    @Test("What refers to itself ends", arguments: ["#/$defs/node", "node"])
    func cycles(name: String) throws {
        let text = #"""
            { "$defs": { "node": { "allOf": [{ "$ref": "#/$defs/node" }], "properties": {
                "value": { "enum": ["a", null, 1] }, "next": { "$ref": "#/$defs/node" } } } } }
            """#
        let found = try #require(try fields(text, name))
        #expect(found.filter { $0.path == "value" }.map(\.codes) == [["a", "1"]])
        #expect(found.count == 2 * FieldList.mostDepth)
    }

    @Test("More fields than are bearable are noticed")
    func many() throws {
        let wide = (0..<60).map { "\"m\($0)\": { \"$ref\": \"#\" }" }.joined(separator: ",")
        let document = SchemaDocument(root: try JSONText.value("{ \"properties\": { \(wide) } }"))
        let found = document.fields(document.root)
        #expect(found.isCut && found.all.count == FieldList.most)
    }
}
