import HubCodec
import HubModel
import Testing

@Suite struct EnvelopeDebeziumTests {
    static func record(_ value: String?, key: String? = #"{"id":42}"#) -> Record {
        Record(topic: "erp.public.customer", key: key.map { Array($0.utf8) }, value: value.map { Array($0.utf8) })
    }

    static func change(_ value: String, key: String? = #"{"id":42}"#) throws -> DecodedEvent {
        try #require(try EnvelopeDecoder().decode(record(value, key: key)).change)
    }

    static let source =
        #""source":{"connector":"postgresql","table":"customer","lsn":500,"sequence":"[\"400\",\"500\"]","ts_ms":1700000000123,"snapshot":"false"}"#

    @Test func operationsAreRead() throws {
        let create = try Self.change(#"{"before":null,"after":{"id":42,"name":"A"},\#(Self.source),"op":"c","ts_ms":1}"#)
        let expected = ChangeEvent(
            type: "customer", operation: .upsert, key: "42", position: SourcePosition(minor: 500),
            time: Instant(milliseconds: 1_700_000_000_123))
        #expect(create.event == expected)
        #expect(create.data?["name"]?.string == "A")
        #expect(create.kind == .debezium)
        #expect(try Self.change(#"{"after":{"id":42},\#(Self.source),"op":"u"}"#).event.operation == .upsert)
        #expect(try Self.change(#"{"after":{"id":42},\#(Self.source),"op":"r"}"#).event.operation == .snapshot)
        let delete = try Self.change(#"{"before":{"id":42,"name":"old"},"after":null,\#(Self.source),"op":"d"}"#)
        #expect(delete.event.operation == .delete)
        #expect(delete.data?["name"]?.string == "old")
        #expect(try Self.change(#"{"before":null,"after":null,\#(Self.source),"op":"d"}"#).data == nil)
    }

    @Test func theWrapperIsTakenOff() throws {
        let decoded = try Self.change(
            #"{"schema":{"type":"struct"},"payload":{"after":{"id":42},\#(Self.source),"op":"u"}}"#,
            key: #"{"schema":{"type":"struct"},"payload":{"company":1,"code":"a|b"}}"#)
        #expect(decoded.event.key == #"1|a\|b"#)
        #expect(decoded.data?["id"]?.integer == 42)
    }

    @Test func unavailableValuesAreAbsent() throws {
        let decoded = try Self.change(
            #"{"after":{"id":42,"note":"__debezium_unavailable_value","list":["__debezium_unavailable_value"],"price":1.50},\#(Self.source),"op":"u"}"#
        )
        #expect(decoded.data?.fields == ["id": 42, "price": .number(Number(150, scale: 2))])
    }

    @Test func positionsFollowTheSourcesLog() throws {
        func position(_ source: String) throws -> SourcePosition? {
            try Self.change(#"{"after":{"id":1},"source":{"table":"t",\#(source)},"op":"u"}"#).event.position
        }
        #expect(try position(#""connector":"mysql","file":"bin.000012","pos":99"#) == SourcePosition(major: 12, minor: 99))
        #expect(try position(#""connector":"postgresql","lsn":77"#) == SourcePosition(minor: 77))
        #expect(try position(#""connector":"postgresql","lsn":77,"sequence":"[null,\"77\"]""#) == SourcePosition(minor: 77))
        #expect(try position(#""lsn":5"#) == SourcePosition(minor: 5))
        #expect(try position(#""connector":"sqlserver","commit_lsn":"00000027:00000ac0:0002""#) == nil)
    }

    @Test func snapshotsAreTold() throws {
        for (mark, operation) in [
            ("\"first\"", ChangeEvent.Operation.snapshot), ("true", .snapshot), ("\"false\"", .upsert), ("false", .upsert),
        ] {
            let decoded = try Self.change(#"{"after":{"id":1},"source":{"table":"t","snapshot":\#(mark)},"op":"c"}"#)
            #expect(decoded.event.operation == operation, "\(mark)")
        }
    }

    @Test(arguments: [
        nil, #"{"ts_ms":1700000000000}"#, #"{"schema":{},"payload":{"ts_ms":1}}"#,
        #"{"status":"BEGIN","id":"571:53195829","event_count":null}"#,
        #"{"op":"m","source":{"table":""},"message":{"prefix":"x"}}"#, #"{"source":{"db":"x"},"ddl":"CREATE TABLE t"}"#,
    ])
    func whatIsNoChangeIsIgnored(value: String?) throws {
        guard case .ignored(let reason) = try EnvelopeDecoder().decode(Self.record(value)) else {
            Issue.record("taken for a change: \(value ?? "a tombstone")")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test func aTombstoneIsADeleteWhereDeclared() throws {
        let decoder = EnvelopeDecoder(otherwise: EnvelopeDeclaration(.debezium, type: "customer", tombstone: .delete))
        let decoded = try decoder.decode(Self.record(nil)).change
        #expect(decoded?.event == ChangeEvent(type: "customer", operation: .delete, key: "42"))
        #expect(decoded?.kind == .tombstone)
        #expect(
            EnvelopeCloudEventTests.code(Self.record(nil, key: nil), EnvelopeDeclaration(.debezium, type: "c", tombstone: .delete))
                == .missingAttribute)
        #expect(EnvelopeCloudEventTests.code(Self.record(nil), EnvelopeDeclaration(.debezium, tombstone: .delete)) == .missingAttribute)
    }

    @Test(arguments: [
        (#"{"op":"t","source":{"table":"x"}}"#, EnvelopeError.Code.truncated),
        (#"{"op":"z","source":{"table":"x"},"after":{}}"#, .unknownOperation),
        (#"{"op":"u","source":{"table":"x"},"after":null}"#, .missingData), (#"{"op":"u","source":{},"after":{}}"#, .missingAttribute),
        (#"{"op":"u","source":{"table":"x"},"after":{"a":1,"a":2}}"#, .ambiguous), ("", .empty), ("7", .unknownEnvelope),
    ])
    func faultsAreRefused(value: String, code: EnvelopeError.Code) {
        #expect(EnvelopeCloudEventTests.code(Self.record(value), EnvelopeDeclaration(.debezium)) == code)
    }

    @Test func keysAreReadAsTheyCome() throws {
        func key(_ text: String?) throws -> NativeKey? { try Self.change(#"{"after":{},\#(Self.source),"op":"u"}"#, key: text).event.key }
        #expect(try key(nil) == nil)
        #expect(try key("plain-7") == "plain-7")
        #expect(try key("\"quoted\"") == "quoted")
        #expect(try key("12") == "12")
        #expect(try key(#"{"a":true,"b":"x"}"#) == "true|x")
        #expect(EnvelopeCloudEventTests.code(Self.record(#"{"after":{},\#(Self.source),"op":"u"}"#, key: #"{"a":null}"#)) == .badAttribute)
        #expect(EnvelopeCloudEventTests.code(Self.record(#"{"after":{},\#(Self.source),"op":"u"}"#, key: #"{"a":1,"a":2}"#)) == .ambiguous)
    }
}
