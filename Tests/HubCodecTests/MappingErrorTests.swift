import HubCodec
import HubModel
import Testing

@Suite struct MappingErrorTests {
    static func problems(_ text: String, base: [String: String] = [:]) -> [MappingProblem] {
        do throws(MappingErrors) {
            _ = try MappingTests.compile(text, base: base)
            return []
        } catch {
            return error.problems
        }
    }

    @Test(arguments: [
        ("native: x\nentity: x\nfields:\n  a: { path: p, sacle: 2 }", 4, 17, "did you mean scale?"),
        ("native: x\nentity: x\nfields:\n  a: { pth: p, scale: 2 }", 4, 16, "has no path"),
        ("native: x\nentity: x\nfields:\n  a: { path: p, as: number }", 4, 21, "text, integer, decimal"),
        ("native: x\nentity: x\nfields:\n  a: { path: p, scale: two }", 4, 24, "write scale: 2"),
        ("native: x\nentity: x\nfields:\n  a: [p, q]", 4, 6, "has one path"),
        ("native: x\nentity: x\nfields:\n  a: p..q", 4, 6, "no path"),
        ("native: x\nentity: x\nfields:\n  a: 5", 4, 6, "needs the path"),
        ("native: x\nentity: x\nfields:\n  a: p\n  a.b: q", 5, 3, "a field itself"),
        ("native: x\nentity: x\nfields:\n  a: p\n  b: p", 5, 3, "direction: in"),
        ("native: x\nentity: x\nfields:\n  a: { path: p, soft: true }", 4, 17, "write ref:"),
        ("native: x\nentity: x\nfields:\n  a: { path: p, values: { b: 1, c: 1 } }", 4, 33, "means both"),
        ("native: x\nentity: x\nfields:\n  a: { path: p, values: { b: null } }", 4, 27, "default:"),
        ("native: x\nentity: x\nfields:\n  a: { path: p, ref: y, as: text }", 4, 25, "leave it out"),
        ("native: x\nentity: x\nfields:\n  a: { path: p, normalise: [trim, uper] }", 4, 35, "did you mean upper?"),
        ("native: x\nentity: x\nfields:\n  a: { path: p, constant: 1 }", 4, 3, "writeConstant"),
        ("native: x\nentity: x\nfields:\n  a: { path: p, round: true }", 4, 17, "write scale: 2"),
        ("native: x\nentity: x\nfields:\n  a: null", 4, 3, "has no path"),
        ("native: x\nentity: x\nfields:\n  a: { path: p.0 }", 4, 3, "direction: in"),
        ("native: x\nentity: x\nfeilds: { a: p }", 3, 1, "did you mean fields?"),
        ("native: x\nentity: x\nextends: nothing\nfields: { a: p }", 3, 1, "no mapping nothing"),
        ("native: x\nentity: x\nlines: { fields: { a: p } }", 3, 1, "write path:"),
        ("native: x\nentity: x\nlines: { path: l, fields: { id: p } }", 3, 29, "key: p"),
        ("native: x\nentity: x\nlines: { path: l, keys: a, fields: { a: p } }", 3, 19, "did you mean key?"),
        ("native: x\nentity: x\nwhen: [a]\nfields: { a: p }", 3, 1, "write when:"),
        ("entity: x\nfields: { a: p }", 1, 1, "native: is missing"),
        ("native: x\nfields: { a: p }", 1, 1, "entity: is missing"),
        ("native: x\nentity: x", 1, 1, "no field is mapped"),
        ("native: x\nentity: x\nfields:\n  a: p\n  a: q", 4, 3, "keep one"),
        ("native: x\nentity: x\nfields:\n  a: {p", 5, 1, "not readable as YAML"),
        ("- a", 1, 1, "a mapping is a map"), ("", 1, 1, "empty"),
    ])
    func namesThePlaceAndWhatToWrite(text: String, line: Int, column: Int, words: String) {
        let problems = Self.problems(text)
        let found = problems.contains { $0.file == "order.yaml" && $0.line == line && $0.column == column && $0.text.contains(words) }
        #expect(found, "\(problems.map(\.description))")
    }

    @Test func collectsAll() {
        let problems = Self.problems(
            """
            native: x
            entity: x
            key: [a]
            fields:
              a: { path: p, as: nothing }
              b: { path: q, wrong: 1 }
              c: [1]
            lines: { path: l, fields: { d: { path: e, scale: -1 } } }
            """)
        #expect(problems.map(\.line) == [3, 5, 6, 7, 8])
        #expect(problems.first?.description.hasPrefix("order.yaml:3:6: key: is a list") == true)
    }

    @Test func namesTheFileThatIsWrong() {
        let problems = Self.problems(
            "extends: builtin\nfields: { b: { path: q, wrong: 1 }, z: null }",
            base: ["builtin": "native: x\nentity: x\nfields:\n  a: { path: p, as: nothing }"])
        #expect(
            Set(problems.map { "\($0.file):\($0.line):\($0.column)" }) == ["builtin.yaml:4:21", "order.yaml:2:25", "order.yaml:2:37"])
        #expect(Self.problems("extends: builtin", base: ["builtin": "extends: builtin"]).contains { $0.text.contains("circle") })
    }

    @Test func countryNoStaysACountry() throws {
        let mapping = try MappingTests.compile(
            "native: x\nentity: x\nfields: { c: { path: p, values: { norway: NO, answer: \"true\", truth: true } } }")
        #expect(try mapping.translate(["p": "NO"]) == ["c": "norway"])
        #expect(try mapping.translate(["p": "true"]) == ["c": "answer"])
        #expect(try mapping.translate(["p": true]) == ["c": "truth"])
    }
}
