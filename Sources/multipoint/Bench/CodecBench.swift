import FoundationEssentials
import HubCodec
import HubModel

/// Decode → translate → encode of one event, on one core, beside Foundation doing the same with types made for it.
struct CodecBench {
    let size: BenchSize

    func rows() throws -> [BenchRow] {
        let mapping = try Self.mapping()
        let plain = EnvelopeDecoder(
            otherwise: EnvelopeDeclaration(.plain(PlainShape(type: BenchCustomer.native, keyPath: ["id"]))))
        let cloud = EnvelopeDecoder()
        let documents = (0..<1000).map {
            Record(topic: "t", value: BenchCustomer.json($0, phone: BenchCustomer.phone($0)))
        }
        let events = try (0..<1000).map {
            try BenchCustomer.record($0, serial: $0 + 1, phone: BenchCustomer.phone($0), topic: "t")
        }
        var fast: [Double] = []
        var values: [Double] = []
        var wrapped: [Double] = []
        var foundation: [Double] = []
        for run in 0..<size.runs {
            BenchProgress.tell("codec, run \(run + 1)")
            fast.append(try perSecond(size.codecEvents) { try encode(documents[$0 % 1000], plain, mapping) })
            wrapped.append(try perSecond(size.codecEvents) { try encode(events[$0 % 1000], cloud, mapping) })
            values.append(try perSecond(size.codecEvents / 2) { try translate(documents[$0 % 1000], plain, mapping) })
            let decoder = JSONDecoder()
            let encoder = JSONEncoder()
            foundation.append(
                try perSecond(size.codecEvents / 20) {
                    let native = try decoder.decode(NativeAccount.self, from: Data(documents[$0 % 1000].value ?? []))
                    return try encoder.encode(CanonicalCustomer(native)).count
                })
        }
        return [
            BenchRow(
                name: "codec",
                what: "600-byte JSON document in a plain envelope: decode, translate, encode the canonical document, one core; "
                    + "baseline: Foundation's JSONDecoder and JSONEncoder", values: fast, unit: "events/s", baselines: foundation,
                target: .atLeast(600_000), ratioTarget: .atLeast(10)),
            BenchRow(
                name: "codec, CloudEvent", what: "the same in a binary-mode CloudEvent with eight attributes in headers", values: wrapped,
                unit: "events/s", baselines: foundation),
            BenchRow(
                name: "codec, as values", what: "the same by way of Fields, as mediation translates, and writing those", values: values,
                unit: "events/s", baselines: foundation),
        ]
    }

    static func mapping() throws -> Mapping {
        try Mapping.compile(
            MappingSource(name: "bench", text: BenchCustomer.mapping), application: "crm")
    }

    private func encode(_ record: Record, _ decoder: EnvelopeDecoder, _ mapping: Mapping) throws -> Int {
        guard case .change(let event) = try decoder.decode(record), let data = event.data else { throw BenchFailure("no change") }
        var writer = JSONWriter(capacity: 640)
        try mapping.encode(data, into: &writer)
        return writer.bytes.count
    }

    private func translate(_ record: Record, _ decoder: EnvelopeDecoder, _ mapping: Mapping) throws -> Int {
        guard case .change(let event) = try decoder.decode(record), let data = event.data else { throw BenchFailure("no change") }
        return try mapping.translate(data).json.count
    }

    private func perSecond(_ count: Int, _ body: (Int) throws -> Int) rethrows -> Double {
        var bytes = 0
        let start = ContinuousClock.now
        for index in 0..<count { bytes += try body(index) }
        let elapsed = (ContinuousClock.now - start).inSeconds
        // Keeps the work from being left out.
        return bytes > 0 ? Double(count) / elapsed : 0
    }
}

private struct NativeAccount: Codable {
    var id, name, vat, email, phone, segment, territory, street, zip, city, country, paymentTerms: String
    var website, language, currency, notes: String
    var creditLimit: Decimal
    var onHold: Bool

    enum CodingKeys: String, CodingKey {
        case id, name, vat, email, phone, segment, territory, street, zip, city, country, website, language, currency, notes
        case paymentTerms = "payment_terms"
        case creditLimit = "credit_limit"
        case onHold = "on_hold"
    }
}

private struct CanonicalCustomer: Codable {
    struct Address: Codable {
        var street, postalCode, city, country: String
    }

    var name, vatNumber, email, phone, segment, territory, paymentTerms, website, language, currency, notes: String
    var billingAddress: Address
    var creditLimit: Decimal
    var onHold: Bool

    init(_ native: NativeAccount) {
        name = native.name
        vatNumber = native.vat
        email = native.email
        phone = native.phone
        segment = native.segment
        territory = native.territory
        paymentTerms = native.paymentTerms == "30D" ? "net30" : native.paymentTerms == "60D" ? "net60" : "prepaid"
        website = native.website
        language = native.language
        currency = native.currency
        notes = native.notes
        billingAddress = Address(street: native.street, postalCode: native.zip, city: native.city, country: native.country)
        creditLimit = native.creditLimit
        onHold = native.onHold
    }
}
