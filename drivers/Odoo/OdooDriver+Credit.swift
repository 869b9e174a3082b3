import HubDriver
import HubModel

extension OdooDriver {
    /// By the rule after which Odoo warns: what is owed, ordered and wanted against the limit of the customer's company.
    func credit(_ question: Question) async throws(OdooFailure) -> FunctionReply {
        let company = company(question.company)
        let id = try required("customer", in: question)
        let model = NativeType.partner.model
        let asked = try await asked(model, id, ["commercial_partner_id"], company: company, as: "customer")
        let payer = asked["commercial_partner_id"]?.integer ?? id
        let members = ["name", "credit", "credit_to_invoice", "credit_limit", "property_payment_term_id"]
        let partner = try await self.asked(model, payer, members, company: company, as: "customer")
        guard let owed = partner["credit"]?.number, let ordered = partner["credit_to_invoice"]?.number else {
            return .cannotSay(reason: "Odoo's user may not see what customers owe: it needs a right of Invoicing.")
        }
        let books = try await books(company)
        let limit = books["account_use_credit_limit"] == .some(true) ? partner["credit_limit"]?.number : nil
        var answer = CreditAnswer(
            limit: limit.flatMap { $0 > 0 ? $0.cents : nil }, openOrders: ordered.cents, unpaid: owed.cents,
            overdue: try await overdue(payer, company), isAccepted: true)
        if let currency = books["currency_id"]?.integer {
            answer.currency = try await catalogue.code(currency, "res.currency", "name")
        }
        if let terms = partner["property_payment_term_id"]?.integer {
            answer.terms = try await catalogue.code(terms, "account.payment.term", "name")
        }
        let amount = question.arguments["amount"]?.number ?? 0
        let total = Number.sum([answer.openOrders, answer.unpaid, amount], scale: 2)
        if let limit = answer.limit, total.map({ $0 > limit }) ?? true {
            answer.isAccepted = false
            answer.reason = """
                \(partner["name"]?.text ?? "The customer") would owe \(total ?? amount) with a limit of \(limit). Odoo warns of it and leaves \
                the decision to people.
                """
        }
        return .says(answer.fields, asOf: now)
    }

    /// The company whose books are meant; without one the user's own.
    private func books(_ company: Int64?) async throws(OdooFailure) -> Fields {
        var own = company
        if own == nil, let user = try await client.call("res.users", "context_get")["uid"]?.integer {
            own = try await client.read("res.users", [user], ["company_id"]).first?["company_id"]?.integer
        }
        guard let own else { throw .unusable("res.users tells no company of the user's own") }
        return try await client.read("res.company", [own], ["currency_id", "account_use_credit_limit"]).first ?? Fields()
    }

    /// What of posted invoices is past its date; nil where this user may not see it.
    private func overdue(_ partner: Int64, _ company: Int64?) async throws(OdooFailure) -> Number? {
        let domain: [Value] = [
            ["commercial_partner_id", "=", .number(Number(partner))], ["move_type", "in", ["out_invoice", "out_refund"]],
            ["state", "=", "posted"], ["invoice_date_due", "<", .string(today)],
        ]
        let arguments: Fields = ["domain": .array(domain), "groupby": .array([]), "aggregates": ["amount_residual_signed:sum"]]
        do throws(OdooFailure) {
            let groups = try await client.call("account.move", "formatted_read_group", arguments, company: company)
            return (groups.array?.first?["amount_residual_signed:sum"]?.number ?? 0).cents
        } catch .refused(let refusal) where refusal.status == 403 {
            return nil
        }
    }
}

extension Number {
    /// An amount of money as Odoo's own forms show it.
    fileprivate var cents: Number { rounded(toScale: 2) ?? self }
}
