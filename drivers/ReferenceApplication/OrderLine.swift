package import HubModel

/// One line of an order, deal or invoice: how much of what, at which price.
package struct OrderLine: Sendable, Hashable {
    /// The names under which a type of document keeps its lines' members.
    package struct Names: Sendable {
        package var id: String
        package var subject: String

        package init(id: String, subject: String) {
            self.id = id
            self.subject = subject
        }
    }

    package var id: String
    package var subject: NativeKey
    /// In thousandths.
    package var quantity: Int64
    /// In ten-thousandths of the currency; nil where the list price shall stand.
    package var price: Int64?
    /// In thousandths; only where an application ships.
    package var shipped: Int64 = 0

    package init(id: String, subject: NativeKey, quantity: Int64, price: Int64?, shipped: Int64 = 0) {
        self.id = id
        self.subject = subject
        self.quantity = quantity
        self.price = price
        self.shipped = shipped
    }

    /// The lines of a document; those without an id get the next number.
    package static func lines(_ value: Value, _ names: Names) throws -> [OrderLine] {
        var lines: [OrderLine] = []
        var next = (value.array ?? []).compactMap { $0[names.id]?.keyText.flatMap { Int($0) } }.max() ?? 0
        for element in value.array ?? [] {
            guard let subject = element[names.subject]?.keyText else {
                throw Refused("missing-field", "lines", "A line needs \(names.subject).")
            }
            guard let quantity = element["quantity"]?.units(scale: 3), quantity > 0 else {
                throw Refused("invalid-field", "lines", "A line needs a quantity of at least 0.001.")
            }
            var price: Int64?
            if let given = element["unit_price"], !given.isNull {
                guard let units = given.units(scale: 4), units >= 0 else {
                    throw Refused("invalid-field", "lines", "A unit price is a number from 0 up.")
                }
                price = units
            }
            var id = element[names.id]?.keyText ?? ""
            if id.isEmpty {
                next += 1
                id = String(next)
            }
            guard !lines.contains(where: { $0.id == id }) else { throw Refused("invalid-field", "lines", "Line \(id) is there twice.") }
            let shipped = element["shipped"]?.units(scale: 3) ?? 0
            lines.append(OrderLine(id: id, subject: NativeKey(subject), quantity: quantity, price: price, shipped: shipped))
        }
        return lines
    }

    /// The line as documents hold it.
    package func value(_ names: Names, withShipped: Bool = false) -> Value {
        var fields: Fields = ["quantity": .decimal(quantity, scale: 3), "unit_price": price.map { .decimal($0, scale: 4) } ?? .null]
        fields[names.id] = .string(id)
        fields[names.subject] = .string(subject.rawValue)
        if withShipped { fields["shipped"] = .decimal(shipped, scale: 3) }
        return .object(fields)
    }

    /// Quantity × price in cents, rounded half up.
    package func cents() throws -> Int64 {
        let (product, overflow) = quantity.multipliedReportingOverflow(by: price ?? 0)
        guard !overflow, product < .max - 50_000 else { throw Refused("invalid-field", "lines", "Line \(id) is worth too much.") }
        return (product + 50_000) / 100_000
    }
}
