import HubDriver
import HubModel

/// The lines of a delivered order.
struct OrderLines: Sendable {
    struct Line: Sendable {
        /// The hub's name of the line, or `sale.line,7` for one that was made in Tryton; nil where it has none.
        var key: String?
        var product: Int64
        var quantity: Value
        /// Nil: the price that Tryton reckons.
        var price: Value?
        var description: Value?
    }

    var lines: [Line]

    init(_ value: Value) throws(TrytonFailure) {
        guard let elements = value.array, elements.count <= 10_000 else {
            throw .refused(Rejection(rule: "invalid-value", field: "lines", text: "lines is a list of at most 10,000 elements."))
        }
        lines = []
        var keys: Set<String> = []
        for element in elements {
            guard let fields = element.object else {
                throw .refused(Rejection(rule: "invalid-value", field: "lines", text: "A line has members of its own."))
            }
            let known: Set<String> = ["id", "key", "product", "quantity", "unit_price", "description", "unit", "amount"]
            if let name = fields.names.first(where: { !known.contains($0) }) {
                throw .refused(Rejection(rule: "unknown-field", field: "lines.\(name)", text: "A line has no \(name)."))
            }
            let key = fields["key"]?.keyText
            if let key, !keys.insert(key).inserted {
                throw .refused(Rejection(rule: "invalid-value", field: "lines.key", text: "Two lines are called \(key)."))
            }
            let price = fields["unit_price"].flatMap { $0.isNull ? nil : $0 }
            lines.append(
                Line(
                    key: key, product: try Given.key(fields["product"] ?? .null, "lines.product", rule: "unknown-product"),
                    quantity: try Given.number(fields["quantity"] ?? .null, "lines.quantity"),
                    price: try price.map { value throws(TrytonFailure) in try Given.decimal(value, "lines.unit_price") },
                    description: fields["description"]))
        }
    }

    /// True where what is delivered says nothing new of the lines that are there.
    static func isSame(_ given: Value, _ held: Value) throws(TrytonFailure) -> Bool {
        let lines = try OrderLines(given).lines
        let rows = (held.array ?? []).compactMap(\.object)
        return lines.count == rows.count && zip(lines, rows).allSatisfy { line, row in line.key == row["key"]?.text && line.isSame(row) }
    }
}

extension OrderLines.Line {
    /// True where a line as it was told says the same.
    func isSame(_ row: Fields) -> Bool {
        row["product"]?.integer == product && row["quantity"] == quantity
            && (price.map { Wire.decoded($0) == row["unit_price"] } ?? true)
            && (description.map { $0 == (row["description"] ?? .null) } ?? true)
    }
}
