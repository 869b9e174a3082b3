import HubDriver
import HubModel

/// `party.party`: a customer, with its addresses, contact mechanisms and identifiers, and one company's terms and limits.
///
/// The hub's reference is an identifier without a type, made with the party.
struct PartyType: DocumentType {
    let settings: TrytonSettings
    let manifest = EntityManifest(
        native: "party.party", entity: "customer", createIsRepeatable: false, hasToken: true, hasStamp: true, tellsReference: true,
        delete: .archives, rules: TrytonRules.party)
    let identifiers: HubIdentifier? = HubIdentifier(model: "party.identifier", link: "party")
    let parts = [
        "addresses.": "party.address", "contact_mechanisms.": "party.contact_mechanism", "identifiers.": "party.identifier",
        "payment_terms.": "party.party.payment_term", "credit_limit_amounts.": "party.party.credit_limit_amount",
        "sale_price_lists.": "party.party.sale_price_list",
    ]
    /// Terms, limits and price lists have no interface of their own: who changes them changes the party.
    let sources = [
        ChangeSource(model: "party.party"), ChangeSource(model: "party.address", link: "party"),
        ChangeSource(model: "party.contact_mechanism", link: "party"), ChangeSource(model: "party.identifier", link: "party"),
    ]

    static let mechanisms = ["email", "phone", "mobile", "fax", "website"]
    private static let addressTexts = ["street", "postal_code", "city"]
    let writable = Set(
        Self.mechanisms + [
            "name", "code", "active", "address", "tax_identifier", "credit_limit_amount", "customer_payment_term", "sale_price_list",
        ])
    private static let readable: Set<String> = ["id", "lang", "currency", "addresses", "company"]

    func fields(_ profile: Profile) -> [String] {
        var fields = [
            "code", "name", "active", "lang.code", "_timestamp", "contact_mechanisms.type", "contact_mechanisms.value",
            "contact_mechanisms.active", "contact_mechanisms._timestamp", "identifiers.type", "identifiers.code",
            "identifiers._timestamp", "tax_identifier.code", "addresses.country.code", "addresses.active", "addresses._timestamp",
        ]
        fields += Self.addressTexts.map { "addresses.\($0)" }
        fields += ["party_name", "invoice", "delivery"].filter { profile.has("party.address", $0) }.map { "addresses.\($0)" }
        return fields + Self.terms(profile)
    }

    /// What was agreed with a customer, and the records that hold it.
    static func terms(_ profile: Profile) -> [String] {
        let terms = [
            ("credit_limit_amount", "credit_limit_amounts", ""), ("customer_payment_term", "payment_terms", ".name"),
            ("sale_price_list", "sale_price_lists", ".name"),
        ].filter { profile.has("party.party", $0.0) }
        let rows = terms.map(\.1).filter { profile.has("party.party", $0) }
        return terms.map { $0.0 + $0.2 } + rows.map { $0 + "._timestamp" }
    }

    // MARK: Telling

    func told(_ record: Record, _ work: Work) -> Fields {
        let row = record.row
        var result: Fields = [
            "id": .id(row.id), "code": row["code"] ?? .null, "name": row["name"] ?? .null, "active": .bool(row.isActive),
            "lang": row.one("lang")?["code"] ?? .null, "tax_identifier": row.one("tax_identifier")?["code"] ?? .null,
        ]
        for type in Self.mechanisms { result[type] = mechanism(type, row)?["value"] ?? .null }
        result["address"] = invoiceAddress(row).map { .object(address($0)) } ?? .null
        result["addresses"] = .array(row.many("addresses").filter(\.isActive).map { .object(address($0)) })
        if let limit = row["credit_limit_amount"] { result["credit_limit_amount"] = limit }
        if row["customer_payment_term."] != nil { result["customer_payment_term"] = row.one("customer_payment_term")?["name"] ?? .null }
        if row["sale_price_list."] != nil { result["sale_price_list"] = row.one("sale_price_list")?["name"] ?? .null }
        if let company = work.company { result["currency"] = work.profile.currencies[company].map { .string($0) } ?? .null }
        return result
    }

    private func mechanism(_ type: String, _ row: Fields) -> Fields? {
        row.many("contact_mechanisms").first { $0.isActive && $0["type"]?.text == type }
    }

    /// The address for invoices, as Tryton itself chooses it.
    private func invoiceAddress(_ row: Fields) -> Fields? {
        let active = row.many("addresses").filter(\.isActive)
        return active.first { $0["invoice"]?.bool == true } ?? active.first
    }

    private func address(_ row: Fields) -> Fields {
        var result: Fields = ["id": .id(row.id), "country": row.one("country")?["code"] ?? .null]
        // A text that was emptied in Tryton's client is nothing, as one that was never filled.
        for name in Self.addressTexts { result[name] = row[name].flatMap { $0 == "" ? nil : $0 } ?? .null }
        for name in ["party_name", "invoice", "delivery"] { if let value = row[name] { result[name] = value } }
        return result
    }

    func references(_ row: Fields) -> [CanonicalID] { HubIdentifier.references(row) }
    func referring(to references: [CanonicalID]) -> [Value] { HubIdentifier.referring(to: references) }

    // MARK: Writing

    func create(_ delivery: Delivery, _ work: inout Work) async throws(TrytonFailure) -> Int64 {
        try check(delivery.fields, readable: Self.readable, before: nil)
        var (values, _) = try await values(delivery.fields, nil, work)
        var identifiers: [Value] = [HubIdentifier.value(delivery.reference)]
        if let tax = delivery.fields["tax_identifier"], !tax.isNull {
            identifiers.append(["type": .string(settings.taxNumberType), "code": try Given.text(tax, "tax_identifier")])
        }
        values["identifiers"] = [["create", .array(identifiers)]]
        let made = try await work.write("party.party", "create", [[.object(values)]])
        return made.array?.first?.integer ?? 0
    }

    func update(_ record: Record, _ fields: Fields, _ work: inout Work) async throws(TrytonFailure) -> Bool {
        let before = told(record, work)
        try check(fields, readable: Self.readable, before: before)
        var changes = fields.filter { !Self.same($0.value, before[$0.name] ?? .null) }
        if changes.isEmpty { return false }
        // A read-only member that is equal was let through by the check.
        changes = changes.filter { writable.contains($0.name) }
        let (values, touched) = try await values(changes, record, work)
        _ = try await work.write(
            "party.party", "write", [[.id(record.id)], .object(values)], timestamps: record.timestamps(touched))
        return true
    }

    func delete(_ record: Record, _ work: inout Work) async throws(TrytonFailure) {
        _ = try await work.write(
            "party.party", "write", [[.id(record.id)], ["active": false]], timestamps: record.timestamps([]))
    }

    /// Equal as far as the delivery says: members that a nested object does not name do not count.
    static func same(_ given: Value, _ held: Value) -> Bool {
        guard let fields = given.object else { return given == held }
        let held = held.object ?? Fields()
        return fields.allSatisfy { $0.value == (held[$0.name] ?? .null) }
    }

    private func values(
        _ fields: Fields, _ record: Record?, _ work: Work
    ) async throws(TrytonFailure) -> (values: Fields, touched: [(model: String, id: Int64)]) {
        var values = Fields()
        var touched: [(model: String, id: Int64)] = []
        var mechanisms: [Value] = []
        for (name, value) in fields {
            switch name {
            case "name", "code":
                // Without a code Tryton's own sequence gives one.
                if name == "code", value.isNull { continue }
                values[name] = try Given.text(value, name)
            case "active": values[name] = try Given.bool(value, name)
            case "credit_limit_amount": values[name] = try Given.decimal(value, name)
            case "customer_payment_term", "sale_price_list": values[name] = try await Self.term(name, value, work)
            case "address":
                guard let (command, id) = try await address(value, record, work) else { continue }
                values["addresses"] = [command]
                if let id { touched.append(("party.address", id)) }
            case "tax_identifier":
                guard let record else { continue }
                guard let (command, id) = try taxIdentifier(value, record) else { continue }
                values["identifiers"] = [command]
                if let id { touched.append(("party.identifier", id)) }
            default:
                let old = record.flatMap { mechanism(name, $0.row) }
                if let old { touched.append(("party.contact_mechanism", old.id)) }
                // Tryton has no empty mechanisms.
                switch (value.text == "" ? .null : try Given.text(value, name), old) {
                case (.null, nil): break
                case (.null, let old?): mechanisms.append(["delete", [.id(old.id)]])
                case (let text, let old?): mechanisms.append(["write", [.id(old.id)], ["value": text]])
                case (let text, nil): mechanisms.append(["create", [["type": .string(name), "value": text]]])
                }
            }
        }
        if !mechanisms.isEmpty { values["contact_mechanisms"] = .array(mechanisms) }
        return (values, touched)
    }

    /// What was agreed with a customer, by its name in Tryton.
    static func term(_ name: String, _ value: Value, _ work: Work) async throws(TrytonFailure) -> Value {
        name == "sale_price_list"
            ? try await Given.named(value, name, "product.price_list", by: ["name"], rule: "unknown-price-list", work)
            : try await Given.named(value, name, "account.invoice.payment_term", by: ["name"], rule: "unknown-payment-terms", work)
    }

    private func address(
        _ value: Value, _ record: Record?, _ work: Work
    ) async throws(TrytonFailure) -> (command: Value, id: Int64?)? {
        let old = record.flatMap { invoiceAddress($0.row) }
        guard let fields = value.object else {
            guard value.isNull else {
                throw .refused(Rejection(rule: "invalid-value", field: "address", text: "address has members of its own."))
            }
            guard let old else { return nil }
            return (["delete", [.id(old.id)]], old.id)
        }
        var values = Fields()
        for (name, value) in fields {
            switch name {
            case "country":
                values[name] = try await Given.named(
                    value, "address.country", "country.country", by: ["code"], rule: "unknown-country", work)
            case "street", "postal_code", "city", "party_name": values[name] = try Given.text(value, "address.\(name)")
            case "id": continue
            default: throw .refused(Rejection(rule: "unknown-field", field: "address.\(name)", text: "An address has no \(name)."))
            }
        }
        if let old { return (["write", [.id(old.id)], .object(values)], old.id) }
        if values.allSatisfy(\.value.isNull) { return nil }
        if work.profile.has("party.address", "invoice") { values["invoice"] = true }
        return (["create", [.object(values)]], nil)
    }

    private func taxIdentifier(_ value: Value, _ record: Record) throws(TrytonFailure) -> (command: Value, id: Int64?)? {
        let text = try Given.text(value, "tax_identifier")
        guard let old = record.row.one("tax_identifier") else {
            return text.isNull ? nil : (["create", [["type": .string(settings.taxNumberType), "code": text]]], nil)
        }
        return (text.isNull ? ["delete", [.id(old.id)]] : ["write", [.id(old.id)], ["code": text]], old.id)
    }
}
