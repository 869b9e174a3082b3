import HubModel

/// One of Odoo's models as the driver tells and takes it.
struct NativeType: Sendable {
    var model: String
    var entity: EntityName
    /// What belongs to the type, as one of Odoo's domains.
    var domain: [Value] = []
    var members: [NativeMember]
    var lines: Lines?
    /// Deleting marks documents inactive.
    var isArchived = false
    /// The hub never writes it.
    var isReadOnly = false
    var hasCompany = false

    /// Documents inside a document, told and taken with it.
    struct Lines: Sendable {
        /// The document's member that holds them.
        var name: String
        var model: String
        /// The line's member that names the document.
        var parent: String
        /// Which lines count.
        var domain: [Value]
        var members: [NativeMember]
    }

    /// The lines' member that holds the hub's own id of a line, so that adding one stays a single transaction.
    static let lineMark = "x_hub_line"

    static let all: [NativeType] = [partner, product, order, invoice]

    static func named(_ model: String) -> NativeType? { all.first { $0.model == model } }

    static let partner = NativeType(
        model: "res.partner", entity: "customer",
        members: [
            .init("name", .text), .init("is_company", .boolean), .init("active", .boolean), .init("ref", .text), .init("vat", .text),
            .init("email", .text), .init("phone", .text), .init("website", .text), .init("street", .text), .init("street2", .text),
            .init("zip", .text), .init("city", .text), .init("country_id", .code("res.country", "code")),
            .init("user_id", .code("res.users", "login")), .init("parent_id", .key), .init("credit_limit", .decimal),
            .init("property_payment_term_id", .code("account.payment.term", "name")),
        ], isArchived: true)

    static let product = NativeType(
        model: "product.product", entity: "product",
        members: [
            .init("name", .text), .init("default_code", .text), .init("barcode", .text), .init("list_price", .decimal),
            .init("currency_id", .code("res.currency", "name"), isReadOnly: true), .init("uom_id", .code("uom.uom", "name")),
            .init("type", .text), .init("sale_ok", .boolean), .init("active", .boolean),
        ], isArchived: true)

    static let order = NativeType(
        model: "sale.order", entity: "order",
        members: [
            .init("name", .text, isReadOnly: true), .init("state", .text, isReadOnly: true), .init("partner_id", .key),
            .init("client_order_ref", .text), .init("date_order", .moment), .init("commitment_date", .moment), .init("origin", .text),
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
            ]), hasCompany: true)

    static let invoice = NativeType(
        model: "account.move", entity: "invoice", domain: [["move_type", "in", ["out_invoice", "out_refund"]]],
        members: [
            .init("name", .text), .init("move_type", .text), .init("state", .text), .init("payment_state", .text),
            .init("partner_id", .key), .init("ref", .text), .init("invoice_origin", .text), .init("invoice_date", .date),
            .init("invoice_date_due", .date), .init("currency_id", .code("res.currency", "name")), .init("company_id", .key),
            .init("amount_untaxed", .decimal), .init("amount_total", .decimal), .init("amount_residual", .decimal),
        ], isReadOnly: true, hasCompany: true)
}

/// One member of a document.
struct NativeMember: Sendable, Hashable {
    /// How a member is told and taken.
    enum Kind: Sendable, Hashable {
        case text, decimal, integer, boolean
        /// `2026-03-01`
        case date
        /// `2026-03-01 11:00:00`, in UTC.
        case moment
        /// Another document, by its number.
        case key
        /// A line of one of Odoo's lists, by what people call it: the list's model, and the member that names a line.
        case code(String, String)
    }

    var name: String
    var kind: Kind
    var isReadOnly: Bool

    init(_ name: String, _ kind: Kind, isReadOnly: Bool = false) {
        self.name = name
        self.kind = kind
        self.isReadOnly = isReadOnly
    }
}
