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
        try admitStatus(status, draft)
        if draft.before == nil { draft["number"] = .string(try work.nextNumber("SO")) }

        guard let partner = try draft["partner"].keyText.flatMap({ try work.document("partner", NativeKey($0)) }) else {
            throw Refused("unknown-customer", "partner", "There is no customer \(draft["partner"].keyText ?? "").")
        }
        if draft.changes("order_date") { try admitDate(draft["order_date"], "order_date", work) }

        let old = try draft.before.map { try OrderLine.lines($0["lines"] ?? .null, lineNames) } ?? []
        var lines = try OrderLine.lines(draft["lines"], lineNames)
        var total: Int64 = 0
        var needed: [Int64: Int64] = [:]
        var stock: [Int64: (milli: Int64, code: String)] = [:]
        for index in lines.indices {
            let before = old.first { $0.id == lines[index].id }
            guard let article = try work.document("article", lines[index].subject) else {
                throw Refused("unknown-product", "lines", "There is no product \(lines[index].subject).")
            }
            if article.fields["saleable"] != true, before?.subject != lines[index].subject {
                throw Refused("product-not-saleable", "lines", "Product \(code(article)) is not for sale.")
            }
            // What has been shipped is the ERP's own to say.
            if draft.actor != .workflow { lines[index].shipped = before?.shipped ?? 0 }
            guard lines[index].quantity >= lines[index].shipped else {
                throw Refused("illegal-transition", "lines", "Line \(lines[index].id) has been shipped already.")
            }
            lines[index].price = lines[index].price ?? article.fields["price"]?.units(scale: 4) ?? 0
            total += try lines[index].cents()
            needed[article.id, default: 0] += lines[index].quantity - lines[index].shipped
            stock[article.id] = (article.fields["stock"]?.units(scale: 3) ?? 0, code(article))
        }
        guard total < 1_000_000_000_000_000 else { throw Refused("invalid-field", "lines", "The order is worth too much.") }
        draft["lines"] = .array(lines.map { $0.value(lineNames, withShipped: true) })
        draft["total"] = .decimal(total, scale: 2)
        if draft["invoiced"].isNull { draft["invoiced"] = .decimal(0, scale: 2) }

        let isOpen = ["draft", "confirmed", "partly_shipped"].contains(status)
        let open = status == "cancelled" ? 0 : total - (draft["invoiced"].units(scale: 2) ?? 0)
        let isConfirmed = status == "confirmed" && draft.changes("status")
        if isOpen, draft.actor != .workflow || isConfirmed, draft.changes("partner") || draft.changes("lines") || isConfirmed {
            try admitCustomer(partner, taking: open, by: draft, work)
            for (article, amount) in needed.sorted(by: { $0.key < $1.key }) {
                let reserved = try work.used(.stock, of: article, except: draft.id)
                guard let (milli, code) = stock[article], amount + reserved > milli else { continue }
                let left = Number(max(0, milli - reserved), scale: 3)
                throw Refused("insufficient-stock", "lines", "Of product \(code) only \(left) are free.")
            }
        }
        draft.uses = [Use(of: partner.id), Use(.credit, of: partner.id, amount: open)]
        for (article, amount) in needed { draft.uses.append(Use(.stock, of: article, amount: isOpen ? amount : 0)) }
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

    private func admitCustomer(_ partner: StoredDocument, taking amount: Int64, by draft: Draft, _ work: Work) throws {
        if partner.fields["on_hold"] == true {
            throw Refused("customer-on-hold", "partner", "Customer \(code(partner)) is on hold.")
        }
        let limit = partner.fields["credit_limit"]?.units(scale: 2) ?? 0
        let taken = try work.used(.credit, of: partner.id, except: draft.id)
        guard limit > 0, taken + amount > limit else { return }
        let text = "\(Number(amount, scale: 2)) on top of \(Number(taken, scale: 2))"
        throw Refused("credit-limit", "partner", "\(text) would exceed the credit limit of \(Number(limit, scale: 2)).")
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

    private func code(_ document: StoredDocument) -> String { document.fields["code"]?.text ?? document.key.rawValue }
}

extension OrderLine {
    /// The line as ordered, without what has been shipped.
    var ordered: OrderLine {
        var line = self
        line.shipped = 0
        return line
    }
}
