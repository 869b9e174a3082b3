import Testing

@testable import REST

@Suite("REST: XML")
struct MarkupTests {
    @Test("Elements, attributes, references, literal text")
    func reading() throws {
        let text = """
            \u{FEFF}<?xml version='1.0'?><!-- a > b -->
            <p:a  x = '1 &lt; &#50; &#x33;"' p:y="é&amp;&quot;">
              <b/> one <![CDATA[ <two> & ]]><b z="">&apos;</b >
            </p:a>
            """
        let root = try MarkupReader.element(Array(text.utf8))
        #expect(root.name == "a" && root["x"] == "1 < 2 3\"" && root["p:y"] == "é&\"")
        #expect(root.all("b").map(\.text) == ["", "'"] && root.all("b").last?["z"] == "")
        #expect(root.text == "one<two> &")
    }

    @Test("What is not well formed is refused, with its line")
    func mistakes() {
        let deep = String(repeating: "<a>", count: 65) + String(repeating: "</a>", count: 65)
        let cases = [
            ("", "no element"), ("<a>", "not closed"), ("<a></b>", "closes nothing"), ("</a>", "closes nothing"), ("<a/><b/>", "follows"),
            ("x<a/>", "outside"), ("<a b></a>", "no value"), ("<a b=c/>", "quotation"), ("<a b='c/>", "does not end"),
            ("<a b='1' b='2'/>", "twice"), ("<a b='1'c='2'/>", "not well formed"), ("<a", "not well formed"), ("<a>&b;</a>", "reference"),
            ("<a>&#0;</a>", "reference"), ("<a>& b</a>", "reference"), ("<!DOCTYPE a><a/>", "document type"), ("<a><!-- </a>", "missing"),
            ("<a><![CDATA[ </a>", "missing"), ("<", "name"), ("<a ", "not well formed"), (deep, "deep"),
        ]
        for (text, word) in cases {
            let mistake = #expect(throws: MarkupMistake.self, "\(text)") { _ = try MarkupReader.element(Array(text.utf8)) }
            #expect(mistake?.text.contains(word) == true, "\(text): \(mistake?.text ?? "")")
        }
        let broken = #expect(throws: MarkupMistake.self) { _ = try MarkupReader.element([0x3C, 0x61, 0x3E, 0x0A, 0xFF, 0x3C, 0x2F]) }
        #expect(broken?.text.contains("UTF-8") == true)
        let line = #expect(throws: MarkupMistake.self) { _ = try MarkupReader.element(Array("<a>\n\n<b c/></a>".utf8)) }
        #expect(line?.text.hasPrefix("line 3") == true)
    }

    @Test("Any beginning of a document is read or refused, and nothing worse")
    func beginnings() {
        let text = Array("<?x?><!--c--><a b='&#x20;'>t<c d=\"e\"/><![CDATA[f]]></a>".utf8)
        for end in 0..<text.count { #expect(throws: MarkupMistake.self) { _ = try MarkupReader.element(Array(text[..<end])) } }
        #expect(throws: Never.self) { _ = try MarkupReader.element(text) }
    }
}
