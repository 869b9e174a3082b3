import Foundation
import HubCodec
import HubModel
import Testing

@Suite struct SchemaTests {
    static func json(_ text: String) throws -> Value { try JSONDocument.parse(text, limits: JSONLimits(maxDepth: 1000)).value }

    static func validator(_ schema: String, assertsFormat: Bool = false) throws -> SchemaValidator {
        try SchemaValidator(schema: json(schema), assertsFormat: assertsFormat)
    }

    @Test func violationsSayWhereAndWhat() throws {
        let validator = try Self.validator(
            #"""
            {"type":"object","required":["name","lines"],"additionalProperties":false,"properties":{
            "name":{"type":"string","minLength":1},"a/b":{"type":"integer"},"stage":{"enum":["lead","customer"]},
            "lines":{"type":"array","items":{"properties":{"price":{"multipleOf":0.01,"minimum":0}}}},
            "party":{"oneOf":[{"properties":{"kind":{"const":"person"},"born":{"type":"string"}}},{"properties":{"kind":{"const":"firm"}}}]}}}
            """#)
        let found = validator.validate(
            try Self.json(
                #"{"name":"","a/b":1.5,"stage":"old","more":1,"lines":[{"price":1.005},{"price":-1}],"party":{"kind":"person","born":7}}"#))
        let told = Dictionary(grouping: found, by: \.instancePath).mapValues { $0.map(\.keyword) }
        #expect(
            told == [
                "/name": ["minLength"], "/a~1b": ["type"], "/stage": ["enum"], "": ["additionalProperties"],
                "/lines/0/price": ["multipleOf"],
                "/lines/1/price": ["minimum"], "/party": ["oneOf"],
            ])
        #expect(found.first { $0.instancePath == "/a~1b" }?.message == "must be a whole number, is a number")
        #expect(found.first { $0.instancePath == "" }?.message == #"has a member "more" that is not allowed"#)
        #expect(
            validator.validate(try Self.json("{}")).map(\.message) == [
                #"has no "name", which is required"#, #"has no "lines", which is required"#,
            ])
    }

    @Test(arguments: [
        (#"{"prefixItems":[true],"contains":{"type":"string"},"unevaluatedItems":false}"#, #"[1,"a","b"]"#, true),
        (#"{"prefixItems":[true],"contains":{"type":"string"},"unevaluatedItems":false}"#, #"[1,"a",2]"#, false),
        (#"{"if":{"prefixItems":[{"const":1}]},"then":{"prefixItems":[true,true]},"unevaluatedItems":false}"#, "[1,2]", true),
        (#"{"if":{"prefixItems":[{"const":1}]},"then":{"prefixItems":[true,true]},"unevaluatedItems":false}"#, "[3]", false),
        (#"{"anyOf":[{"items":true},{"prefixItems":[true]}],"unevaluatedItems":false}"#, "[1,2,3]", true),
        (#"{"not":{"not":{"properties":{"a":true}}},"unevaluatedProperties":false}"#, #"{"a":1}"#, false),
        (#"{"contains":{"type":"string"},"minContains":0}"#, "[]", true), (#"{"contains":true,"maxContains":1}"#, "[1,2]", false),
        (#"{"if":{"const":1},"then":false,"else":{"type":"string"}}"#, "1", false),
        (#"{"if":{"const":1},"else":{"type":"string"}}"#, "2", false),
        (#"{"dependentSchemas":{"a":{"required":["b"]}}}"#, #"{"a":1}"#, false), (#"{"dependencies":{"a":["b"]}}"#, #"{"a":1}"#, false),
        (#"{"propertyNames":{"maxLength":2}}"#, #"{"abc":1}"#, false), (#"{"properties":{"é":false}}"#, "{\"e\u{301}\":1}", true),
        (#"{"uniqueItems":true}"#, "[1,true,1.0]", false), (#"{"uniqueItems":true}"#, #"[1,true,"1",[1],{"a":1}]"#, true),
        (##"{"$ref":"#/unknown/0","unknown":[{"type":"null"}]}"##, "1", false),
        (#"{"$ref":"https://json-schema.org/draft/2020-12/schema"}"#, #"{"minLength":-1}"#, false),
        (#"{"$ref":"https://json-schema.org/draft/2020-12/schema"}"#, #"{"properties":{"a":{"type":["string"]}}}"#, true),
    ])
    func keywordsWorkTogether(schema: String, document: String, isValid: Bool) throws {
        let validator = try Self.validator(schema)
        let value = try Self.json(document)
        #expect(validator.accepts(value) == isValid)
        #expect(validator.validate(value).isEmpty == isValid)
    }

    @Test func numbersAreExact() throws {
        let validator = try Self.validator(#"{"multipleOf":0.01,"maximum":99999999999999999999.99}"#)
        #expect(validator.accepts(try Self.json("99999999999999999999.99")))
        #expect(!validator.accepts(try Self.json("100000000000000000000.00")))
        #expect(validator.accepts(try Self.json("1e18")))
        #expect(!validator.accepts(try Self.json("0.125")))
        #expect(try Self.validator(#"{"type":"integer","multipleOf":0.123456789}"#).accepts(try Self.json("1e308")) == false)
        #expect(try Self.validator(#"{"multipleOf":18446744073709551615}"#).accepts(try Self.json("36893488147419103230")))
    }

    @Test(arguments: [
        (#"{"type":"strng"}"#, SchemaError.Code.badKeyword), (##"{"$ref":"#/$defs/none"}"##, .unknownReference),
        (#"{"$ref":"https://example.com/other.json"}"#, .unknownReference), (#"{"pattern":"(a"}"#, .badPattern),
        (#"{"pattern":"((a{1000}){1000}){1000}"}"#, .badPattern), (#"{"properties":[]}"#, .badKeyword), (#"{"allOf":[7]}"#, .badKeyword),
        (#"{"$schema":"http://json-schema.org/draft-07/schema#"}"#, .otherDraft), (#"{"$id":"http://x/#a"}"#, .badReference),
        (#"{"multipleOf":0}"#, .badKeyword), (#"{"minLength":-1}"#, .badKeyword), ("7", .badKeyword),
    ])
    func schemasThatCannotBeUsedAreRefused(schema: String, code: SchemaError.Code) throws {
        do {
            _ = try Self.validator(schema)
            Issue.record("accepted: \(schema)")
        } catch let error as SchemaError {
            #expect(error.code == code, "\(error)")
        }
    }

    @Test func hostileSchemasAndDocumentsEnd() throws {
        // Refers to itself for ever.
        let loop = try Self.validator(##"{"$ref":"#"}"##)
        #expect(loop.validate(1).count == 1)
        // Not even a negation makes something of it.
        #expect(try Self.validator(##"{"not":{"$ref":"#/not"}}"##).accepts(1) == false)
        // Twice the work at every level.
        let levels = (0..<60).map { ##""l\##($0)":{"allOf":[{"$ref":"#/$defs/l\##($0 + 1)"},{"$ref":"#/$defs/l\##($0 + 1)"}]}"## }
        let wide = try Self.validator(
            "{\"$ref\":\"#/$defs/l0\",\"$defs\":{\(levels.joined(separator: ",")),\"l60\":{\"type\":\"string\"}}}")
        #expect(!wide.accepts("x"))
        // Deep schemas and documents.
        let deep = String(repeating: #"{"items":"#, count: 300) + "true" + String(repeating: "}", count: 300)
        #expect(throws: SchemaError.self) { try Self.validator(deep) }
        let nested = try Self.json(String(repeating: "[", count: 900) + String(repeating: "]", count: 900))
        #expect(!(try Self.validator(##"{"items":{"$ref":"#"}}"##).accepts(nested)))
        #expect(
            try Self.validator(##"{"items":{"$ref":"#"}}"##).accepts(
                Self.json(String(repeating: "[", count: 128) + String(repeating: "]", count: 128))))
        // Patterns that would never end elsewhere.
        let slow = try Self.validator(#"{"pattern":"^(a+)+$"}"#)
        #expect(!slow.accepts(.string(String(repeating: "a", count: 5000) + "b")))
        let slower = try Self.validator(#"{"pattern":"^(?=(a+)+$)(\\w*)*\\1$"}"#)
        #expect(!slower.accepts(.string(String(repeating: "a", count: 500) + "b")))
    }

    @Test func theDeepestDocumentFitsASmallStack() async throws {
        let validator = try Self.validator(##"{"anyOf":[{"properties":{"a":{"$ref":"#"}},"unevaluatedProperties":false}]}"##)
        let document = try Self.json(String(repeating: #"{"a":"#, count: 900) + "1" + String(repeating: "}", count: 900))
        let isValid = await withCheckedContinuation { continuation in
            let thread = Thread { continuation.resume(returning: validator.accepts(document)) }
            thread.stackSize = 2 << 20
            thread.start()
        }
        #expect(!isValid)
    }

    @Test(arguments: [
        ("^[A-Z]{2}\\d{3,}$", "FR123", true), ("^[A-Z]{2}\\d{3,}$", "FR12", false), ("(?<=\\$)\\d+", "a $5", true),
        ("(?<!\\$)\\b\\d+", "$55", false),
        ("^(?<q>['\"]).*\\k<q>$", "'x'", true), ("^(?<q>['\"]).*\\k<q>$", "'x\"", false), ("^(a|b)*c\\1$", "abcb", true),
        ("^.$", "\u{1F600}", true),
        ("^\\p{Lu}\\p{Ll}+$", "Émile", true), ("^[^\\s]+$", "a\u{A0}b", false), ("^(?:a|ab)(?:c|bcd)$", "abcd", true),
        ("^a{2}?b$", "aab", true),
        ("^\\u{1F600}\\x41$", "\u{1F600}A", true), ("[\\d-]+x", "1-x", true), ("^(a*)*$", "aaa", true), ("^(?!x)", "xa", false),
        ("é", "e\u{301}", false),
        ("^\\d+$", "१२", false), ("^a{0}$", "", true), ("^(?:)*$", "", true), ("x*", "", true), ("^$", "\n", false),
    ])
    func patternsMatch(pattern: String, text: String, matches: Bool) throws {
        let validator = try SchemaValidator(schema: ["pattern": .string(pattern)])
        #expect(validator.accepts(.string(text)) == matches)
    }

    @Test func damagedSchemasNeverCrash() throws {
        let seed = Array(
            ##"""
            {"$id":"http://x/y","$ref":"#/$defs/a","$defs":{"a":{"$anchor":"b","pattern":"^(a|[b-d]{1,3})*\\d(?=x)$","properties":{"c":{"$dynamicRef":"#m"}}},
            "e":{"$dynamicAnchor":"m","multipleOf":0.5,"unevaluatedProperties":false,"format":"uri"}},"items":{"$ref":"z/../y#b"},"if":true,"else":{"const":1}}
            """##.utf8)
        var mutator = ByteMutator(seed: 99)
        var used = 0
        for _ in 0..<20_000 {
            guard let schema = try? JSONDocument.parse(mutator.mutated(seed)).value,
                let validator = try? SchemaValidator(schema: schema, assertsFormat: true)
            else { continue }
            used += 1
            _ = validator.validate(["c": .number(Number(15, scale: 1)), "d": ["abc1x", .null]])
        }
        #expect(used > 100)
    }

    @Test func formatsNeverCrash() throws {
        let texts = [
            "http://[::1]:80/%41?q#f", "a.b@[IPv6:::1]", "xn--bcher-kva.de", "2024-05-31T23:59:60+01:30", "P1Y2M3DT4H", "{+a*,b:3}", "1#",
            "büch·er。de",
        ]
        var mutator = ByteMutator(seed: 5)
        for name in [
            "uri", "iri", "email", "idn-hostname", "hostname", "date-time", "duration", "uri-template", "relative-json-pointer", "regex",
            "ipv6",
        ] {
            let validator = try SchemaValidator(schema: ["format": .string(name)], assertsFormat: true)
            for text in texts {
                for _ in 0..<300 { _ = validator.accepts(.string(String(decoding: mutator.mutated(Array(text.utf8)), as: UTF8.self))) }
            }
        }
    }
}
