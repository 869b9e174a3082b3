import HubModel

/// Functions that every back office is asked in the same words, so that who asks need not know which application answers.
///
/// A driver declares the ones that its application can answer in ``Manifest/functions``, may leave out parameters that mean nothing
/// there (``FunctionManifest/without(_:)``) and add its own, and replies with ``PriceAnswer``, ``StockAnswer``, ``CreditAnswer`` or
/// ``ValidateAnswer``.
extension FunctionManifest {
    /// What a product costs a customer. A parameter that is left out is the application's own default.
    public static let price = FunctionManifest(
        name: "price", summary: "What a product costs, for a customer, a quantity and a day",
        parameters: [
            .company,
            FunctionParameter("customer", .reference("customer"), help: "who buys; the list price where left out"),
            FunctionParameter("product", .reference("product"), isRequired: true, help: "what is bought"),
            FunctionParameter("quantity", .decimal, help: "how much, in unit; 1 where left out"),
            FunctionParameter("unit", .text, help: "the unit of quantity and price; the product's own where left out"),
            FunctionParameter("currency", .text, help: "the currency of the price, as EUR; the application's own where left out"),
            FunctionParameter("date", .date, help: "the day of the sale; today where left out"),
        ],
        results: PriceAnswer.results)

    /// What there is of a product, and by when a quantity can be there.
    public static let stock = FunctionManifest(
        name: "stock", summary: "What there is of a product, and by when a quantity can be promised",
        parameters: [
            .company,
            FunctionParameter("product", .reference("product"), isRequired: true, help: "what is asked for"),
            FunctionParameter("site", .text, help: "the warehouse, by its code in the application; all of them where left out"),
            FunctionParameter("quantity", .decimal, help: "how much is wanted; without it nothing is promised"),
            FunctionParameter("date", .date, help: "the day that it is wanted for; today where left out"),
        ],
        results: StockAnswer.results)

    /// Whether a customer may buy for an amount, and what speaks against it.
    public static let credit = FunctionManifest(
        name: "credit", summary: "Whether a customer may buy for an amount on account",
        parameters: [
            .company,
            FunctionParameter("customer", .reference("customer"), isRequired: true, help: "who wants to buy"),
            FunctionParameter("amount", .decimal, help: "what the purchase is worth, tax included; 0 where left out"),
        ],
        results: CreditAnswer.results)

    /// Whether an order would be taken, and everything that speaks against it; nothing is written.
    public static let validate = FunctionManifest(
        name: "validate", summary: "Whether an order would be taken: everything that is wrong with it, and nothing is written",
        parameters: [
            .company,
            FunctionParameter("order", .document, isRequired: true, help: "the order's members"),
        ],
        results: ValidateAnswer.results)

    /// This without parameters that the application knows nothing of; naming one in a question is then an error, never ignored.
    public func without(_ names: String...) -> FunctionManifest {
        var copy = self
        copy.parameters.removeAll { names.contains($0.name) }
        return copy
    }
}

extension FunctionParameter {
    /// The company that is asked; an application that holds one company only leaves it out.
    public static let company = FunctionParameter("company", .company, help: "which company is asked; the application's own where left out")
}
