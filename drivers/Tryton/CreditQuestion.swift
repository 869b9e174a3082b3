import HubDriver
import HubModel

/// Whether a customer may buy for an amount, by the rule by which Tryton confirms a sale: what they owe and have ordered, and the
/// amount, against the limit that they have with the company.
struct CreditQuestion: Sendable {
    private let party: Int64
    private let amount: Number
    private let work: Work

    init(party: Int64, amount: Number, _ work: Work) {
        self.party = party
        self.amount = amount
        self.work = work
    }

    private static let scale = 4

    func answer() async throws(TrytonFailure) -> CreditAnswer {
        var wanted = ["name", "active", "receivable", "credit_amount", "credit_limit_amount"]
        let hasTerms = work.profile.has("party.party", "customer_payment_term")
        if hasTerms { wanted.append("customer_payment_term.name") }
        let domain: [Value] = [["id", "=", .id(party)]]
        guard let row = try await work.rows("party.party", domain, wanted, limit: 1).first else {
            throw .refused(Rejection(rule: "unknown-customer", field: "customer", text: "There is no party \(party)."))
        }
        let yesterday = try await work.today().text.flatMap { CivilDate($0) }.map { CivilDate(dayNumber: $0.dayNumber - 1).description }
        // What is due up to a day is what is overdue on the day after.
        let dated = work.under(["date": yesterday.flatMap(Wire.date) ?? .null])
        let overdue = try await dated.rows("party.party", domain, ["receivable_today"], limit: 1).first?["receivable_today"]?.number
        let limit = row["credit_limit_amount"]?.number
        let (unpaid, used) = (row["receivable"]?.number ?? 0, row["credit_amount"]?.number ?? 0)
        let currency = work.company.flatMap { work.profile.currencies[$0] }
        let hold = row.isActive ? nil : "\(row["name"]?.text ?? "The party") is not active."
        var reason = hold
        if let limit, amount > 0 {
            if let excess = Number.sum([used, amount], less: [limit], scale: Self.scale) {
                if excess > 0 { reason = reason ?? "The limit is exceeded by \(Self.shown(excess)) \(currency ?? "")." }
            } else {
                reason = reason ?? "The amount of \(amount) is more than Tryton keeps accounts of."
            }
        }
        return CreditAnswer(
            limit: limit, openOrders: Self.shown(Number.sum([used], less: [unpaid], scale: Self.scale) ?? 0), unpaid: Self.shown(unpaid),
            overdue: overdue, currency: currency,
            terms: row.one("customer_payment_term")?["name"]?.text, hold: hold,
            isAccepted: hold == nil && (reason == nil || work.settings.warnings.accepts(TrytonRules.creditLimitWarning)), reason: reason)
    }

    private static func shown(_ amount: Number) -> Number { amount.rounded(toScale: 2) ?? amount }
}
