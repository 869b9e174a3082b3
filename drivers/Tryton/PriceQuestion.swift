import HubDriver
import HubModel

/// What a product costs, as Tryton reckons it for a line that somebody types into a sale: price lists, units, currencies and whatever
/// its modules add.
struct PriceQuestion: Sendable {
    private let arguments: Fields
    private let sale: SaleType
    private let work: Work

    init(_ arguments: Fields, _ sale: SaleType, _ work: Work) {
        self.arguments = arguments
        self.sale = sale
        self.work = work
    }

    /// Nil where the product has no price.
    func answer() async throws(TrytonFailure) -> PriceAnswer? {
        let product = try Given.key(arguments["product"] ?? .null, "product", rule: "unknown-product")
        try await Self.asked("product", insteadOf: "lines") { () throws(TrytonFailure) in try await sale.known([product], work) }
        let quantity = try Given.number(arguments["quantity"] ?? 1, "quantity")
        let line = OrderLines.Line(key: nil, product: product, quantity: quantity.isNull ? 1 : quantity, price: nil, description: nil)
        let unit = try await named("unit", "product.uom", by: ["name", "symbol"], rule: "unknown-unit")
        let header = try await header()
        let typed = try await sale.typedIn(line, unit: unit, header, work)
        if let unit, typed["unit"] != unit {
            throw .refused(
                Rejection(
                    rule: "unknown-unit", field: "unit", text: "The product is not sold by \(arguments["unit"]?.text ?? "this unit")."))
        }
        guard let price = typed["unit_price"]?.number, let amount = typed["amount"]?.number else { return nil }
        // Nobody's price: without the customer, and the list that Tryton chose for them.
        let anybody = header.filter { $0.name != "party" && $0.name != "price_list" }
        let list = try await sale.typedIn(line, unit: unit, anybody, work)["unit_price"]?.number
        return PriceAnswer(
            unitPrice: price, amount: amount, currency: try await currency(header["currency"]), unit: typed.one("unit")?["rec_name"]?.text,
            listPrice: list, includesTax: false)
    }

    /// What the sale holds before its first line.
    private func header() async throws(TrytonFailure) -> Fields {
        var header = Fields()
        if let customer = arguments["customer"], !customer.isNull {
            header = try await Self.asked("customer", insteadOf: "party") { () throws(TrytonFailure) in
                try await sale.values(["party": customer], nil, work)
            }
        } else if let company = work.company {
            header["company"] = .id(company)
            header["currency"] = try await work.rows("company.company", [["id", "=", .id(company)]], ["currency"]).first?["currency"]
        }
        if let currency = try await named("currency", "currency.currency", by: ["code"], rule: "unknown-currency") {
            header["currency"] = currency
        }
        if let date = arguments["date"], !date.isNull { header["sale_date"] = try Given.date(date, "date") }
        return header
    }

    /// What a sale's member is in a question.
    private static func asked<T>(
        _ name: String, insteadOf member: String, _ body: () async throws(TrytonFailure) -> T
    ) async throws(TrytonFailure) -> T {
        do { return try await body() } catch {
            guard case .refused(var rejection) = error, rejection.field == member else { throw error }
            rejection.field = name
            throw .refused(rejection)
        }
    }

    private func named(_ name: String, _ model: String, by fields: [String], rule: String) async throws(TrytonFailure) -> Value? {
        guard let value = arguments[name], !value.isNull else { return nil }
        return try await Given.named(value, name, model, by: fields, rule: rule, work)
    }

    private func currency(_ key: Value?) async throws(TrytonFailure) -> String {
        guard let key else { return "" }
        return try await work.rows("currency.currency", [["id", "=", key]], ["code"]).first?["code"]?.text ?? ""
    }
}
