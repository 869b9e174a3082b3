import HubDriver
import HubModel

/// `account.invoice`: a customer's invoice or credit note (whose amounts are below zero), read only.
struct InvoiceType: DocumentType {
    let manifest: EntityManifest
    let domain: [Value] = [["type", "=", "out"]]
    let parts = ["lines.": "account.invoice.line"]
    let sources = [
        ChangeSource(model: "account.invoice"), ChangeSource(model: "account.invoice.line", link: "invoice"),
    ]

    init(settings: TrytonSettings) {
        manifest = EntityManifest(
            native: "account.invoice", entity: "invoice", operations: [], createIsRepeatable: false, hasToken: true, hasStamp: true,
            tellsReference: false, delete: .refuses, isPerCompany: !settings.companies.isEmpty,
            transitions: [
                "draft": ["validated", "posted", "cancelled"], "validated": ["draft", "posted", "cancelled"],
                "posted": ["paid", "cancelled"], "paid": ["posted"], "cancelled": [],
            ], rules: ["read-only"])
    }

    func fields(_ profile: Profile) -> [String] {
        var fields = [
            "number", "reference", "party", "company", "state", "invoice_date", "description", "payment_term.name", "currency.code",
            "untaxed_amount", "tax_amount", "total_amount", "amount_to_pay", "lines_to_pay.maturity_date", "_timestamp", "lines.type",
            "lines.product", "lines.quantity", "lines.unit_price", "lines.description", "lines.amount", "lines._timestamp",
        ]
        if profile.has("account.invoice", "sales") { fields.append("sales") }
        return fields
    }

    func told(_ record: Record, _ work: Work) -> Fields {
        let row = record.row
        var result: Fields = [
            "id": .id(row.id), "party": row["party"] ?? .null, "company": row["company"] ?? .null,
            "payment_term": row.one("payment_term")?["name"] ?? .null, "currency": row.one("currency")?["code"] ?? .null,
            "sale": row["sales"]?.array?.first ?? .null, "sales": row["sales"] ?? [],
        ]
        for name in [
            "number", "reference", "state", "invoice_date", "description", "untaxed_amount", "tax_amount", "total_amount", "amount_to_pay",
        ] {
            if let value = row[name] { result[name] = value }
        }
        result["due_date"] = row.many("lines_to_pay").compactMap { $0["maturity_date"]?.text }.min().map { .string($0) } ?? .null
        let total = row["total_amount"]?.number?.coefficient(atScale: 4)
        let due = row["amount_to_pay"]?.number?.coefficient(atScale: 4)
        let isPosted = ["posted", "paid"].contains(row["state"]?.text)
        let paid = isPosted ? (total ?? 0) - (due ?? 0) : 0
        result["paid_amount"] = .number(Number(paid, scale: 4).rounded(toScale: 2) ?? Number(0))
        let lines = row.many("lines").filter { $0["type"]?.text == "line" }
        result["lines"] = .array(lines.map { .object(told($0)) })
        return result
    }

    private func told(_ line: Fields) -> Fields {
        var result: Fields = ["id": .id(line.id)]
        for name in ["product", "quantity", "unit_price", "description", "amount"] { result[name] = line[name] ?? .null }
        return result
    }

    func references(_ row: Fields) -> [CanonicalID] { [] }
    func referring(to references: [CanonicalID]) -> [Value] { [["id", "in", []]] }
    func isDeleted(_ record: Record) -> Bool { false }

    private static let refusal = TrytonFailure.refused(
        Rejection(rule: "read-only", text: "Invoices are made, posted and paid in Tryton and nowhere else."))

    func create(_ delivery: Delivery, _ work: inout Work) async throws(TrytonFailure) -> Int64 { throw Self.refusal }
    func update(_ record: Record, _ fields: Fields, _ work: inout Work) async throws(TrytonFailure) -> Bool { throw Self.refusal }
    func delete(_ record: Record, _ work: inout Work) async throws(TrytonFailure) { throw Self.refusal }
}
