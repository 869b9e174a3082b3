import HubModel

/// The draft's own meta-schemas, which schemas may refer to without anybody fetching them.
enum MetaSchema {
    static let uri = "https://json-schema.org/draft/2020-12/schema"

    /// The meta-schema at that address; nil for any other address.
    static func document(at address: String) throws(SchemaError) -> Value? {
        let prefix = "https://json-schema.org/draft/2020-12/"
        guard address.hasPrefix(prefix), let text = texts[String(address.dropFirst(prefix.count))] else { return nil }
        do {
            return try JSONDocument.parse(text).value
        } catch {
            throw SchemaError(.badReference, at: address, error.reason)
        }
    }

    private static func part(_ name: String, _ vocabulary: String, _ body: String) -> String {
        #"{"$schema":"\#(uri)","$id":"https://json-schema.org/draft/2020-12/meta/\#(name)","#
            + #""$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/\#(vocabulary)":true},"#
            + #""$dynamicAnchor":"meta","type":["object","boolean"],\#(body)}"#
    }

    private static let texts: [String: String] = [
        "schema": """
        {"$schema":"\(uri)","$id":"\(uri)","$dynamicAnchor":"meta","$vocabulary":{
        "https://json-schema.org/draft/2020-12/vocab/core":true,"https://json-schema.org/draft/2020-12/vocab/applicator":true,
        "https://json-schema.org/draft/2020-12/vocab/unevaluated":true,"https://json-schema.org/draft/2020-12/vocab/validation":true,
        "https://json-schema.org/draft/2020-12/vocab/meta-data":true,
        "https://json-schema.org/draft/2020-12/vocab/format-annotation":true,
        "https://json-schema.org/draft/2020-12/vocab/content":true},
        "allOf":[{"$ref":"meta/core"},{"$ref":"meta/applicator"},{"$ref":"meta/unevaluated"},{"$ref":"meta/validation"},
        {"$ref":"meta/meta-data"},{"$ref":"meta/format-annotation"},{"$ref":"meta/content"}],
        "type":["object","boolean"],"properties":{
        "definitions":{"type":"object","additionalProperties":{"$dynamicRef":"#meta"}},
        "dependencies":{"type":"object","additionalProperties":{"anyOf":[{"$dynamicRef":"#meta"},
        {"$ref":"meta/validation#/$defs/stringArray"}]}},
        "$recursiveAnchor":{"$ref":"meta/core#/$defs/anchorString"},"$recursiveRef":{"$ref":"meta/core#/$defs/uriReferenceString"}}}
        """,
        "meta/core": part(
            "core", "core",
            #"""
            "properties":{"$id":{"$ref":"#/$defs/uriReferenceString","pattern":"^[^#]*#?$"},"$schema":{"$ref":"#/$defs/uriString"},
            "$ref":{"$ref":"#/$defs/uriReferenceString"},"$anchor":{"$ref":"#/$defs/anchorString"},
            "$dynamicRef":{"$ref":"#/$defs/uriReferenceString"},"$dynamicAnchor":{"$ref":"#/$defs/anchorString"},
            "$vocabulary":{"type":"object","propertyNames":{"$ref":"#/$defs/uriString"},"additionalProperties":{"type":"boolean"}},
            "$comment":{"type":"string"},"$defs":{"type":"object","additionalProperties":{"$dynamicRef":"#meta"}}},
            "$defs":{"anchorString":{"type":"string","pattern":"^[A-Za-z_][-A-Za-z0-9._]*$"},
            "uriString":{"type":"string","format":"uri"},"uriReferenceString":{"type":"string","format":"uri-reference"}}
            """#),
        "meta/applicator": part(
            "applicator", "applicator",
            #"""
            "properties":{"prefixItems":{"$ref":"#/$defs/schemaArray"},"items":{"$dynamicRef":"#meta"},"contains":{"$dynamicRef":"#meta"},
            "additionalProperties":{"$dynamicRef":"#meta"},"properties":{"$ref":"#/$defs/schemaMap"},
            "patternProperties":{"$ref":"#/$defs/schemaMap","propertyNames":{"format":"regex"}},
            "dependentSchemas":{"$ref":"#/$defs/schemaMap"},"propertyNames":{"$dynamicRef":"#meta"},"if":{"$dynamicRef":"#meta"},
            "then":{"$dynamicRef":"#meta"},"else":{"$dynamicRef":"#meta"},"allOf":{"$ref":"#/$defs/schemaArray"},
            "anyOf":{"$ref":"#/$defs/schemaArray"},"oneOf":{"$ref":"#/$defs/schemaArray"},"not":{"$dynamicRef":"#meta"}},
            "$defs":{"schemaArray":{"type":"array","minItems":1,"items":{"$dynamicRef":"#meta"}},
            "schemaMap":{"type":"object","additionalProperties":{"$dynamicRef":"#meta"}}}
            """#),
        "meta/unevaluated": part(
            "unevaluated", "unevaluated",
            ##""properties":{"unevaluatedItems":{"$dynamicRef":"#meta"},"unevaluatedProperties":{"$dynamicRef":"#meta"}}"##),
        "meta/validation": part(
            "validation", "validation",
            #"""
            "properties":{"type":{"anyOf":[{"$ref":"#/$defs/simpleTypes"},
            {"type":"array","items":{"$ref":"#/$defs/simpleTypes"},"minItems":1,"uniqueItems":true}]},
            "const":true,"enum":{"type":"array","items":true},"multipleOf":{"type":"number","exclusiveMinimum":0},
            "maximum":{"type":"number"},"exclusiveMaximum":{"type":"number"},"minimum":{"type":"number"},
            "exclusiveMinimum":{"type":"number"},"maxLength":{"$ref":"#/$defs/count"},"minLength":{"$ref":"#/$defs/count"},
            "pattern":{"type":"string","format":"regex"},"maxItems":{"$ref":"#/$defs/count"},"minItems":{"$ref":"#/$defs/count"},
            "uniqueItems":{"type":"boolean"},"maxContains":{"$ref":"#/$defs/count"},"minContains":{"$ref":"#/$defs/count"},
            "maxProperties":{"$ref":"#/$defs/count"},"minProperties":{"$ref":"#/$defs/count"},"required":{"$ref":"#/$defs/stringArray"},
            "dependentRequired":{"type":"object","additionalProperties":{"$ref":"#/$defs/stringArray"}}},
            "$defs":{"count":{"type":"integer","minimum":0},"nonNegativeInteger":{"type":"integer","minimum":0},
            "nonNegativeIntegerDefault0":{"type":"integer","minimum":0},
            "simpleTypes":{"enum":["array","boolean","integer","null","number","object","string"]},
            "stringArray":{"type":"array","items":{"type":"string"},"uniqueItems":true}}
            """#),
        "meta/meta-data": part(
            "meta-data", "meta-data",
            #"""
            "properties":{"title":{"type":"string"},"description":{"type":"string"},"default":true,"deprecated":{"type":"boolean"},
            "readOnly":{"type":"boolean"},"writeOnly":{"type":"boolean"},"examples":{"type":"array","items":true}}
            """#),
        "meta/format-annotation": part("format-annotation", "format-annotation", #""properties":{"format":{"type":"string"}}"#),
        "meta/format-assertion": part("format-assertion", "format-assertion", #""properties":{"format":{"type":"string"}}"#),
        "meta/content": part(
            "content", "content",
            ##"""
            "properties":{"contentEncoding":{"type":"string"},"contentMediaType":{"type":"string"},"contentSchema":{"$dynamicRef":"#meta"}}
            """##),
    ]
}
