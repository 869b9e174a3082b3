import HubCodec
import HubModel
import Testing

/// Damaged documents: nothing crashes, and the three ways of translating agree on whatever could be read.
@Suite struct MappingMutationTests {
    @Test func mutatorIsRepeatable() {
        var one = ByteMutator(seed: 7)
        var two = ByteMutator(seed: 7)
        for _ in 0..<100 { #expect(one.mutated(Array("abc".utf8)) == two.mutated(Array("abc".utf8))) }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func damagedDocuments(seed: UInt64) throws {
        let mapping = try MappingTests.compile(MappingTests.order)
        var mutator = ByteMutator(seed: seed)
        let source = Array(MappingTests.document.utf8)
        var read = 0
        var translated = 0
        for _ in 0..<3000 {
            guard let document = try? JSONDocument.parse(mutator.mutated(source)) else { continue }
            read += 1
            let value = document.value
            _ = document.duplicateNames
            #expect(try JSONDocument.parse(value.json).value == value)
            _ = mapping.accepts(document.root)
            _ = mapping.key(of: document.root)
            let fields = Result { () throws(TranslationError) in try mapping.translate(document.root, timeZone: MappingTests.paris) }
            let byValue = Result { () throws(TranslationError) in try mapping.translate(value, timeZone: MappingTests.paris) }
            #expect(fields == byValue)
            var writer = JSONWriter()
            do {
                try mapping.encode(document.root, into: &writer, timeZone: MappingTests.paris)
                let expected = try fields.get().nested()
                #expect(try JSONDocument.parse(writer.bytes).value == .object(expected), "\(writer.text)")
                _ = try? mapping.native(from: expected.flattened()) { NativeKey($1.rawValue) }
                translated += 1
            } catch {
                if case .success = fields { Issue.record("encode refused what translate took: \(error)") }
            }
        }
        #expect(read > 200)
        #expect(translated > 100)
    }
}
