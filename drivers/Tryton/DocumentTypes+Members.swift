import HubDriver
import HubModel

extension Member.Names {
    static let country = Self(model: "country.country", field: "code")
    static let currency = Self(model: "currency.currency", field: "code")
    static let paymentTerm = Self(model: "account.invoice.payment_term", field: "name")
    static let priceList = Self(model: "product.price_list", field: "name")
    static let unit = Self(model: "product.uom", field: "name")
}

extension PartyType {
    var members: [Member] {
        let own = ["name", "code", "active", "credit_limit_amount"].map { Member($0, native) }
        let address = ["street", "postal_code", "city", "party_name"].map { (name: String) in
            Member("address.\(name)", "party.address", name)
        }
        return own + address + Self.mechanisms.map { Member($0, "party.contact_mechanism", "value") } + [
            Member("address.country", "party.address", "country", named: .country), Member("addresses", native),
            Member("address", native, "addresses", kind: .object),
            Member("lang", native, named: .init(model: "ir.lang", field: "code")), Member("tax_identifier", "party.identifier", "code"),
            Member("customer_payment_term", native, named: .paymentTerm), Member("sale_price_list", native, named: .priceList),
            Member("currency", "company.company", named: .currency),
        ]
    }
}

extension ProductType {
    var members: [Member] {
        ["code", "description", "active", "template"].map { Member($0, native) }
            + ["name", "list_price", "type", "salable"].map { Member($0, "product.template") }
            + [
                Member("unit", "product.template", "default_uom", named: .unit),
                Member("currency", "company.company", named: .currency),
            ]
    }
}

extension SaleType {
    var members: [Member] {
        let own = [
            "number", "reference", "party", "company", "state", "sale_date", "shipping_date", "description", "comment", "shipment_state",
            "invoice_state", "untaxed_amount", "tax_amount", "total_amount", "lines", "invoices", "shipments",
        ]
        let lines = ["product", "quantity", "unit_price", "description", "amount"]
        return own.map { Member($0, native) } + lines.map { (name: String) in Member("lines.\(name)", "sale.line", name) } + [
            Member("payment_term", native, named: .paymentTerm), Member("currency", native, named: .currency),
            Member("lines.unit", "sale.line", "unit", named: .unit), Member("lines.key", "ir.attachment", "description"),
            Member("failure", native, "state", kind: .text), Member("invoiced_amount", "account.invoice", "total_amount"),
        ]
    }
}

extension InvoiceType {
    var members: [Member] {
        let own = [
            "number", "reference", "party", "company", "state", "invoice_date", "description", "untaxed_amount", "tax_amount",
            "total_amount", "amount_to_pay", "sales", "lines",
        ]
        let lines = ["product", "quantity", "unit_price", "description", "amount"]
        return own.map { Member($0, native) } + lines.map { (name: String) in Member("lines.\(name)", "account.invoice.line", name) } + [
            Member("payment_term", native, named: .paymentTerm), Member("currency", native, named: .currency),
            Member("due_date", "account.move.line", "maturity_date"), Member("paid_date", "account.move.line", "date"),
            Member("paid_amount", native, "amount_to_pay"), Member("payments", native, "payment_lines"),
            Member("sale", native, "sales", kind: .reference), Member("kind", native, "total_amount", kind: .code),
        ]
    }
}
