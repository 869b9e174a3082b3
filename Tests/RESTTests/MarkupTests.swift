import Testing

@testable import REST

@Suite("REST: XML")
struct MarkupTests {
    @Test("Elements, attributes, references, literal text")
    func reading() throws {
        let text = """
            \u{FEFF}<?xml version='1.0'?><!-- a > b -->
            <p:a xmlns:p="urn:p"  x = '1 &lt; &#50; &#x33;"' p:y="é&amp;&quot;">
              <b/> one <![CDATA[ <two> & ]]><b z="">&apos;</b >
            </p:a>
            """
        let root = try MarkupReader.element(Array(text.utf8))
        #expect(root.name == "a" && root["x"] == "1 < 2 3\"" && root["p:y"] == "é&\"")
        #expect(root.all("b").map(\.text) == ["", "'"] && root.all("b").last?["z"] == "")
        #expect(root.text == "one  <two> &")
    }

    @Test("What is not well formed is refused, with its line")
    func mistakes() {
        let deep = String(repeating: "<a>", count: 65) + String(repeating: "</a>", count: 65)
        let texts = [
            "", "<a>", "<a></b>", "</a>", "<a/><b/>", "x<a/>", "<a b></a>", "<a b=c/>", "<a b='c/>", "<a b='1' b='2'/>", "<a b='1'c='2'/>",
            "<a", "<a>&b;</a>", "<a>&#0;</a>", "<a>& b</a>", "<a><!-- </a>", "<a><![CDATA[ </a>", "<", "<a ",
        ]
        for text in texts {
            let mistake = #expect(throws: MarkupMistake.self, "\(text)") { _ = try MarkupReader.element(Array(text.utf8)) }
            #expect(mistake?.text == "line 1: it is not well formed", "\(text)")
        }
        for (text, word) in [(deep, "64 deep"), ("<!DOCTYPE a><a/>", "document type")] {
            let mistake = #expect(throws: MarkupMistake.self) { _ = try MarkupReader.element(Array(text.utf8)) }
            #expect(mistake?.text.contains(word) == true)
        }
        #expect(throws: MarkupMistake.self) { _ = try MarkupReader.element([0x3C, 0x61, 0x3E, 0x0A, 0xFF, 0x3C, 0x2F]) }
        let line = #expect(throws: MarkupMistake.self) { _ = try MarkupReader.element(Array("<a>\n\n<b c/></a>".utf8)) }
        #expect(line?.text.hasPrefix("line 3") == true)
    }

    @Test("Entities that grow are not read")
    func growing() {
        let text = """
            <!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY f SYSTEM "file:///etc/passwd">]>
            <a>&c;&f;</a>
            """
        #expect(throws: MarkupMistake.self) { _ = try MarkupReader.element(Array(text.utf8)) }
    }

    @Test("Any beginning of a document is read or refused, and nothing worse")
    func beginnings() {
        let text = Array("<?x?><!--c--><a b='&#x20;'>t<c d=\"e\"/><![CDATA[f]]></a>".utf8)
        for end in 0..<text.count { #expect(throws: MarkupMistake.self) { _ = try MarkupReader.element(Array(text[..<end])) } }
        #expect(throws: Never.self) { _ = try MarkupReader.element(text) }
    }
}
