public import HubModel

/// The answer to ``FunctionManifest/price``.
public struct PriceAnswer: Sendable, Hashable {
    /// For one unit.
    public var unitPrice: Number
    /// For the whole quantity, as the application rounds it.
    public var amount: Number
    public var currency: String
    /// nil where the application has no units.
    public var unit: String?
    /// The price of one unit before anything agreed with the customer; nil where the application does not tell.
    public var listPrice: Number?
    /// nil where the application does not tell.
    public var includesTax: Bool?

    public init(
        unitPrice: Number, amount: Number, currency: String, unit: String? = nil, listPrice: Number? = nil, includesTax: Bool? = nil
    ) {
        self.unitPrice = unitPrice
        self.amount = amount
        self.currency = currency
        self.unit = unit
        self.listPrice = listPrice
        self.includesTax = includesTax
    }

    static let results = [
        FunctionResult("unitPrice", help: "for one unit"),
        FunctionResult("amount", help: "for the whole quantity, as the application rounds it"),
        FunctionResult("currency", help: "of every amount here"),
        FunctionResult("unit", help: "the unit of unitPrice; null where the application has none"),
        FunctionResult("listPrice", help: "for one unit, before anything agreed with the customer; null where it is not told"),
        FunctionResult("includesTax", help: "true or false; null where it is not told"),
    ]

    public var fields: Fields {
        [
            "unitPrice": .number(unitPrice), "amount": .number(amount), "currency": .string(currency), "unit": .orNull(unit),
            "listPrice": .orNull(listPrice), "includesTax": includesTax.map(Value.bool) ?? .null,
        ]
    }
}

/// The answer to ``FunctionManifest/stock``.
public struct StockAnswer: Sendable, Hashable {
    /// What lies there now.
    public var onHand: Number
    /// What is left of it when everything that is promised already has gone; nil where the application does not tell.
    public var free: Number?
    /// nil where the application has no units.
    public var unit: String?
    /// The first day, not before the day asked for, on which the whole quantity can be there; nil where the application cannot
    /// promise one, or no quantity was asked for.
    public var promiseDate: String?

    public init(onHand: Number, free: Number? = nil, unit: String? = nil, promiseDate: String? = nil) {
        self.onHand = onHand
        self.free = free
        self.unit = unit
        self.promiseDate = promiseDate
    }

    static let results = [
        FunctionResult("onHand", help: "what lies there now"),
        FunctionResult("free", help: "what is left when everything promised already has gone; null where it is not told"),
        FunctionResult("unit", help: "of every quantity here; null where the application has none"),
        FunctionResult("promiseDate", help: "the first day on which the whole quantity can be there; null where none can be promised"),
    ]

    public var fields: Fields {
        ["onHand": .number(onHand), "free": .orNull(free), "unit": .orNull(unit), "promiseDate": .orNull(promiseDate)]
    }
}

/// The answer to ``FunctionManifest/credit``.
public struct CreditAnswer: Sendable, Hashable {
    /// nil where there is no limit.
    public var limit: Number?
    /// Ordered and not invoiced yet.
    public var openOrders: Number
    /// Invoiced and not paid yet, overdue included.
    public var unpaid: Number
    /// What of `unpaid` is past its due date; nil where the application does not tell.
    public var overdue: Number?
    public var currency: String?
    /// The payment terms, by the application's code; nil where none are agreed.
    public var terms: String?
    /// Why the customer is on hold, in the application's words; nil where they are not.
    public var hold: String?
    /// Whether an order for the amount would be taken now, by the application's own rule.
    public var isAccepted: Bool
    /// What speaks against it, in the application's words; nil where nothing does.
    public var reason: String?

    public init(
        limit: Number?, openOrders: Number, unpaid: Number, overdue: Number? = nil, currency: String? = nil, terms: String? = nil,
        hold: String? = nil, isAccepted: Bool, reason: String? = nil
    ) {
        self.limit = limit
        self.openOrders = openOrders
        self.unpaid = unpaid
        self.overdue = overdue
        self.currency = currency
        self.terms = terms
        self.hold = hold
        self.isAccepted = isAccepted
        self.reason = reason
    }

    static let results = [
        FunctionResult("limit", help: "null where there is none"),
        FunctionResult("openOrders", help: "ordered and not invoiced yet"),
        FunctionResult("unpaid", help: "invoiced and not paid yet, overdue included"),
        FunctionResult("overdue", help: "what of unpaid is past its due date; null where it is not told"),
        FunctionResult("currency", help: "of every amount here; null where the application has one only and names it nowhere"),
        FunctionResult("terms", help: "the payment terms, by the application's code; null where none are agreed"),
        FunctionResult("hold", help: "why the customer is on hold; null where they are not"),
        FunctionResult("verdict", help: "accept or refuse: whether an order for the amount would be taken now"),
        FunctionResult("reason", help: "what speaks against it; null where nothing does"),
    ]

    public var fields: Fields {
        [
            "limit": .orNull(limit), "openOrders": .number(openOrders), "unpaid": .number(unpaid), "overdue": .orNull(overdue),
            "currency": .orNull(currency), "terms": .orNull(terms), "hold": .orNull(hold),
            "verdict": isAccepted ? "accept" : "refuse", "reason": .orNull(reason),
        ]
    }
}

/// The answer to ``FunctionManifest/validate``.
public struct ValidateAnswer: Sendable, Hashable {
    /// Every rule that the order breaks, not only the first; empty where it would be taken.
    public var violations: [Rejection]

    public init(violations: [Rejection]) { self.violations = violations }

    static let results = [
        FunctionResult("valid", help: "true where the order would be taken as it is"),
        FunctionResult("violations", help: "everything that is wrong: rule, field (null where it is the whole order), text"),
    ]

    public var fields: Fields {
        [
            "valid": .bool(violations.isEmpty),
            "violations": .array(
                violations.map { ["rule": .string($0.rule), "field": .orNull($0.field), "text": .string($0.text)] }),
        ]
    }
}

extension Value {
    fileprivate static func orNull(_ text: String?) -> Value { text.map(Value.string) ?? .null }
    fileprivate static func orNull(_ number: Number?) -> Value { number.map(Value.number) ?? .null }
}
