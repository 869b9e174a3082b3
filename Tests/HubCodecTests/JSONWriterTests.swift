import HubCodec
import HubModel
import Testing

@Suite struct JSONWriterTests {
    @Test func writesCommasAndEscapes() throws {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("a\"b", "line\n\u{1}\t\\é😀/")
        writer.name("n")
        writer.beginArray()
        writer.write(Number(1250, scale: 2))
        writer.write(true)
        writer.writeNull()
        writer.write(raw: Array(#"{"x":1}"#.utf8))
        writer.write(try JSONDocument.parse(#"[ 1 ]"#).root)
        writer.beginObject()
        writer.endObject()
        writer.endArray()
        writer.name("e")
        writer.write(["k": [:], "j": []] as Fields)
        writer.endObject()
        #expect(writer.text == #"{"a\"b":"line\n\u0001\t\\é😀/","n":[12.50,true,null,{"x":1},[ 1 ],{}],"e":{"j":[],"k":{}}}"#)
        #expect(throws: Never.self) { try JSONDocument.parse(writer.bytes) }
        writer.removeAll()
        writer.write(1)
        #expect(writer.text == "1")
    }

    @Test(arguments: ["-0", "1.10", "1e400", "123456789012345678901234567890", "-0.000", "1E-5"])
    func keepsNumbersAsWritten(text: String) throws {
        #expect(String(decoding: try JSONDocument.parse(text).value.json, as: UTF8.self) == text)
    }
}
