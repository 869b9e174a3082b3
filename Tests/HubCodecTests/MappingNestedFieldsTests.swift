import HubCodec
import HubModel
import Testing

@Suite struct MappingNestedFieldsTests {
    @Test func nestsAndFlattens() {
        let flat: Fields = ["name": "A", "address.city": "B", "address.geo.lat": 1, "lines": [["id": "1"]], "x": [:]]
        let nested: Fields = ["name": "A", "address": ["city": "B", "geo": ["lat": 1]], "lines": [["id": "1"]], "x": [:]]
        #expect(flat.nested() == nested)
        #expect(nested.flattened() == flat)
        #expect(Fields().nested().isEmpty)
    }

    @Test func longerNameWins() {
        #expect((["a": 1, "a.b": 2] as Fields).nested() == ["a": ["b": 2]])
    }
}
