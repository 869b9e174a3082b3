import HubCodec
import HubModel
import Testing

/// Short cuts say the same as the long way.
@Suite struct FastPathTests {
    static let flat: [Fields] = [
        [:],
        ["a": 1],
        ["a": 1, "a.b": 2],
        ["a": 1, "ab": 2, "a.b.c": 3, "a.b.d": 4, "a.c": 5, "b": 6],
        ["address.city": "Le Puy", "address.zip": "43000", "address.country.code": "FR", "addressee": "x", "name": "Tréfileries \"R\""],
        ["x.": 1, ".x": 2, "x..y": 3],
        ["lines": [["id": "1", "price": 2], ["id": "2"]], "z.z": .null],
    ]

    @Test(arguments: flat) func flatFieldsAreWrittenAsNested(_ fields: Fields) {
        var writer = JSONWriter()
        writer.write(nested: fields)
        #expect(writer.text == String(decoding: fields.nested().json, as: UTF8.self))
    }

    @Test func textsAreEscapedWhereverTheSpecialByteStands() throws {
        for special in ["\"", "\\", "\n", "\u{1}", "é", "\u{1F}", "\u{7F}", "𝄞", "!"] {
            for before in 0...17 {
                let text = String(repeating: "a", count: before) + special + String(repeating: "b", count: 17 - before)
                var writer = JSONWriter()
                writer.write(text)
                #expect(try JSONDocument.parse(writer.bytes).root.string == text)
            }
        }
    }

    @Test(arguments: [
        "0", "-0", "0.00", "-0.05", "1", "-12.50", "9223372036854775807", "-9223372036854775808", "0.000000000000000001", "1e5",
    ])
    func numbersAreWrittenAsTheyDescribeThemselves(_ text: String) throws {
        let number = try #require(Number(text))
        var bytes: [UInt8] = []
        number.append(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == number.description)
    }

    @Test func namesAreFoundToRepeatAtAnyLength() throws {
        for length in 1...20 {
            let name = String(repeating: "n", count: length)
            let other = String(repeating: "n", count: length - 1) + "m"
            #expect(try JSONDocument.parse("{\"\(name)\":1,\"\(other)\":2}").duplicateNames == [])
            #expect(try JSONDocument.parse("{\"\(name)\":1,\"\(other)\":2,\"\(name)\":3}").duplicateNames == [name])
        }
    }

    @Test(arguments: [
        ("{\"a\":1,\"b\":2}", "{\"a\":3,\"b\":4}", true), ("{\"b\":1,\"a\":2}", "{\"a\":3,\"b\":4}", true),
        ("{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":3,\"b\":4}", true), ("{\"a\":1}", "{\"a\":3,\"b\":4}", false),
        ("{\"a\":1,\"b\":{}}", "{\"a\":3,\"b\":{\"c\":1}}", false), ("{\"a\":{\"c\":1}}", "{\"a\":3}", true),
        ("{\"\\u0061\":1}", "{\"a\":3}", true),
        ("[]", "{}", false), ("{}", "{}", true),
    ])
    func aWholeDocumentCoversThePartOfIt(_ new: String, _ old: String, _ covers: Bool) throws {
        #expect(try JSONDocument.parse(new).root.covers(try JSONDocument.parse(old).root) == covers)
    }

    @Test func textIsOrderedByItsBytes() {
        let texts = ["", "a", "aa", "ab", "a\u{0}", "é", "e\u{301}", "z", "𝄞", "\u{FFFD}", String(repeating: "x", count: 30)]
        for a in texts {
            for b in texts {
                #expect(a.hasSameBytes(as: b) == Array(a.utf8).elementsEqual(Array(b.utf8)))
                #expect(a.precedesInBytes(b) == Array(a.utf8).lexicographicallyPrecedes(Array(b.utf8)))
            }
        }
    }
}
