import HubDriver
import HubModel

/// Everything that speaks against an order, without writing anything.
///
/// Tryton has no dry run: it says what is wrong with a sale by refusing it, one thing at a time. So the order is typed in as in Tryton's
/// client, which writes nothing, and looked at for everything that Tryton would refuse and that can be seen beforehand.
struct ValidateQuestion: Sendable {
    private let order: Fields
    private let sale: SaleType
    private let work: Work

    init(_ order: Fields, _ sale: SaleType, _ work: Work) {
        self.order = order
        self.sale = sale
        self.work = work
    }

    /// Prices of lines have so many decimals in Tryton.
    private static let priceScale = 4

    func answer() async throws(TrytonFailure) -> ValidateAnswer {
        var found = Violations()
        for (name, value) in order {
            try found.note { () throws(TrytonFailure) in try sale.check(Fields([(name, value)]), before: nil) }
            _ = try await found.noted { () throws(TrytonFailure) in try await sale.value(name, value, isNew: true, work) }
        }
        try found.note { () throws(TrytonFailure) in _ = try sale.state(order["state"]) }
        let party = order["party"] ?? .null
        let header = try await found.noted { () throws(TrytonFailure) in try await sale.values(["party": party], nil, work) }
        var amount = Int64(0)
        var isShipped = false
        for (index, line) in try lines(&found).enumerated() {
            guard let seen = try await look(at: line, index, header ?? Fields(), &found) else { continue }
            let (sum, isOver) = amount.addingReportingOverflow(seen.amount)
            amount = isOver ? .max : sum
            isShipped = isShipped || seen.isShipped
        }
        if let header { try await look(at: header, amount, isShipped, &found) }
        return ValidateAnswer(violations: found.list)
    }

    /// How far the order would be taken.
    private var wanted: TrytonSettings.OrderState { (try? sale.state(order["state"])) ?? .draft }

    // MARK: The order

    private func look(
        at header: Fields, _ amount: Int64, _ isShipped: Bool, _ found: inout Violations
    ) async throws(TrytonFailure) {
        guard wanted > .draft else { return }
        if header["invoice_address"]?.integer == nil {
            found.add("missing-address", "party", "The customer has no address for invoices.")
        }
        if isShipped, header["shipment_address"]?.integer == nil {
            found.add("missing-address", "party", "The customer has no address for shipments.")
        }
        guard wanted > .quotation, header["shipment_method"]?.text ?? "order" == "order",
            let party = header["party"]?.integer, work.profile.has("party.party", "credit_amount")
        else { return }
        let payer = header["invoice_party"]?.integer ?? party
        let credit = try await CreditQuestion(party: payer, amount: Number(amount, scale: Self.priceScale), work).answer()
        if !credit.isAccepted, credit.hold == nil { found.add("credit-limit", nil, credit.reason ?? "") }
    }

    // MARK: Lines

    /// Those that can be read at all; the others are noted.
    private func lines(_ found: inout Violations) throws(TrytonFailure) -> [OrderLines.Line] {
        let elements = order["lines"] ?? []
        guard let list = elements.array else {
            try found.note { () throws(TrytonFailure) in _ = try OrderLines(elements) }
            return []
        }
        var lines: [OrderLines.Line] = []
        for element in list {
            try found.note { () throws(TrytonFailure) in lines += try OrderLines([element]).lines }
        }
        // What concerns several of them, such as two of the same name.
        if lines.count == list.count { try found.note { () throws(TrytonFailure) in _ = try OrderLines(elements) } }
        return lines
    }

    private func look(
        at line: OrderLines.Line, _ index: Int, _ header: Fields, _ found: inout Violations
    ) async throws(TrytonFailure) -> (amount: Int64, isShipped: Bool)? {
        let place = "lines.\(index)"
        guard !line.quantity.isNull else {
            found.add("required", "\(place).quantity", "Line \(index + 1) has no quantity.")
            return nil
        }
        guard try await found.noted({ () throws(TrytonFailure) in try await sale.known([line.product], work) }) != nil else { return nil }
        let typed = try await sale.typedIn(line, header, work)
        let product =
            try await work.rows(
                "product.product", [["id", "=", .id(line.product)]],
                ["template.type", "template.account_category", "template.sale_uom.digits"] + sellable, limit: 1
            ).first?.one("template") ?? Fields()
        if product["salable"]?.bool == false { found.add("not-allowed", "\(place).product", "Product \(line.product) is not for sale.") }
        let digits = product.one("sale_uom")?["digits"]?.integer ?? 0
        if line.quantity.number?.coefficient(atScale: Int(digits), .exact) == nil {
            found.add("too-many-digits", "\(place).quantity", "The quantity of line \(index + 1) has more than \(digits) decimals.")
        }
        guard let price = line.price.map({ Wire.decoded($0).number }) ?? typed["unit_price"]?.number else {
            found.add("required", "\(place).unit_price", "Line \(index + 1) has no price, and Tryton knows none.")
            return nil
        }
        guard let units = price.coefficient(atScale: Self.priceScale, .exact) else {
            found.add("too-many-digits", "\(place).unit_price", "The price of line \(index + 1) has more than \(Self.priceScale) decimals.")
            return nil
        }
        if wanted == .processing, product["account_category"]?.integer == nil {
            found.add("missing-account", "\(place).product", "Product \(line.product) has no accounting category.")
        }
        let amount = Self.product(line.quantity.number ?? 0, units)
        return (amount, ["goods", "assets"].contains(product["type"]?.text) && amount >= 0)
    }

    private var sellable: [String] { work.profile.has("product.template", "salable") ? ["template.salable"] : [] }

    /// Quantity times price, to the price's decimals; too large to be true where it does not fit.
    private static func product(_ quantity: Number, _ price: Int64) -> Int64 {
        guard let thousandths = quantity.coefficient(atScale: 3) else { return .max / 4 }
        let (product, isOver) = thousandths.multipliedReportingOverflow(by: price)
        return isOver ? .max / 4 : product / 1000
    }
}
