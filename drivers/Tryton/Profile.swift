import HubDriver
import HubModel

/// What an installation of Tryton has: fields by model, which its modules decide, and who the hub is there.
struct Profile: Sendable {
    /// The hub's own user.
    var user: Int64
    /// The user's company; nil where it has none.
    var company: Int64?
    /// Currency codes of the companies.
    var currencies: [Int64: String]
    private var fields: [String: Set<String>]

    /// The models that the driver works with, and the fields of theirs that not every installation has.
    private static let models: KeyValuePairs = [
        "party.party": [
            "credit_limit_amount", "credit_limit_amounts", "customer_payment_term", "payment_terms", "sale_price_list", "sale_price_lists",
            "credit_amount",
        ],
        "party.address": ["party_name", "invoice", "delivery"],
        "product.product": ["suffix_code", "prefix_code", "list_price_used", "list_prices", "quantity", "forecast_quantity"],
        "product.template": ["salable", "sale_uom", "list_prices"],
        "sale.sale": ["invoices", "shipments", "shipping_date"],
        "account.invoice": ["sales"],
        "stock.shipment.out": [],
        "stock.move": ["sale", "unit"],
    ]

    func has(_ model: String, _ field: String) -> Bool { fields[model]?.contains(field) == true }

    /// False where the modules of this model are not installed.
    func has(_ model: String) -> Bool { fields[model] != nil }

    static func read(_ connection: TrytonConnection, deadline: ContinuousClock.Instant) async throws(TrytonFailure) -> Profile {
        var profile = Profile(user: try await connection.user(), company: nil, currencies: [:], fields: [:])
        for (model, names) in models {
            do {
                // Every model has its id.
                let wanted = Value.array((["id"] + names).map { .string($0) })
                let fields = try await connection.call(model, "fields_get", [wanted], deadline: deadline)
                profile.fields[model] = Set(fields.object?.names ?? [])
            } catch {
                // Tryton has no better word for a model that it does not have.
                guard case .refused(let rejection) = error, rejection.rule == "internal-error" else { throw error }
            }
        }
        let preferences = try await connection.call("res.user", "get_preferences", [true], deadline: deadline)
        profile.company = preferences["company"]?.integer
        let companies = try await connection.call(
            "company.company", "search_read", [[], 0, 1000, .null, ["currency.code"]], deadline: deadline)
        for company in companies.array ?? [] {
            guard let id = company["id"]?.integer else { continue }
            profile.currencies[id] = company["currency."]?["code"]?.text
        }
        return profile
    }
}
