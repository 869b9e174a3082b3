import HubCodec
import HubModel
import Testing

/// Damaged records are refused or read, never a crash; what is read has the parts that it promises.
@Suite struct EnvelopeMutationTests {
    private static let seeds: [Record] = [
        EnvelopeCloudEventTests.binary(),
        EnvelopeCloudEventTests.structured(
            #"{"specversion":"1.0","id":"1","source":"x","type":"a.b.updated","time":"2024-02-29T23:59:60Z","data":{"a":[1,2.50,{"b":null}]}}"#
        ),
        EnvelopeCloudEventTests.structured(
            #"{"specversion":"1.0","id":"1","source":"x","type":"a.updated","datacontenttype":"application/json","data_base64":"eyJhIjoxfQ=="}"#
        ),
        EnvelopeDebeziumTests.record(
            #"{"schema":{},"payload":{"before":null,"after":{"id":1,"t":"__debezium_unavailable_value"},\#(EnvelopeDebeziumTests.source),"op":"u"}}"#,
            key: #"{"schema":{},"payload":{"a":1,"b":"x"}}"#),
        EnvelopeDebeziumTests.record(#"{"before":{"id":1},"after":null,\#(EnvelopeDebeziumTests.source),"op":"d"}"#),
        Record(
            topic: "plain", key: Array("k".utf8), value: Array(#"{"kind":"U","at":1,"place":"1/2","body":{"id":5,"version":"v"}}"#.utf8)),
    ]

    @Test func damagedRecordsNeverCrash() {
        let decoder = EnvelopeDecoder(topics: ["plain": EnvelopeDeclaration(.plain(EnvelopePlainTests.shape))])
        var mutator = ByteMutator(seed: 20_240_531)
        var read = 0
        var refused = 0
        for round in 0..<30_000 {
            do {
                let decoded = try decoder.decode(mutator.mutated(Self.seeds[round % Self.seeds.count])).change
                read += 1
                guard let decoded else { continue }
                #expect(!decoded.event.type.isEmpty)
                #expect(decoded.data?.kind ?? .object == .object)
                #expect(decoded.data != nil || decoded.event.operation == .delete)
            } catch {
                refused += 1
                #expect(!error.message.isEmpty)
            }
        }
        #expect(read > 1000 && refused > 1000)
    }
}
