import HubCodec
import HubModel

/// The customer that every measurement uses: a native document of 600 bytes.
enum BenchCustomer {
    static let native = "account"

    static func key(_ number: Int) -> NativeKey { NativeKey("A\(100_000 + number)") }

    /// The whole document as JSON; `phone` is the member that updates change.
    static func json(_ number: Int, phone: String) -> [UInt8] {
        let id = 100_000 + number
        let text = """
            {"id":"A\(id)","name":"Tréfileries Réunies de la Haute-Loire \(id) SARL","vat":"FR40\(303_000_000 + number)",\
            "email":"comptabilite.\(id)@trefileries-reunies.example","phone":"\(phone)","segment":"industry","territory":"south-east",\
            "street":"\(number % 200 + 1) avenue du Général de Gaulle","zip":"43000","city":"Le Puy-en-Velay","country":"FR",\
            "credit_limit":\(number % 90 * 500).50,"on_hold":false,"payment_terms":"30D","website":"https://www.trefileries-\(id).example",\
            "language":"fr","currency":"EUR","notes":"
            """
        let bytes = Array(text.utf8)
        let padding = max(0, 600 - bytes.count - 2)
        return bytes + Array(repeating: 0x6E, count: padding) + Array("\"}".utf8)
    }

    /// One update that changes one field: its phone.
    static func phone(_ serial: Int) -> String { "+33 4 \(10_000_000 + serial)" }

    /// An event in a binary-mode CloudEvent, as the hub's own capture publishes it.
    static func record(_ number: Int, serial: Int, phone: String, topic: String) throws -> Record {
        let event = ChangeEvent(
            id: "bench-\(serial)", type: native, operation: .upsert, key: key(number), position: SourcePosition(minor: Int64(serial)),
            token: VersionToken("\(serial)"))
        var record = try CloudEventEncoder(source: "/bench").encode(event, json: json(number, phone: phone), topic: topic)
        record.partition = -1
        return record
    }

    static let mapping = """
        entity: customer
        native: account
        fields:
          name:         { path: name, normalise: [trim] }
          vatNumber:    vat
          email:        { path: email, normalise: [trim] }
          phone:        phone
          segment:      segment
          territory:    territory
          billingAddress:
            street:     street
            postalCode: zip
            city:       city
            country:    country
          creditLimit:  { path: credit_limit, as: decimal, scale: 2, round: true }
          onHold:       { path: on_hold, as: boolean, default: false }
          paymentTerms: { path: payment_terms, values: { net30: 30D, net60: 60D, prepaid: PREPAID } }
          website:      website
          language:     language
          currency:     currency
          notes:        notes
        """
}
