import HubDriver
import HubModel

/// `account.invoice`: a customer's invoice or credit note, read only.
///
/// Tryton's credit notes are invoices with amounts and quantities below zero; the document says which it is, and its amounts are above.
struct InvoiceType: ReadOnlyType {
    let manifest: EntityManifest
    let refusal = "Invoices are made, posted and paid in Tryton and nowhere else."

    func domain(_ work: Work) -> [Value] { [["type", "=", "out"]] + (manifest.isPerCompany ? work.ofCompanies : []) }

    let parts = ["lines.": "account.invoice.line"]
    let sources = [
        ChangeSource(model: "account.invoice"), ChangeSource(model: "account.invoice.line", link: "invoice"),
    ]

    init(settings: TrytonSettings) {
        manifest = Self.manifest(
            "account.invoice", "invoice", settings,
            transitions: [
                "draft": ["validated", "posted", "cancelled"], "validated": ["draft", "posted", "cancelled"],
                "posted": ["paid", "cancelled"], "paid": ["posted"], "cancelled": [],
            ])
    }

    func fields(_ profile: Profile) -> [String] {
        var fields = [
            "number", "reference", "party", "company", "state", "invoice_date", "description", "payment_term.name", "currency.code",
            "untaxed_amount", "tax_amount", "total_amount", "amount_to_pay", "lines_to_pay.maturity_date", "_timestamp", "lines.type",
            "payment_lines.date", "payment_lines.debit", "payment_lines.credit", "lines.product", "lines.quantity", "lines.unit_price",
            "lines.description", "lines.amount", "lines._timestamp",
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
        let isCreditNote = row["total_amount"]?.number.map { $0 < 0 } ?? false
        result["kind"] = isCreditNote ? "credit_note" : "invoice"
        let payments = row.many("payment_lines").sorted { ($0["date"]?.text ?? "", $0.id) < ($1["date"]?.text ?? "", $1.id) }
        result["payments"] = .array(
            payments.map { line in
                ["id": .id(line.id), "date": line["date"] ?? .null, "amount": Self.difference(line["credit"], line["debit"])]
            })
        result["paid_date"] = payments.last?["date"] ?? .null
        result["due_date"] = row.many("lines_to_pay").compactMap { $0["maturity_date"]?.text }.min().map { .string($0) } ?? .null
        let isPosted = ["posted", "paid"].contains(row["state"]?.text)
        result["paid_amount"] = isPosted ? Self.difference(row["total_amount"], row["amount_to_pay"]) : 0
        let lines = row.many("lines").filter { $0["type"]?.text == "line" }
        result["lines"] = .array(lines.map { .object(told($0)) })
        return isCreditNote ? Self.turned(result) : result
    }

    /// In cents; null where it is more than accounts can hold.
    private static func difference(_ amount: Value?, _ less: Value?) -> Value {
        let difference = Number.sum([amount?.number ?? 0], less: [less?.number ?? 0], scale: 4)
        return difference.flatMap { $0.rounded(toScale: 2) }.map { .number($0) } ?? .null
    }

    /// What counts money and goods, with the other sign.
    private static func turned(_ fields: Fields) -> Fields {
        let counted: Set<String> = [
            "untaxed_amount", "tax_amount", "total_amount", "amount_to_pay", "paid_amount", "amount", "quantity",
        ]
        return Fields(
            fields.map { name, value in
                if let list = value.array {
                    return (name, .array(list.map { $0.object.map { .object(turned($0)) } ?? $0 }))
                }
                guard counted.contains(name), let number = value.number else { return (name, value) }
                return (name, .number(number.negated))
            })
    }

    private func told(_ line: Fields) -> Fields {
        var result: Fields = ["id": .id(line.id)]
        for name in ["product", "quantity", "unit_price", "description", "amount"] { result[name] = line[name] ?? .null }
        return result
    }
}

extension Number {
    /// This number with the other sign, digits as written.
    fileprivate var negated: Number {
        let text = description
        if self == 0 { return self }
        return Number(text.hasPrefix("-") ? String(text.dropFirst()) : "-" + text) ?? self
    }
}
