import HubCodec
import HubModel
import Testing

@Suite struct EnvelopePlainTests {
    static let shape = PlainShape(
        type: "contact", dataPath: ["body"], keyPath: ["body", "id"], operationPath: ["kind"],
        operations: ["I": .upsert, "U": .upsert, "D": .delete, "S": .snapshot, "1": .upsert], timePath: ["at"], positionPath: ["place"],
        tokenPath: ["body", "version"], referencePath: ["body", "hub"], companyPath: ["unit"])

    static func decode(_ value: String?, _ shape: PlainShape = shape, key: String? = nil) throws(EnvelopeError) -> DecodedRecord {
        try EnvelopeDecoder(otherwise: EnvelopeDeclaration(.plain(shape))).decode(
            Record(topic: "t", key: key.map { Array($0.utf8) }, value: value.map { Array($0.utf8) }))
    }

    @Test func theDeclaredShapeIsRead() throws {
        let decoded = try #require(
            try Self.decode(
                #"{"kind":"U","at":"2024-05-31T08:30:00Z","place":"2/9","unit":1,"body":{"id":5,"version":3,"hub":"contact-1-2"}}"#
            ).change)
        let expected = ChangeEvent(
            type: "contact", operation: .upsert, key: "5", position: SourcePosition(major: 2, minor: 9), token: "3",
            time: Instant(milliseconds: 1_717_144_200_000), reference: "contact-1-2", company: "1")
        #expect(decoded.event == expected)
        #expect(decoded.data?["version"]?.integer == 3)
        #expect(try Self.decode(#"{"kind":1,"at":1717144200000,"place":4,"body":{"id":"x"}}"#).change?.event.time == expected.time)
    }

    @Test func aWholeValueCanBeTheDocument() throws {
        let decoded = try #require(try Self.decode(#"{"name":"A"}"#, PlainShape(type: "contact"), key: "k-1").change)
        #expect(decoded.event == ChangeEvent(type: "contact", operation: .upsert, key: "k-1"))
        #expect(decoded.data?["name"]?.string == "A")
    }

    @Test func tombstonesMeanWhatIsDeclared() throws {
        guard case .ignored = try Self.decode(nil, key: "k") else {
            Issue.record("taken for a change")
            return
        }
        let decoder = EnvelopeDecoder(otherwise: EnvelopeDeclaration(.plain(Self.shape), tombstone: .delete))
        let decoded = try decoder.decode(Record(topic: "t", key: Array("k".utf8))).change
        #expect(decoded?.event == ChangeEvent(type: "contact", operation: .delete, key: "k"))
    }

    @Test(arguments: [
        (#"{"kind":"X","body":{"id":5}}"#, EnvelopeError.Code.unknownOperation), (#"{"body":{"id":5}}"#, .unknownOperation),
        (#"{"kind":"U","body":{}}"#, .missingAttribute), (#"{"kind":"U","at":"noon","body":{"id":5}}"#, .badAttribute),
        (#"{"kind":"U","place":"x","body":{"id":5}}"#, .badAttribute), ("[]", .unknownOperation), ("", .empty), ("{", .brokenJSON),
    ])
    func faultsAreRefused(value: String, code: EnvelopeError.Code) {
        #expect(throws: EnvelopeError.self) { try Self.decode(value) }
        do {
            _ = try Self.decode(value)
        } catch {
            #expect(error.code == code)
        }
    }
}
