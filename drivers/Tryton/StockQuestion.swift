import HubDriver
import HubModel

/// What there is of a product, and by when a quantity can be promised: what lies in the warehouses, less what is planned to leave, and
/// with what is planned to arrive on its day.
struct StockQuestion: Sendable {
    private let arguments: Fields
    private let work: Work

    init(_ arguments: Fields, _ work: Work) {
        self.arguments = arguments
        self.work = work
    }

    /// Quantities are reckoned with so many decimals, more than any unit of Tryton's has.
    static let scale = 6
    /// More planned moves of one product than anybody can make a promise from.
    private static let most = 10_000

    func answer() async throws(TrytonFailure) -> StockAnswer {
        let product = try Given.key(arguments["product"] ?? .null, "product", rule: "unknown-product")
        let wanted = try Given.number(arguments["quantity"] ?? .null, "quantity").number
        if let date = arguments["date"] { _ = try Given.date(date, "date") }
        let places = try await warehouses()
        let day = try await work.today()
        let today = day.text ?? ""
        let there = work.under(["locations": .array(places), "stock_date_end": day.text.flatMap(Wire.date) ?? .null])
        let rows = try await there.rows(
            "product.product", [["id", "=", .id(product)], ["active", "=", true]], ["quantity", "default_uom.name"], limit: 1)
        guard let row = rows.first else {
            throw .refused(Rejection(rule: "unknown-product", field: "product", text: "There is no active product \(product)."))
        }
        let onHand = row["quantity"]?.number ?? 0
        var plan = StockPlan(onHand: onHand.coefficient(atScale: Self.scale) ?? 0, today: today)
        for isLeaving in [true, false] {
            for move in try await moves(of: product, places, isLeaving) {
                guard let quantity = move["internal_quantity"]?.number?.coefficient(atScale: Self.scale) else { continue }
                plan.add(isLeaving ? -quantity : quantity, on: move["planned_date"]?.text)
            }
        }
        let promise = wanted?.coefficient(atScale: Self.scale).flatMap { plan.firstDay(for: $0, from: arguments["date"]?.text) }
        return StockAnswer(
            onHand: onHand, free: Self.shown(plan.free), unit: row.one("default_uom")?["name"]?.text, promiseDate: promise)
    }

    private static func shown(_ quantity: Int64) -> Number {
        let number = Number(quantity, scale: scale)
        // As few decimals as say it exactly.
        return (0..<scale).lazy.compactMap { number.rounded(toScale: $0, .exact) }.first ?? number
    }

    private func warehouses() async throws(TrytonFailure) -> [Value] {
        var domain: [Value] = [["type", "=", "warehouse"]]
        let site = arguments["site"]?.keyText
        if let site { domain.append(["code", "=", .string(site)]) }
        let found = try await work.keys("stock.location", domain, limit: 1000)
        if found.isEmpty, let site {
            throw .refused(Rejection(rule: "unknown-site", field: "site", text: "There is no warehouse \(site)."))
        }
        return found.map { .id($0) }
    }

    /// Planned moves over the warehouses' border.
    private func moves(of product: Int64, _ places: [Value], _ isLeaving: Bool) async throws(TrytonFailure) -> [Fields] {
        let (inside, outside) = isLeaving ? ("from_location", "to_location") : ("to_location", "from_location")
        let domain: [Value] = [
            ["product", "=", .id(product)], ["state", "in", ["draft", "assigned"]],
            [.string(inside), "child_of", .array(places), "parent"], [.string(outside), "not child_of", .array(places), "parent"],
        ]
        let found = try await work.rows("stock.move", domain, ["internal_quantity", "planned_date"], limit: Self.most)
        guard found.count < Self.most else {
            throw .refused(Rejection(rule: "internal-error", text: "More than \(Self.most) moves of the product are planned."))
        }
        return found
    }
}
