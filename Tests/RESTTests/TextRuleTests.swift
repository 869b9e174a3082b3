import HubDriver
import HubModel
import Testing

@testable import REST
@testable import StandIns

@Suite("REST: texts that a system does not keep")
struct TextRuleTests {
    private func rule(_ without: TextRule.Characters..., most: Int? = nil, unit: TextRule.Unit = .characters) -> TextRule {
        TextRule(without: Set(without), most: most, unit: unit)
    }

    @Test("Characters are refused by what they are")
    func characters() {
        let cases: [(TextRule, refused: [String], kept: [String])] = [
            (rule(.nul), ["\0", "a\0b"], ["", "\u{1}", "a b"]),
            (rule(.lineBreaks), ["a\tb", "a\n", "\r\n", "\u{B}", "\u{C}"], ["a b", "\u{1}", "\u{A0}", "\u{85}", "\u{2028}"]),
            (rule(.controls), ["\0", "\u{1B}[31m", "\u{7F}", "\u{85}", "a\tb"], ["é", "\u{AD}", "\u{200B}"]),
            (rule(.spaceAround), [" a", "a ", "\u{A0}a", "a\n", " "], ["", "a b", "\u{200B}a"]),
            (rule(.supplementary), ["👩", "𝒳"], ["é", "日本", "\u{FFFD}"]),
            (rule(.nul, .spaceAround), ["\0", " a"], ["a"]),
        ]
        for (rule, refused, kept) in cases {
            for text in refused { #expect(rule.objection(text, "name")?.rule == "invalid-text", "\(text.debugDescription)") }
            for text in kept { #expect(rule.objection(text, "name") == nil, "\(text.debugDescription)") }
        }
    }

    @Test("Lengths are counted as the system counts them")
    func lengths() {
        for (unit, longest, tooLong) in [(.characters, "a👩", "a👩b"), (.utf16, "👩", "a👩"), (.bytes, "é", "aé")]
            as [(TextRule.Unit, String, String)]
        {
            let rule = rule(most: 2, unit: unit)
            #expect(rule.objection(longest, "name") == nil && rule.objection(tooLong, "name")?.rule == "too-long")
        }
    }

    @Test("A text is refused before anything is sent, where it stands too: in a list's objects")
    func beforeSending() async throws {
        let server = try await StrictServer { _ in .init(200, ["id": "1", "name": "x"]) }
        let text = """
            identity: { path: /me }
            texts: { "*": { without: [nul] }, name: { without: [lineBreaks], most: 5 } }
            entities:
              - native: item
                entity: product
                key: id
                token: v
                texts: { lines.text: { without: [spaceAround] } }
                read: { path: "/items/{key}" }
                update: { path: "/items/{key}" }
            """
        let driver = try RecipeFile(text).driver(["url": server.url])
        func refused(_ fields: Fields) async throws -> Rejection? {
            try await driver.one(delivery(.update, "item", "product-1", key: "1", fields, token: "1")).rejection
        }
        let cases: [(Fields, String, String)] = [
            (["code": "a\0"], "code", "invalid-text"), (["name": "a\tb"], "name", "invalid-text"), (["name": "123456"], "name", "too-long"),
            (["lines": [["text": "a"], ["text": " b"]]], "lines.text", "invalid-text"),
            (["tags": ["a", "b\0"]], "tags", "invalid-text"), (["lines": [["note": "\0"]]], "lines.note", "invalid-text"),
        ]
        for (fields, place, rule) in cases {
            let rejection = try await refused(fields)
            #expect(rejection?.rule == rule && rejection?.field == place && rejection?.text.isEmpty == false)
        }
        #expect(server.requests.isEmpty)
        // A rule of a member's own stands in the place of the one for all others.
        #expect(try await refused(["name": "a\0"]) == nil)
        #expect(!server.requests.isEmpty)
        #expect(driver.manifest.entities[0].rules == ["invalid-text", "refused", "too-long"])
        await driver.close()
    }
}
