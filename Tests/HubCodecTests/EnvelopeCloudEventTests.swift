import HubCodec
import HubModel
import Testing

@Suite struct EnvelopeCloudEventTests {
    static let attributes = [
        "specversion": "1.0", "id": "e-1", "source": "/odoo", "type": "sale.order.updated", "subject": "42",
        "time": "2024-05-31T10:30:00.25+02:00", "sequence": "7", "mptoken": "t9", "mpref": "order-1-5", "mpcompany": "1",
    ]

    static func binary(_ changes: [String: String?] = [:], value: String? = #"{"name":"S1"}"#) -> Record {
        var attributes = attributes
        for (name, text) in changes { attributes[name] = text }
        var headers = attributes.sorted { $0.key < $1.key }.map { Record.Header("ce_" + $0.key, $0.value) }
        headers.append(Record.Header("content-type", "application/json"))
        return Record(topic: "odoo.order", value: value.map { Array($0.utf8) }, headers: headers)
    }

    static func structured(_ json: String, contentType: String = "application/cloudevents+json") -> Record {
        Record(topic: "odoo.order", value: Array(json.utf8), headers: [Record.Header("content-type", contentType)])
    }

    /// The code of the error that decoding throws; nil where it throws none.
    static func code(_ record: Record, _ declaration: EnvelopeDeclaration = .init()) -> EnvelopeError.Code? {
        do {
            _ = try EnvelopeDecoder(otherwise: declaration).decode(record)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func binaryModeIsRead() throws {
        let decoded = try #require(try EnvelopeDecoder().decode(Self.binary()).change)
        #expect(decoded.kind == .binaryCloudEvent)
        #expect(decoded.data?["name"]?.string == "S1")
        let expected = ChangeEvent(
            id: "e-1", type: "sale.order", operation: .upsert, key: "42", position: SourcePosition(minor: 7), token: "t9",
            time: Instant(milliseconds: 1_717_144_200_250), reference: "order-1-5", company: "1")
        #expect(decoded.event == expected)
    }

    @Test func structuredModeIsRead() throws {
        let record = Self.structured(
            #"{"specversion":"1.0","id":"1","source":"x","type":"com.acme.sale.order.deleted","mpkey":"9","subject":"no","sequence":12,"mptoken":null}"#,
            contentType: "application/cloudevents+json; charset=utf-8")
        let decoder = EnvelopeDecoder(topics: ["odoo.order": EnvelopeDeclaration(.cloudEvents, typePrefix: "com.acme")])
        let decoded = try #require(try decoder.decode(record).change)
        #expect(
            decoded.event == ChangeEvent(id: "1", type: "sale.order", operation: .delete, key: "9", position: SourcePosition(minor: 12)))
        #expect(decoded.data == nil)
        #expect(decoded.kind == .structuredCloudEvent)
    }

    @Test(arguments: [
        ("created", ChangeEvent.Operation.upsert), ("updated", .upsert), ("changed", .upsert), ("deleted", .delete),
        ("snapshot", .snapshot),
    ])
    func verbsAreOperations(verb: String, operation: ChangeEvent.Operation) throws {
        let decoded = try EnvelopeDecoder().decode(Self.binary(["type": "res.partner." + verb])).change
        #expect(decoded?.event.operation == operation)
        #expect(decoded?.event.type == "res.partner")
    }

    @Test func dataInBase64IsRead() throws {
        let record = Self.structured(
            #"{"specversion":"1.0","id":"1","source":"x","type":"a.updated","datacontenttype":"application/json","data_base64":"eyJhIjoxfQ=="}"#
        )
        #expect(try EnvelopeDecoder().decode(record).change?.data?["a"]?.integer == 1)
    }

    @Test(
        arguments: [
            (["id": nil], EnvelopeError.Code.missingAttribute), (["source": nil], .missingAttribute), (["type": nil], .missingAttribute),
            (["source": ""], .badAttribute), (["specversion": "0.3"], .unsupported), (["time": "yesterday"], .badAttribute),
            (["Upper": "x"], .badAttribute), (["with_dash": "x"], .badAttribute), (["mptoken": "a\u{0}b"], .badAttribute),
            (["type": "sale.order.burnt"], .unknownOperation), (["type": "nodot"], .unknownOperation),
            (["type": ".updated"], .badAttribute),
            (["subject": ""], .badAttribute), (["datacontenttype": "text/plain"], .badAttribute),
        ] as [([String: String?], EnvelopeError.Code)])
    func badAttributesAreRefused(changes: [String: String?], code: EnvelopeError.Code) {
        #expect(Self.code(Self.binary(changes)) == code)
    }

    @Test(arguments: [
        ("", EnvelopeError.Code.missingData), ("[1]", .missingData), ("{", .brokenJSON), (#"{"a":1,"a":2}"#, .ambiguous),
        (#"{"a":{"b":1,"\u0062":2}}"#, .ambiguous), (#"{"a":"\u0000"}"#, .nulCharacter), ("{\"a\":\"\u{0}\"}", .brokenJSON),
    ])
    func badDataIsRefused(value: String, code: EnvelopeError.Code) {
        #expect(Self.code(Self.binary(value: value)) == code)
    }

    @Test func anEscapedBackslashIsNoNUL() {
        #expect(Self.code(Self.binary(value: #"{"a":"\\u0000"}"#)) == nil)
    }

    @Test func refusalsSayWhy() {
        let plain = #"{"specversion":"1.0","id":"1","source":"x","type":"a.updated","data":{}}"#
        #expect(Self.code(Self.structured("[\(plain)]", contentType: "application/cloudevents-batch+json")) == .unsupported)
        #expect(Self.code(Self.structured(plain, contentType: "application/cloudevents+avro")) == .unsupported)
        #expect(Self.code(Self.structured("[\(plain)]")) == .unknownEnvelope)
        #expect(Self.code(Self.structured("")) == .empty)
        #expect(
            Self.code(Self.structured(#"{"specversion":"1.0","id":"1","source":"x","type":"a.updated","data":{},"data_base64":"e30="}"#))
                == .ambiguous)
        #expect(
            Self.code(Self.structured(#"{"specversion":"1.0","id":"1","source":"x","type":"a.updated","id":"2","data":{}}"#)) == .ambiguous)
        #expect(
            Self.code(
                Self.structured(
                    #"{"specversion":"1.0","id":"1","source":"x","type":"a.updated","data":"text","datacontenttype":"text/plain"}"#))
                == .unsupported)
        var record = Self.structured(plain)
        record.value = nil
        #expect(Self.code(record) == .empty)
        record.value = Array(repeating: 0x20, count: 10 << 20)
        #expect(Self.code(record) == .tooLarge)
        record.value = Array(plain.utf8) + [0xFF]
        #expect(Self.code(record) == .brokenJSON)
        record = Self.binary()
        record.headers.append(Record.Header("ce_id", "another"))
        #expect(Self.code(record) == .ambiguous)
        record = Self.binary()
        record.headers.append(Record.Header(name: "ce_mpkey", value: [0xFF]))
        #expect(Self.code(record) == .badAttribute)
        #expect(Self.code(Record(topic: "t", value: Array("{}".utf8))) == .unknownEnvelope)
        #expect(Self.code(Record(topic: "t", value: Array("{}".utf8)), EnvelopeDeclaration(.cloudEvents)) == .unknownEnvelope)
    }

    @Test(arguments: [CloudEventMode.binary, .structured])
    func whatIsEncodedIsDecodedAgain(mode: CloudEventMode) throws {
        let encoder = CloudEventEncoder(source: "/multipoint/odoo", mode: mode, typePrefix: "com.acme")
        let decoder = EnvelopeDecoder(otherwise: EnvelopeDeclaration(.auto, typePrefix: "com.acme"))
        let events = [
            ChangeEvent(
                id: "1", type: "sale.order", operation: .upsert, key: "42", position: SourcePosition(major: 3, minor: 9), token: "t",
                time: Instant(milliseconds: 1_717_144_200_250), reference: "order-1-5", company: "Été"),
            ChangeEvent(id: "2", type: "res.partner", operation: .delete, key: "7"),
            ChangeEvent(id: "3", type: "x", operation: .snapshot),
        ]
        for event in events {
            let data: Value? =
                event.operation == .delete ? Value?.none : ["total": .number(Number(1050, scale: 2)), "name": "Ü\u{1F600}\n"]
            let record = try encoder.encode(event, data: data, topic: "odoo.order")
            #expect(record.key == event.key.map { Array($0.rawValue.utf8) })
            let decoded = try #require(try decoder.decode(record).change)
            #expect(decoded.event == event)
            #expect(decoded.data?.value == data)
            #expect(decoded.data?["total"]?.number?.description == data.map { _ in "10.50" })
        }
    }

    @Test func theEncoderRefusesWhatNobodyCouldRead() {
        let encoder = CloudEventEncoder(source: "/hub")
        #expect(throws: EnvelopeError.self) { try encoder.encode(ChangeEvent(type: "a", operation: .upsert), data: [:], topic: "t") }
        #expect(throws: EnvelopeError.self) {
            try encoder.encode(ChangeEvent(id: "1", type: "a", operation: .upsert, key: "a\nb"), data: [:], topic: "t")
        }
    }
}
