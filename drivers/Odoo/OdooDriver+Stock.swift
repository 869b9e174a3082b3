import HubDriver
import HubModel

extension OdooDriver {
    func stock(_ question: Question) async throws(OdooFailure) -> FunctionReply {
        let company = company(question.company)
        let id = try required("product", in: question)
        var context = Fields()
        if let site = question.arguments["site"]?.text {
            let found = try await client.search(
                "stock.warehouse", [["code", "=", .string(site)]], ["id"], order: "id", limit: 1, company: company)
            guard let warehouse = found.first?["id"] else {
                return .refused(Rejection(rule: "unknown-code", field: "site", text: "Odoo has no warehouse with the code \(site)."))
            }
            context["warehouse_id"] = warehouse
        }
        let members = ["qty_available", "free_qty", "uom_id", "is_storable"]
        let product = try await asked(NativeType.product.model, id, members, company: company, context: context, as: "product")
        guard product["is_storable"]?.bool == true, let onHand = product["qty_available"]?.number else {
            return .cannotSay(reason: "Odoo does not track the stock of this product.")
        }
        var answer = StockAnswer(onHand: onHand.withoutNoise, free: product["free_qty"]?.number?.withoutNoise)
        if let unit = product["uom_id"]?.integer { answer.unit = try await catalogue.code(unit, "uom.uom", "name") }
        if let quantity = question.arguments["quantity"]?.number {
            answer.promiseDate = try await promise(id, quantity, from: question.arguments["date"]?.text ?? today, company, context)
        }
        return .says(answer.fields, asOf: now)
    }

    /// The first day from which on so much stays over, of the day asked for and those on which something is to arrive.
    private func promise(
        _ product: Int64, _ quantity: Number, from day: String, _ company: Int64?, _ context: Fields
    ) async throws(OdooFailure) -> String? {
        // What is promised today must not be missing tomorrow.
        guard try await forecast(product, nil, company, context) >= quantity else { return nil }
        let first = max(day, today)
        let domain: [Value] = [
            ["product_id", "=", .number(Number(product))], ["picking_code", "=", "incoming"],
            ["state", "in", ["waiting", "confirmed", "assigned", "partially_available"]], ["date", ">", .string("\(first) 23:59:59")],
        ]
        let arrivals = try await client.search("stock.move", domain, ["date"], order: "date", limit: Self.mostArrivals, company: company)
        var last: String?
        for day in [first] + arrivals.compactMap({ $0["date"]?.text.map { String($0.prefix(10)) } }) where day != last {
            if try await forecast(product, day, company, context) >= quantity { return day }
            last = day
        }
        return nil
    }

    /// Later arrivals are not asked for one by one.
    private static let mostArrivals = 30

    /// What is expected to lie there at the end of a day; nil: when all that is planned has happened.
    private func forecast(_ product: Int64, _ day: String?, _ company: Int64?, _ context: Fields) async throws(OdooFailure) -> Number {
        var context = context
        if let day { context["to_date"] = .string("\(day) 23:59:59") }
        let read = try await asked(
            NativeType.product.model, product, ["virtual_available"], company: company, context: context, as: "product")
        guard let quantity = read["virtual_available"]?.number else { throw .unusable("product.product tells no virtual_available") }
        return quantity
    }
}
