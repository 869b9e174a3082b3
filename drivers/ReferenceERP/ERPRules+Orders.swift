import HubModel
import ReferenceApplication

/// The names of a line's members.
let lineNames = OrderLine.Names(id: "line_no", subject: "article")

extension ERPRules {
    /// Gives a new order what the ERP itself sets.
    func completeOrder(_ draft: inout Draft, _ work: Work) throws {
        if draft["status"].isNull { draft["status"] = draft.before?["status"] ?? "draft" }
    }

    /// The rules of a sales order as a whole; sets its prices, total and what it takes of credit and stock.
    func admitOrder(_ draft: inout Draft, _ work: Work) throws {
        let status = draft["status"].text ?? ""
        try draft.gather { try admitStatus(status, $0) }
        if draft.before == nil, !draft.isTrial { draft["number"] = .string(try work.nextNumber("SO")) }

        let partner = try draft["partner"].keyText.flatMap { try work.document("partner", NativeKey($0)) }
        if partner == nil, !draft["partner"].isNull || !draft.isTrial {
            try draft.gather { draft in
                throw Refused("unknown-customer", "partner", "There is no customer \(draft["partner"].keyText ?? "").")
            }
        }
        if draft.changes("order_date") { try draft.gather { try admitDate($0["order_date"], "order_date", work) } }

        let needs = try priceLines(&draft, work)
        let isOpen = ["draft", "confirmed", "partly_shipped"].contains(status)
        let open = status == "cancelled" ? 0 : needs.total - (draft["invoiced"].units(scale: 2) ?? 0)
        let isConfirmed = status == "confirmed" && draft.changes("status")
        if isOpen, draft.actor != .workflow || isConfirmed, draft.changes("partner") || draft.changes("lines") || isConfirmed {
            if let partner { try admitCustomer(partner, taking: open, by: &draft, work) }
            try admitStock(needs, by: &draft, work)
        }
        if let partner { draft.uses = [Use(of: partner.id), Use(.credit, of: partner.id, amount: open)] }
        for (article, amount) in needs.quantities { draft.uses.append(Use(.stock, of: article, amount: isOpen ? amount : 0)) }
    }

    /// What an order takes.
    private struct Needs {
        /// In cents.
        var total: Int64 = 0
        /// By article, in thousandths, what is not shipped yet.
        var quantities: [Int64: Int64] = [:]
        var articles: [Int64: StoredDocument] = [:]
    }

    /// Prices the lines and sums them up.
    private func priceLines(_ draft: inout Draft, _ work: Work) throws -> Needs {
        let old = try draft.before.map { try OrderLine.lines($0["lines"] ?? .null, lineNames) } ?? []
        var lines = try readLines(&draft)
        var needs = Needs()
        for index in lines.indices {
            try draft.gather { draft in
                try price(&lines[index], before: old.first { $0.id == lines[index].id }, by: draft.actor, &needs, work)
            }
        }
        guard needs.total < 1_000_000_000_000_000 else { throw Refused("invalid-field", "lines", "The order is worth too much.") }
        draft["lines"] = .array(lines.map { $0.value(lineNames, withShipped: true) })
        draft["total"] = .decimal(needs.total, scale: 2)
        if draft["invoiced"].isNull { draft["invoiced"] = .decimal(0, scale: 2) }
        return needs
    }

    /// The lines; of a trial those that can be read, when not all can.
    private func readLines(_ draft: inout Draft) throws -> [OrderLine] {
        do {
            return try OrderLine.lines(draft["lines"], lineNames)
        } catch let refused as Refused where draft.isTrial {
            let elements = draft["lines"].array ?? []
            var lines: [OrderLine] = []
            for element in elements { try draft.gather { _ in lines += try OrderLine.lines([element], lineNames) } }
            // Each by itself is sound: it is the lines together that are not.
            if lines.count == elements.count { try draft.gather { _ in throw refused } }
            return lines
        }
    }

    private func price(_ line: inout OrderLine, before: OrderLine?, by actor: Actor, _ needs: inout Needs, _ work: Work) throws {
        guard let article = try work.document("article", line.subject) else {
            throw Refused("unknown-product", "lines", "There is no product \(line.subject).")
        }
        if article.fields["saleable"] != true, before?.subject != line.subject {
            throw Refused("product-not-saleable", "lines", "Product \(code(article)) is not for sale.")
        }
        // What has been shipped is the ERP's own to say.
        if actor != .workflow { line.shipped = before?.shipped ?? 0 }
        guard line.quantity >= line.shipped else {
            throw Refused("illegal-transition", "lines", "Line \(line.id) has been shipped already.")
        }
        line.price = line.price ?? article.fields["price"]?.units(scale: 4) ?? 0
        needs.total += try line.cents()
        needs.quantities[article.id, default: 0] += line.quantity - line.shipped
        needs.articles[article.id] = article
    }

    private func admitStock(_ needs: Needs, by draft: inout Draft, _ work: Work) throws {
        for (article, amount) in needs.quantities.sorted(by: { $0.key < $1.key }) {
            guard let document = needs.articles[article] else { continue }
            let free = try freeStock(of: document, except: draft.id, work)
            guard amount > free else { continue }
            try draft.gather { _ in
                throw Refused(
                    "insufficient-stock", "lines", "Of product \(code(document)) only \(Number(max(0, free), scale: 3)) are free.")
            }
        }
    }

    /// What lies there and no other open order has reserved, in thousandths.
    func freeStock(of article: StoredDocument, except order: Int64?, _ work: Work) throws -> Int64 {
        try (article.fields["stock"]?.units(scale: 3) ?? 0) - work.used(.stock, of: article.id, except: order)
    }

    /// States go along the transitions; after confirmation only the workflow changes an order, but for the customer's reference.
    private func admitStatus(_ status: String, _ draft: Draft) throws {
        guard Self.transitions[status] != nil else { throw Refused("invalid-field", "status", "An order is never \(status).") }
        let isPlain = draft.actor != .workflow
        guard let before = draft.before, let old = before["status"]?.text else {
            if ["draft", "confirmed"].contains(status) { return }
            throw Refused("illegal-transition", "status", "An order cannot begin as \(status).")
        }
        if status != old, Self.transitions[old]?.contains(status) != true || isPlain && !["confirmed", "cancelled"].contains(status) {
            throw Refused("illegal-transition", "status", "An order that is \(old) cannot be made \(status).")
        }
        guard isPlain, !["draft", "confirmed"].contains(old) else { return }
        for (name, _) in draft.fields where !["customer_reference", "status"].contains(name) && draft.changes(name) {
            // The same lines without what the ERP alone tells are no change.
            if name == "lines",
                try OrderLine.lines(draft["lines"], lineNames).map(\.ordered)
                    == OrderLine.lines(before["lines"] ?? .null, lineNames).map(\.ordered)
            {
                continue
            }
            let rule = ["invoiced", "paid"].contains(old) ? "posted-invoice" : "illegal-transition"
            throw Refused(rule, name, "\(name) of an order that is \(old) cannot be changed.")
        }
    }

    private func admitCustomer(_ partner: StoredDocument, taking amount: Int64, by draft: inout Draft, _ work: Work) throws {
        for refused in try objections(to: partner, taking: amount, except: draft.id, work) {
            try draft.gather { _ in throw refused }
        }
    }

    /// What speaks against a customer's buying for so many cents more.
    func objections(to partner: StoredDocument, taking amount: Int64, except order: Int64?, _ work: Work) throws -> [Refused] {
        var objections: [Refused] = []
        if partner.fields["on_hold"] == true {
            objections.append(Refused("customer-on-hold", "partner", "Customer \(code(partner)) is on hold."))
        }
        let limit = partner.fields["credit_limit"]?.units(scale: 2) ?? 0
        let taken = try work.used(.credit, of: partner.id, except: order)
        if limit > 0, taken + amount > limit {
            let text = "\(Number(amount, scale: 2)) on top of \(Number(taken, scale: 2))"
            objections.append(
                Refused("credit-limit", "partner", "\(text) would exceed the credit limit of \(Number(limit, scale: 2))."))
        }
        return objections
    }

    private func admitDate(_ date: Value, _ name: String, _ work: Work) throws {
        guard let closed = try work.setting("closed-until").flatMap({ CalendarDate($0) }), let text = date.text,
            let day = CalendarDate(text), day <= closed
        else { return }
        throw Refused("closed-period", name, "The books are closed up to \(closed).")
    }

    /// An invoice is what the workflow makes it; afterwards only payments change it.
    func admitInvoice(_ draft: inout Draft, _ work: Work) throws {
        if draft.before == nil {
            try admitDate(draft["date"], "date", work)
        } else if let name = draft.fields.names.first(where: { !["paid", "status"].contains($0) && draft.changes($0) }) {
            throw Refused("posted-invoice", name, "\(name) of a posted invoice cannot be changed.")
        }
        guard let order = try draft["order"].keyText.flatMap({ try work.document("sales_order", NativeKey($0)) }),
            let partner = order.fields["partner"]?.keyText.flatMap({ Int64($0) })
        else { throw Refused("missing-field", "order", "An invoice needs its order.") }
        let due = (draft["total"].units(scale: 2) ?? 0) - (draft["paid"].units(scale: 2) ?? 0)
        draft.uses = [Use(of: order.id), Use(.credit, of: partner, amount: due)]
    }

    func code(_ document: StoredDocument) -> String { document.fields["code"]?.text ?? document.key.rawValue }
}

extension OrderLine {
    /// The line as ordered, without what has been shipped.
    var ordered: OrderLine {
        var line = self
        line.shipped = 0
        return line
    }
}
