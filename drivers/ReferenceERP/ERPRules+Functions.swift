package import HubDriver
import HubModel
package import ReferenceApplication

extension ERPRules {
    /// What the ERP can be asked. It is one company, has no sites, and sells in one unit and currency each.
    static let functions: [FunctionManifest] = [
        .price.without("company"), .stock.without("company", "site"), .credit.without("company"), .validate.without("company"),
    ]

    package func answer(_ question: Question, in work: Work) throws -> FunctionReply {
        let members: Fields
        switch question.function {
        case "price": members = try price(question, work).fields
        case "stock": members = try stock(question, work).fields
        case "credit": members = try credit(question, work).fields
        case "validate":
            let order = question.arguments["order"]?.object ?? [:]
            members = ValidateAnswer(violations: try work.violations("sales_order", order, by: .hub)).fields
        default: return .cannotSay(reason: "the ERP has no function \(question.function)")
        }
        return .says(members, asOf: work.now)
    }

    private func price(_ question: Question, _ work: Work) throws -> PriceAnswer {
        let article = try document("article", "product", "unknown-product", question, work)
        if question.arguments["customer"] != nil { _ = try document("partner", "customer", "unknown-customer", question, work) }
        guard article.fields["saleable"] == true else {
            throw Refused("product-not-saleable", "product", "Product \(code(article)) is not for sale.")
        }
        for (parameter, member) in [("unit", "unit"), ("currency", "currency")] {
            let own = article.fields[member]?.text ?? ""
            if let asked = question.arguments[parameter]?.text, asked != own {
                throw Refused(
                    "unknown-\(parameter)", parameter, "Product \(code(article)) is sold in \(own.isEmpty ? "none" : own), not \(asked).")
            }
        }
        let unit = Number(article.fields["price"]?.units(scale: 2) ?? 0, scale: 2)
        let quantity = try quantity(question) ?? 1000
        let line = OrderLine(id: "1", subject: article.key, quantity: quantity, price: unit.coefficient(atScale: 4))
        return PriceAnswer(
            unitPrice: unit, amount: Number(try line.cents(), scale: 2), currency: article.fields["currency"]?.text ?? "",
            unit: article.fields["unit"]?.text, listPrice: unit)
    }

    private func stock(_ question: Question, _ work: Work) throws -> StockAnswer {
        let article = try document("article", "product", "unknown-product", question, work)
        let free = try max(0, freeStock(of: article, except: nil, work))
        // It knows of no goods on their way: what is not there cannot be promised.
        var promise: String?
        if let wanted = try quantity(question), wanted <= free {
            let today = CalendarDate(work.now)
            promise = max(question.arguments["date"]?.text.flatMap { CalendarDate($0) } ?? today, today).description
        }
        return StockAnswer(
            onHand: Number(article.fields["stock"]?.units(scale: 3) ?? 0, scale: 3), free: Number(free, scale: 3),
            unit: article.fields["unit"]?.text, promiseDate: promise)
    }

    private func credit(_ question: Question, _ work: Work) throws -> CreditAnswer {
        let partner = try document("partner", "customer", "unknown-customer", question, work)
        guard let amount = (question.arguments["amount"] ?? 0).units(scale: 2), amount >= 0 else {
            throw Refused("invalid-field", "amount", "The amount is a number from 0 up.")
        }
        let today = CalendarDate(work.now)
        var unpaid: Int64 = 0
        var overdue: Int64 = 0
        for invoice in try work.documents("invoice", holding: .credit, of: partner.id) {
            let due = (invoice.fields["total"]?.units(scale: 2) ?? 0) - (invoice.fields["paid"]?.units(scale: 2) ?? 0)
            unpaid += due
            if let day = invoice.fields["due_date"]?.text.flatMap({ CalendarDate($0) }), day < today { overdue += due }
        }
        let limit = partner.fields["credit_limit"]?.units(scale: 2) ?? 0
        let objections = try objections(to: partner, taking: amount, except: nil, work)
        return CreditAnswer(
            limit: limit > 0 ? Number(limit, scale: 2) : nil,
            openOrders: Number(try work.used(.credit, of: partner.id, except: nil) - unpaid, scale: 2), unpaid: Number(unpaid, scale: 2),
            overdue: Number(overdue, scale: 2), terms: partner.fields["payment_terms"]?.text,
            hold: objections.first { $0.rule == "customer-on-hold" }?.rejection.text, isAccepted: objections.isEmpty,
            reason: objections.isEmpty ? nil : objections.map(\.rejection.text).joined(separator: " "))
    }

    // MARK: Arguments

    private func document(
        _ native: String, _ parameter: String, _ rule: String, _ question: Question, _ work: Work
    ) throws -> StoredDocument {
        let key = question.arguments[parameter]?.keyText ?? ""
        guard let document = try work.document(native, NativeKey(key)) else {
            throw Refused(rule, parameter, "There is no \(parameter) \(key).")
        }
        return document
    }

    /// In thousandths; nil where none was asked for.
    private func quantity(_ question: Question) throws -> Int64? {
        guard let value = question.arguments["quantity"] else { return nil }
        guard let quantity = value.units(scale: 3), quantity > 0 else {
            throw Refused("invalid-field", "quantity", "A quantity is at least 0.001.")
        }
        return quantity
    }
}
