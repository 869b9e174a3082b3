package import HubModel
package import ReferenceApplication

/// The ERP as people and programs beside the hub use it: the same file, rules and feed as the driver's.
///
/// Every step is one transaction; it throws ``ReferenceApplication/Refused`` where a rule forbids it.
package struct ERPApplication: Sendable {
    package let file: ApplicationFile

    /// Opens the ERP's file, and makes it where it is not there yet.
    package init(path: String, now: (@Sendable () -> Instant)? = nil) throws {
        file = try ApplicationFile(path: path, rules: ERPRules(), now: now)
    }

    package init(file: ApplicationFile) { self.file = file }

    // MARK: Documents

    package func createPartner(_ fields: Fields) async throws -> NativeKey { try await create("partner", fields) }
    package func createArticle(_ fields: Fields) async throws -> NativeKey { try await create("article", fields) }
    package func createOrder(_ fields: Fields) async throws -> NativeKey { try await create("sales_order", fields) }
    package func editPartner(_ key: NativeKey, _ changes: Fields) async throws { try await edit("partner", key, changes) }
    package func editArticle(_ key: NativeKey, _ changes: Fields) async throws { try await edit("article", key, changes) }
    package func editOrder(_ key: NativeKey, _ changes: Fields) async throws { try await edit("sales_order", key, changes) }
    package func deletePartner(_ key: NativeKey) async throws { try await delete("partner", key) }

    package func setHold(_ partner: NativeKey, _ isOnHold: Bool) async throws {
        try await editPartner(partner, ["on_hold": .bool(isOnHold)])
    }

    package func changePrice(_ article: NativeKey, _ price: Number) async throws {
        try await editArticle(article, ["price": .number(price)])
    }

    package func create(_ native: String, _ fields: Fields) async throws -> NativeKey {
        try await file.perform { try $0.create(native, fields, by: .staff).key }
    }

    /// Null members clear.
    package func edit(_ native: String, _ key: NativeKey, _ changes: Fields) async throws {
        try await file.perform { work in _ = try work.update(try work.existing(native, key), changes, by: .staff) }
    }

    package func delete(_ native: String, _ key: NativeKey) async throws {
        try await file.perform { work in _ = try work.remove(try work.existing(native, key), by: .staff) }
    }

    // MARK: The way of an order

    package func confirm(_ order: NativeKey) async throws { try await move(order, to: "confirmed") }
    package func cancel(_ order: NativeKey) async throws { try await move(order, to: "cancelled") }

    private func move(_ order: NativeKey, to status: String) async throws {
        try await file.perform { work in
            _ = try work.update(try standing(order, before: [status], work), ["status": .string(status)], by: .workflow)
        }
    }

    /// Ships quantities by line number, or, with nil, all that is left; takes them from stock.
    package func ship(_ order: NativeKey, _ quantities: [String: Number]? = nil) async throws {
        try await file.perform { work in
            let document = try standing(order, before: ["shipped"], work)
            var lines = try OrderLine.lines(document.fields["lines"] ?? .null, lineNames)
            if let unknown = quantities?.keys.first(where: { id in !lines.contains { $0.id == id } }) {
                throw Refused("invalid-field", "lines", "The order has no line \(unknown).")
            }
            for index in lines.indices {
                let left = lines[index].quantity - lines[index].shipped
                let now = quantities.map { $0[lines[index].id]?.coefficient(atScale: 3) ?? 0 } ?? left
                guard (0...left).contains(now) else {
                    throw Refused("invalid-field", "lines", "Of line \(lines[index].id) only \(Number(left, scale: 3)) are left to ship.")
                }
                if now == 0 { continue }
                lines[index].shipped += now
                let article = try work.existing("article", lines[index].subject)
                let stock = (article.fields["stock"]?.units(scale: 3) ?? 0) - now
                guard stock >= 0 else { throw Refused("insufficient-stock", "lines", "Line \(lines[index].id) is not in stock.") }
                _ = try work.update(article, ["stock": .decimal(stock, scale: 3)], by: .workflow)
            }
            let isDone = lines.allSatisfy { $0.shipped == $0.quantity }
            let nothing = lines.allSatisfy { $0.shipped == 0 }
            if nothing { throw Refused("invalid-field", "lines", "There is nothing to ship.") }
            let changes: Fields = [
                "lines": .array(lines.map { $0.value(lineNames, withShipped: true) }), "status": isDone ? "shipped" : "partly_shipped",
            ]
            _ = try work.update(document, changes, by: .workflow)
        }
    }

    /// Posts the invoice of a shipped order, due as its payment terms say.
    package func invoice(_ order: NativeKey) async throws -> NativeKey {
        try await file.perform { work in
            let document = try standing(order, before: ["invoiced"], work)
            let terms = try document.fields["payment_terms"]?.text.flatMap { try work.days(of: $0, in: "payment-terms") } ?? 0
            let today = CalendarDate(work.now)
            let total = document.fields["total"] ?? .null
            let invoice = try work.create(
                "invoice",
                [
                    "number": .string(try work.nextNumber("INV")), "order": .string(order.rawValue), "date": .string(today.description),
                    "due_date": .string(CalendarDate(day: today.day + terms).description),
                    "lines": .array(
                        try OrderLine.lines(document.fields["lines"] ?? .null, lineNames).map { $0.value(lineNames) }),
                    "total": total, "paid": .decimal(0, scale: 2), "status": "posted",
                ], by: .workflow)
            _ = try work.update(document, ["invoiced": total, "status": "invoiced"], by: .workflow)
            return invoice.key
        }
    }

    /// Takes a payment; nil: all that is due.
    package func pay(_ invoice: NativeKey, _ amount: Number? = nil) async throws {
        try await file.perform { work in
            let document = try work.existing("invoice", invoice)
            let total = document.fields["total"]?.units(scale: 2) ?? 0
            let paid = document.fields["paid"]?.units(scale: 2) ?? 0
            guard let cents = amount.map({ $0.coefficient(atScale: 2, .exact) }) ?? total - paid, cents > 0, cents <= total - paid else {
                throw Refused("invalid-field", "paid", "Due are \(Number(total - paid, scale: 2)).")
            }
            let isPaid = paid + cents == total
            _ = try work.update(
                document, ["paid": .decimal(paid + cents, scale: 2), "status": isPaid ? "paid" : "posted"], by: .workflow)
            guard isPaid, let order = document.fields["order"]?.keyText else { return }
            _ = try work.update(try work.existing("sales_order", NativeKey(order)), ["status": "paid"], by: .workflow)
        }
    }

    /// The order, where it may go to one of these states.
    private func standing(_ order: NativeKey, before states: [String], _ work: Work) throws -> StoredDocument {
        let document = try work.existing("sales_order", order)
        let status = document.fields["status"]?.text ?? ""
        guard states.allSatisfy({ ERPRules.transitions[status]?.contains($0) == true }) else {
            throw Refused("illegal-transition", "status", "An order that is \(status) cannot be made \(states.joined(separator: ", ")).")
        }
        return document
    }

    // MARK: Settings

    /// Closes the books: no order and no invoice up to that day; nil opens them.
    package func closePeriod(until date: String?) async throws {
        try await file.perform { try $0.set("closed-until", date) }
    }

    /// Adds a code to `payment-terms` (with its days), `sales-person` or `shipping-method`.
    package func addCode(_ code: String, to list: String, days: Int = 0) async throws {
        try await file.perform { try $0.addCode(code, to: list, days: days) }
    }

    package func removeCode(_ code: String, from list: String) async throws {
        try await file.perform { try $0.removeCode(code, from: list) }
    }
}
