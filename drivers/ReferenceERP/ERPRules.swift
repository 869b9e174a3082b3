package import HubDriver
import HubModel
package import ReferenceApplication

/// What the ERP holds and enforces.
package struct ERPRules: Rules {
    package init() {}

    package let codes: [(list: String, code: String, days: Int)] = [
        ("payment-terms", "30D", 30), ("payment-terms", "60D", 60), ("payment-terms", "PREPAID", 0),
        ("sales-person", "ANNA", 0), ("sales-person", "BORIS", 0), ("sales-person", "CHLOE", 0),
        ("shipping-method", "ROAD", 0), ("shipping-method", "AIR", 0), ("shipping-method", "PICKUP", 0),
    ]

    static let transitions = [
        "draft": ["confirmed", "cancelled"], "confirmed": ["partly_shipped", "shipped", "cancelled"], "partly_shipped": ["shipped"],
        "shipped": ["invoiced"], "invoiced": ["paid"], "paid": [], "cancelled": [],
    ]

    package let entities = [
        EntityManifest(
            native: "partner", entity: "customer", createIsRepeatable: false, hasToken: true, hasStamp: true, tellsReference: true,
            rules: ["missing-field", "invalid-field", "duplicate-code", "unknown-payment-terms", "in-use", "missing-token"]),
        EntityManifest(
            native: "article", entity: "product", createIsRepeatable: false, hasToken: true, hasStamp: true, tellsReference: true,
            rules: ["missing-field", "invalid-field", "duplicate-code", "in-use", "missing-token"]),
        EntityManifest(
            native: "sales_order", entity: "order", createIsRepeatable: false, hasToken: true, hasStamp: true, tellsReference: true,
            transitions: transitions,
            rules: [
                "missing-field", "invalid-field", "read-only", "unknown-customer", "customer-on-hold", "credit-limit",
                "unknown-sales-person", "unknown-shipping-method", "unknown-payment-terms", "unknown-product", "product-not-saleable",
                "insufficient-stock", "closed-period", "posted-invoice", "illegal-transition", "in-use", "missing-token",
            ]),
        EntityManifest(
            native: "invoice", entity: "invoice", operations: [], createIsRepeatable: false, hasToken: true, hasStamp: true,
            tellsReference: true, delete: .refuses, transitions: ["posted": ["paid"], "paid": []],
            rules: ["posted-invoice", "closed-period", "missing-field", "invalid-field", "illegal-transition", "missing-token"]),
    ]

    private static let terms = Member.Kind.listed("payment-terms", rule: "unknown-payment-terms")

    private static let shapes = [
        "partner": Shape([
            Member("code", .code), Member("name", .trimmed, isRequired: true), Member("vat"), Member("email"), Member("phone"),
            Member("street"), Member("zip"), Member("city"), Member("country"), Member("credit_limit", .decimal(scale: 2)),
            Member("on_hold", .boolean(false)), Member("payment_terms", terms),
        ]),
        "article": Shape([
            Member("code", .code, isRequired: true), Member("name", .trimmed, isRequired: true), Member("price", .decimal(scale: 2)),
            Member("currency", .code), Member("unit"), Member("saleable", .boolean(true)), Member("stock", .decimal(scale: 3)),
        ]),
        "sales_order": Shape([
            Member("number", writers: .workflow), Member("partner", .key, isRequired: true), Member("customer_reference"),
            Member("order_date", .date, isRequired: true),
            Member("sales_person", .listed("sales-person", rule: "unknown-sales-person")),
            Member("shipping_method", .listed("shipping-method", rule: "unknown-shipping-method")), Member("payment_terms", terms),
            Member("lines", .lines, isRequired: true), Member("status"), Member("total", .decimal(scale: 2), writers: .workflow),
            Member("invoiced", .decimal(scale: 2), writers: .workflow),
        ]),
        "invoice": Shape([
            Member("number"), Member("order", .key, isRequired: true), Member("date", .date, isRequired: true), Member("due_date", .date),
            Member("lines", .lines, isRequired: true), Member("total", .decimal(scale: 2)), Member("paid", .decimal(scale: 2)),
            Member("status"),
        ]),
    ]

    package func shape(_ native: String) -> Shape? { Self.shapes[native] }
    package var lines: OrderLine.Names { lineNames }

    package func admit(_ draft: inout Draft, in work: Work) throws {
        guard let shape = Self.shapes[draft.native] else { throw Refused("invalid-field", nil, "The ERP has no \(draft.native).") }
        if draft.native == "invoice", draft.actor != .workflow {
            throw Refused("posted-invoice", nil, "Invoices are posted by invoicing an order and never changed.")
        }
        // A code once given cannot be cleared.
        if draft.native == "partner", draft["code"].isNull || draft["code"].text?.trimmed.isEmpty == true {
            draft["code"] = try draft.before?["code"] ?? .string(freePartnerCode(work))
        }
        if draft.native == "sales_order" { try completeOrder(&draft, work) }
        try shape.admit(&draft, in: work)
        switch draft.native {
        case "sales_order": try admitOrder(&draft, work)
        case "invoice": try admitInvoice(&draft, work)
        default: draft.code = draft["code"].text
        }
    }

    package func admitRemoval(of document: StoredDocument, by actor: Actor, in work: Work) throws {
        if document.native == "invoice" { throw Refused("posted-invoice", nil, "A posted invoice is never deleted.") }
        if try work.isInUse(document) {
            throw Refused("in-use", nil, "Other documents refer to \(document.native) \(document.key).")
        }
        if document.native == "sales_order", !["draft", "cancelled"].contains(document.fields["status"]?.text) {
            throw Refused("illegal-transition", "status", "Only draft and cancelled orders can be deleted.")
        }
    }

    private func freePartnerCode(_ work: Work) throws -> String {
        while true {
            let code = try work.nextNumber("P")
            if try work.document("partner", code: code) == nil { return code }
        }
    }
}
