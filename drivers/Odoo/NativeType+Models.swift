import HubDriver
import HubModel

extension NativeType {
    /// Companies, people at them, and addresses: all partners to Odoo.
    static let partner = NativeType(
        model: "res.partner", entity: "customer",
        members: [
            .init("name", .text), .init("is_company", .boolean), .init("active", .boolean), .init("type", .text), .init("ref", .text),
            .init("vat", .text), .init("email", .text), .init("phone", .text), .init("website", .text), .init("function", .text),
            .init("street", .text), .init("street2", .text), .init("zip", .text), .init("city", .text),
            .init("country_id", .code("res.country", "code")), .init("user_id", .code("res.users", "login")), .init("parent_id", .key),
            .init("commercial_partner_id", .key, isReadOnly: true), .init("credit_limit", .decimal),
            .init("property_payment_term_id", .code("account.payment.term", "name")),
        ])

    static let product = NativeType(
        model: "product.product", entity: "product",
        members: [
            .init("name", .text), .init("default_code", .text), .init("barcode", .text), .init("list_price", .decimal),
            .init("currency_id", .code("res.currency", "name"), isReadOnly: true), .init("uom_id", .code("uom.uom", "name")),
            .init("type", .text), .init("sale_ok", .boolean), .init("active", .boolean),
        ])

    static let pricelist = NativeType(
        model: "product.pricelist", entity: "pricelist",
        members: [
            .init("name", .text), .init("active", .boolean), .init("currency_id", .code("res.currency", "name")),
            .init("company_id", .key, isReadOnly: true),
        ],
        lines: Lines(
            name: "item_ids", model: "product.pricelist.item", parent: "pricelist_id",
            members: [
                .init("applied_on", .text, isReadOnly: true), .init("product_id", .key), .init("product_tmpl_id", .key, isReadOnly: true),
                .init("categ_id", .code("product.category", "complete_name"), isReadOnly: true), .init("min_quantity", .decimal),
                .init("compute_price", .text), .init("fixed_price", .decimal), .init("percent_price", .decimal),
                .init("base", .text), .init("price_discount", .decimal), .init("price_surcharge", .decimal),
                .init("date_start", .moment), .init("date_end", .moment),
            ], identity: "product_id", mayLack: true))

    /// Leads and opportunities, one model in Odoo: a lead becomes an opportunity and keeps its number.
    static let lead = NativeType(
        model: "crm.lead", entity: "opportunity",
        members: [
            .init("name", .text), .init("type", .text), .init("active", .boolean), .init("partner_id", .key),
            .init("partner_name", .text), .init("contact_name", .text), .init("function", .text), .init("email_from", .text),
            .init("phone", .text), .init("website", .text), .init("street", .text), .init("zip", .text), .init("city", .text),
            .init("country_id", .code("res.country", "code")), .init("user_id", .code("res.users", "login")),
            .init("team_id", .code("crm.team", "name")), .init("stage_id", .code("crm.stage", "name")), .init("priority", .text),
            .init("expected_revenue", .decimal), .init("company_currency", .code("res.currency", "name"), isReadOnly: true),
            .init("probability", .decimal), .init("date_deadline", .date), .init("date_closed", .moment, isReadOnly: true),
            .init("won_status", .text, isReadOnly: true), .init("lost_reason_id", .code("crm.lost.reason", "name")),
            .init("referred", .text), .init("company_id", .key, isReadOnly: true),
        ], delete: .removes)

    static let order = NativeType(
        model: "sale.order", entity: "order",
        members: [
            .init("name", .text, isReadOnly: true), .init("state", .text, isReadOnly: true), .init("partner_id", .key),
            .init("client_order_ref", .text), .init("date_order", .moment), .init("validity_date", .date),
            .init("commitment_date", .moment), .init("origin", .text), .init("opportunity_id", .key),
            .init("user_id", .code("res.users", "login")), .init("payment_term_id", .code("account.payment.term", "name")),
            .init("currency_id", .code("res.currency", "name"), isReadOnly: true), .init("company_id", .key, isReadOnly: true),
            .init("amount_untaxed", .decimal, isReadOnly: true), .init("amount_total", .decimal, isReadOnly: true),
        ],
        lines: Lines(
            name: "order_line", model: "sale.order.line", parent: "order_id", domain: [["display_type", "=", false]],
            members: [
                .init("product_id", .key), .init("name", .text), .init("product_uom_qty", .decimal), .init("price_unit", .decimal),
                .init("discount", .decimal), .init("qty_delivered", .decimal, isReadOnly: true),
                .init("qty_invoiced", .decimal, isReadOnly: true),
            ]), delete: .refuses, hasCompany: true)

    static let invoice = NativeType(
        model: "account.move", entity: "invoice", domain: [["move_type", "in", ["out_invoice", "out_refund"]]],
        members: [
            .init("name", .text), .init("move_type", .text), .init("state", .text), .init("payment_state", .text),
            .init("partner_id", .key), .init("ref", .text), .init("invoice_origin", .text), .init("invoice_date", .date),
            .init("invoice_date_due", .date), .init("currency_id", .code("res.currency", "name")), .init("company_id", .key),
            .init("amount_untaxed", .decimal), .init("amount_total", .decimal), .init("amount_residual", .decimal),
        ], delete: .refuses, isReadOnly: true, hasCompany: true)
}
