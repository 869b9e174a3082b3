import HubDriver
import HubModel

/// A party's trading account with one company: the limit and the price list that it has there, and the payment term, which Tryton keeps
/// for all companies together.
///
/// Tryton has no record of that name. The document's key is the party's, and the document is there as soon as the party has a limit or a
/// price list of the company's.
struct AccountType: DocumentType {
    static let native = "party.account"
    let manifest: EntityManifest
    let model = "party.party"
    let parts = [
        "credit_limit_amounts.": "party.party.credit_limit_amount", "sale_price_lists.": "party.party.sale_price_list",
        "payment_terms.": "party.party.payment_term",
    ]
    /// None of them has an interface of its own: who changes them changes the party.
    let sources = [ChangeSource(model: "party.party")]
    let writable: Set<String> = ["party", "credit_limit_amount", "customer_payment_term", "sale_price_list"]
    private static let readable: Set<String> = ["id", "company", "currency", "active"]

    init(settings: TrytonSettings) {
        manifest = EntityManifest(
            native: Self.native, entity: "account", operations: [.create, .update], createIsRepeatable: true, hasToken: true,
            hasStamp: true,
            tellsReference: false, delete: .refuses, isPerCompany: !settings.companies.isEmpty, rules: TrytonRules.account)
    }

    let hasFeedPerCompany = true

    func domain(_ work: Work) -> [Value] {
        let ofCompany: Value = [["company", "=", .id(work.company ?? 0)]]
        return [["OR", [["credit_limit_amounts", "where", ofCompany]], [["sale_price_lists", "where", ofCompany]]]]
    }

    func fields(_ profile: Profile) -> [String] { ["active", "_timestamp"] + PartyType.terms(profile) }

    func told(_ record: Record, _ work: Work) -> Fields {
        let row = record.row
        return [
            "id": .id(row.id), "party": .id(row.id), "active": .bool(row.isActive),
            "company": work.company.map { .id($0) } ?? .null,
            "currency": work.company.flatMap { work.profile.currencies[$0] }.map { .string($0) } ?? .null,
            "credit_limit_amount": row["credit_limit_amount"] ?? .null,
            "customer_payment_term": row.one("customer_payment_term")?["name"] ?? .null,
            "sale_price_list": row.one("sale_price_list")?["name"] ?? .null,
        ]
    }

    var members: [Member] {
        [
            Member("party", model, "id", kind: .reference), Member("credit_limit_amount", model), Member("active", model),
            Member("customer_payment_term", model, named: .paymentTerm), Member("sale_price_list", model, named: .priceList),
            Member("company", "party.party.credit_limit_amount"), Member("currency", "company.company", named: .currency),
        ]
    }

    func references(_ row: Fields) -> [CanonicalID] { [] }
    func referring(to references: [CanonicalID]) -> [Value] { [["id", "in", []]] }

    // MARK: Writing

    func create(_ delivery: Delivery, _ work: inout Work) async throws(TrytonFailure) -> Int64 {
        let party = try Given.key(delivery.fields["party"] ?? .null, "party", rule: "unknown-customer")
        try check(delivery.fields, readable: Self.readable, before: nil)
        guard let row = try await work.rows(model, [["id", "=", .id(party)]], fields(work.profile), limit: 1).first else {
            throw .refused(Rejection(rule: "unknown-customer", field: "party", text: "There is no party \(party)."))
        }
        // Nothing tells whether an earlier call has made it, and people may have filled it in since: only what is empty is filled. What
        // differs then is told, and changed by an update that names its version.
        var values = try await values(delivery.fields, work).filter { !$0.value.isNull && (row[$0.name] ?? .null).isNull }
        let isThere = try await work.count(model, domain(work) + [["id", "=", .id(party)]]) > 0
        // What makes the account be there.
        if !isThere, values["credit_limit_amount"] == nil { values["credit_limit_amount"] = row["credit_limit_amount"] ?? .null }
        if values.isEmpty { return party }
        let read = Record(row: row, parts: parts, model: model)
        _ = try await work.write(model, "write", [[.id(party)], .object(values)], timestamps: read.timestamps([]))
        return party
    }

    func update(_ record: Record, _ fields: Fields, _ work: inout Work) async throws(TrytonFailure) -> Bool {
        let before = told(record, work)
        try check(fields, readable: Self.readable, before: before)
        if let party = fields["party"], party.keyText != before["party"]?.keyText {
            throw .refused(Rejection(rule: "read-only", field: "party", text: "An account stays its party's."))
        }
        let changes = fields.filter { $0.name != "party" && $0.value != (before[$0.name] ?? .null) && writable.contains($0.name) }
        if changes.isEmpty { return false }
        let values = try await values(changes, work)
        _ = try await work.write("party.party", "write", [[.id(record.id)], .object(values)], timestamps: record.timestamps([]))
        return true
    }

    func delete(_ record: Record, _ work: inout Work) async throws(TrytonFailure) {
        throw .refused(Rejection(rule: "read-only", text: "An account goes with its party."))
    }

    private func values(_ fields: Fields, _ work: Work) async throws(TrytonFailure) -> Fields {
        var values = Fields()
        for (name, value) in fields {
            switch name {
            case "credit_limit_amount": values[name] = try Given.decimal(value, name)
            case "customer_payment_term", "sale_price_list": values[name] = try await PartyType.term(name, value, work)
            default: continue
            }
        }
        return values
    }
}
