import HubDriver
import HubModel

extension OdooDriver {
    /// What a line of an order would cost: Odoo fills in a form that nobody saves, with pricelist, fiscal position and rounding.
    func price(_ question: Question) async throws(OdooFailure) -> FunctionReply {
        let company = company(question.company)
        let id = try required("product", in: question)
        let product = try await asked(
            NativeType.product.model, id, ["uom_id", "list_price", "currency_id"], company: company, as: "product")
        var line: Fields = ["product_id": .number(Number(id)), "product_uom_qty": question.arguments["quantity"] ?? 1]
        let own = product["uom_id"]?.integer
        if let name = question.arguments["unit"]?.text {
            guard let unit = try await unit(name, like: own) else {
                return .refused(Rejection(rule: "unknown-code", field: "unit", text: "The product is not sold by \(name)."))
            }
            line["product_uom_id"] = .number(Number(unit))
        }
        var values: Fields = ["order_line": [[0, "1", .object(line)]]]
        if let customer = try named("customer", in: question) { values["partner_id"] = .number(Number(customer)) }
        if let date = question.arguments["date"]?.text { values["date_order"] = .string("\(date) 12:00:00") }
        if let company { values["company_id"] = .number(Number(company)) }
        let form = try await client.call(
            NativeType.order.model, "onchange",
            ["values": .object(values), "field_names": .array([]), "fields_spec": .object(Self.priced)], company: company)
        return try priced(form, question, product, isOwnUnit: line["product_uom_id"]?.integer ?? own == own)
    }

    /// The members of the form that a price is made of.
    private static let priced: Fields = [
        "currency_id": ["fields": ["name": [:], "decimal_places": [:]]],
        "order_line": [
            "fields": [
                "product_uom_id": ["fields": ["name": [:]]], "price_unit": [:], "discount": [:], "price_subtotal": [:], "price_total": [:],
                "price_reduce_taxexcl": [:], "price_reduce_taxinc": [:], "tax_ids": ["fields": ["price_include": [:]]],
            ]
        ],
    ]

    private func priced(
        _ form: Value, _ question: Question, _ product: Fields, isOwnUnit: Bool
    ) throws(OdooFailure) -> FunctionReply {
        let currency = form["value"]?["currency_id"]
        guard let code = currency?["name"]?.text, let line = form["value"]?["order_line"]?.array?.first?.array?.last?.object,
            let unitPrice = line["price_unit"]?.number
        else { throw .unusable("sale.order: onchange answers no price: \(JSONText.text(form).prefix(200))") }
        if let wanted = question.arguments["currency"]?.text, wanted != code {
            return .refused(Rejection(rule: "currency", field: "currency", text: "This customer's prices are in \(code)."))
        }
        let taxes = line["tax_ids"]?.array?.compactMap { $0.array?.last?["price_include"]?.bool } ?? []
        let isGross = taxes.contains(true)
        let scale = currency?["decimal_places"]?.integer.map(Int.init) ?? 2
        // A discount that Odoo shows as such stands beside the price.
        let hasDiscount = line["discount"]?.number ?? 0 != 0
        let reduced = hasDiscount ? line[isGross ? "price_reduce_taxinc" : "price_reduce_taxexcl"]?.number : nil
        let amount = line[isGross ? "price_total" : "price_subtotal"]?.number?.rounded(toScale: scale)
        guard let amount else { throw .unusable("sale.order: onchange answers no amount: \(JSONText.text(.object(line)).prefix(200))") }
        // The list price is for one of the product's own units, in its own currency.
        let isComparable = isOwnUnit && product["currency_id"]?.integer == currency?["id"]?.integer
        let answer = PriceAnswer(
            unitPrice: (reduced ?? unitPrice).withoutNoise, amount: amount, currency: code, unit: line["product_uom_id"]?["name"]?.text,
            listPrice: isComparable ? product["list_price"]?.number?.withoutNoise : nil, includesTax: taxes.isEmpty ? nil : isGross)
        return .says(answer.fields, asOf: now)
    }

    /// A unit that can be converted into another one; nil where there is none of that name. Odoo itself takes hours of screws.
    private func unit(_ name: String, like other: Int64?) async throws(OdooFailure) -> Int64? {
        guard let id = try await catalogue.id(name, "uom.uom", "name") else { return nil }
        guard let other, id != other else { return id }
        let paths = try await client.read("uom.uom", [id, other], ["parent_path"]).map { row in
            row["parent_path"]?.text?.split(separator: "/").first
        }
        return paths.count == 2 && paths[0] == paths[1] ? id : nil
    }
}
