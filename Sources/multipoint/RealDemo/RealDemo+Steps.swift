import HubModel
import HubStore

extension RealDemo {
    private static let limit = Number(5000)
    private static let terms = (tryton: "30 days", odoo: "30 Days")
    private static let (firstPrice, secondPrice) = (Number(1250, scale: 2), Number(1375, scale: 2))
    private static let (ordered, shippedFirst) = (Int64(10), Int64(4))
    private static let stock = Int64(5000)

    // MARK: 1

    mutating func makeCompany() async throws {
        let name = "Nordmetall \(run)"
        let email = "office@nordmetall-\(run).example"
        let partner = try await odoo.newCompany(
            name, ["street": "12 quai Nord", "zip": "69001", "city": "Lyon", "email": .string(email), "phone": "+33 4 72 00 00 01"])
        note("Odoo: company \(partner) made: \(name), 12 quai Nord, 69001 Lyon")
        let tryton = tryton
        let party = try await wait(for: "party \(name) in Tryton") {
            let found = try await tryton.find("party.party", [["name", "=", .string(name)]], ["code"]).first
            return (found, "no such party")
        }
        guard let id = party["id"]?.integer, let code = party["code"] else { throw PersonFailure("the party has no code") }
        let address = try await tryton.find(
            "party.address", [["party", "=", .number(Number(id))]], ["street", "postal_code", "city"]
        ).first
        let found = try await tryton.contact(id, "email")
        guard address?["street"] == "12 quai Nord", address?["postal_code"] == "69001", address?["city"] == "Lyon",
            found?["value"] == .string(email)
        else { throw PersonFailure("party \(id) has another address: \(address.map(Self.text) ?? "none")") }
        note("Tryton: party \(id) is there, number \(code.text ?? ""), same address and e-mail")
        company = Company(name: name, partner: partner, party: id)
        try await self.odoo("res.partner", partner, shows: ["ref": code])
        note("Odoo: company \(partner) shows Tryton's number \(code.text ?? "")")
        try await tryton.grant(id, limit: Self.limit, terms: Self.terms.tryton)
        note("Tryton: credit limit \(Self.limit) and terms “\(Self.terms.tryton)” given")
        try await self.odoo("res.partner", partner, shows: ["credit_limit": .number(Self.limit)])
        let term = try await odoo.find("account.payment.term", ["name": .string(Self.terms.odoo)], ["id"]).first?["id"] ?? .null
        try await self.odoo("res.partner", partner, shows: ["property_payment_term_id": term])
        note("Odoo: both are there")
    }

    // MARK: 2

    mutating func changePrice() async throws {
        let code = "VALVE-\(run)".uppercased()
        let made = try await tryton.newProduct(code, "Valve \(run)", price: Self.firstPrice, stock: Self.stock)
        note("Tryton: product \(made.product) made: \(code) at \(Self.firstPrice) EUR, \(Self.stock) in stock")
        let odoo = odoo
        let variant = try await wait(for: "product \(code) in Odoo") {
            let found = try await odoo.find("product.product", ["default_code": .string(code)], ["list_price"]).first
            let isPriced = found?["list_price"] == .number(Self.firstPrice)
            return (isPriced ? found?["id"]?.integer : nil, found.map(Self.text) ?? "no such product")
        }
        note("Odoo: product \(variant) is there at \(Self.firstPrice)")
        try await tryton.edit("product.template", made.template, ["list_price": TrytonPerson.decimal(Self.secondPrice)])
        note("Tryton: price changed to \(Self.secondPrice)")
        try await self.odoo("product.product", variant, shows: ["list_price": .number(Self.secondPrice)])
        note("Odoo: product \(variant) costs \(Self.secondPrice)")
        product = Product(template: made.template, variant: variant, price: Self.secondPrice)
    }

    // MARK: 3

    mutating func sell() async throws {
        let (company, product) = try given()
        let reference = "PO-\(run)"
        let order = try await odoo.newQuotation(company.partner, product.variant, quantity: Self.ordered, reference: reference)
        note("Odoo: quotation \(order) of \(Self.ordered) pieces for \(company.name)")
        guard try await sales(reference).isEmpty else { throw PersonFailure("Tryton has the quotation already") }
        try await odoo.accept(order)
        note("Odoo: the quotation is accepted")
        let sale = try await wait(for: "sale \(reference) in process in Tryton") {
            let found = try await sales(reference)
            guard found.count < 2 else { throw PersonFailure("Tryton has \(found.count) sales \(reference)") }
            return (found.first?["state"] == "processing" ? found.first : nil, found.first.map(Self.text) ?? "no such sale")
        }
        guard let id = sale["id"]?.integer, let number = sale["number"] else { throw PersonFailure("the sale has no number") }
        note("Tryton: sale \(id) is processed, number \(number.text ?? ""), \(Self.text(sale.filter { $0.name == "untaxed_amount" }))")
        try await self.odoo(
            "sale.order", order, shows: ["x_hub_number": number, "x_hub_status": "processing", "x_hub_shipping": "waiting"])
        note("Odoo: order \(order) shows number \(number.text ?? "") and status processing")
        try await fulfil(sale: id, order: order)
    }

    private func fulfil(sale: Int64, order: Int64) async throws {
        let first = try await tryton.ship(sale, only: Self.shippedFirst)
        note("Tryton: shipment \(first) of \(Self.shippedFirst) pieces is done")
        try await odoo("sale.order", order, shows: ["x_hub_shipping": "partially shipped"])
        note("Odoo: order \(order) is partially shipped")
        let second = try await tryton.ship(sale)
        note("Tryton: shipment \(second) of the other \(Self.ordered - Self.shippedFirst) is done")
        try await odoo("sale.order", order, shows: ["x_hub_shipping": "sent"])
        note("Odoo: order \(order) is sent")
        let invoice = try await tryton.invoice(sale)
        note("Tryton: invoice \(invoice.number) of \(invoice.total) EUR is posted")
        try await odoo("sale.order", order, shows: ["x_hub_invoiced": .number(invoice.total), "x_hub_payment": "awaiting payment"])
        note("Odoo: order \(order) shows \(invoice.total) invoiced, awaiting payment")
        try await tryton.pay(invoice.id)
        note("Tryton: invoice \(invoice.number) is paid")
        try await odoo("sale.order", order, shows: ["x_hub_payment": "paid", "x_hub_status": "done"])
        note("Odoo: order \(order) is paid and done")
    }

    // MARK: 4

    mutating func exceedCredit() async throws {
        let (company, product) = try given()
        let reference = "PO-\(run)-LARGE"
        let quantity = Int64(1000)
        let order = try await odoo.newQuotation(company.partner, product.variant, quantity: quantity, reference: reference)
        try await odoo.accept(order)
        note("Odoo: order \(order) of \(quantity) pieces accepted, far over the limit of \(Self.limit)")
        try await self.odoo("sale.order", order, shows: ["x_hub_status": "refused"])
        let reason = try await odoo.read("sale.order", order, ["x_hub_refusal"])["x_hub_refusal"]?.text ?? ""
        guard reason.contains("credit limit") else { throw PersonFailure("order \(order) is refused for another reason: \(reason)") }
        note("Odoo: order \(order) is refused: \(reason)")
        let odoo = odoo
        _ = try await wait(for: "word of it in the thread of order \(order)") {
            let thread = try await odoo.thread(order)
            return (thread.first { $0.contains("credit limit") }, "\(thread.count) messages")
        }
        note("Odoo: the reason stands in the order's message thread")
        guard try await sales(reference).isEmpty else { throw PersonFailure("Tryton kept the refused sale") }
        note("Tryton: nothing of it is left")
    }

    // MARK: 5

    mutating func editOnBothSides() async throws {
        let (company, _) = try given()
        let (odoo, tryton) = (odoo, tryton)
        let (phoneThere, phoneHere) = ("+33 4 72 00 00 22", "+33 4 72 00 00 33")
        let (limitThere, limitHere) = (Number(9999), Number(7000))
        guard let mechanism = try await tryton.contact(company.party, "phone")?["id"]?.integer else {
            throw PersonFailure("party \(company.party) has no phone in Tryton")
        }
        async let inOdoo: Void = odoo.edit(
            "res.partner", company.partner, ["phone": .string(phoneThere), "credit_limit": .number(limitThere)])
        async let inTryton: Void = tryton.edit(
            "party.party", company.party,
            [
                "credit_limit_amount": TrytonPerson.decimal(limitHere),
                "contact_mechanisms": [["write", [.number(Number(mechanism))], ["value": .string(phoneHere)]]],
            ])
        _ = try await (inOdoo, inTryton)
        note("Odoo: phone \(phoneThere), credit limit \(limitThere); Tryton: phone \(phoneHere), credit limit \(limitHere)")
        // The phone is Odoo's, the limit Tryton's.
        try await self.odoo("res.partner", company.partner, shows: ["phone": .string(phoneThere), "credit_limit": .number(limitHere)])
        try await wait(for: "party \(company.party) with Odoo's phone in Tryton") {
            let phone = try await tryton.contact(company.party, "phone")?["value"]
            let limit = try await tryton.read("party.party", company.party, ["credit_limit_amount"])["credit_limit_amount"]
            return (phone == .string(phoneThere) && limit == .number(limitHere) ? () : nil, "\(phone?.text ?? "none")")
        }
        note("both: phone \(phoneThere) (Odoo owns it), credit limit \(limitHere) (Tryton owns it)")
        let lost = try await wait(for: "conflicts of both fields on record") {
            let conflicts = try await summary().conflicts
            let phone = conflicts.last { $0.field == "phone" && $0.application == "tryton" && $0.refused == .string(phoneHere) }
            let limit = conflicts.last { $0.field == "creditLimit" && $0.application == "odoo" && $0.refused == .number(limitThere) }
            return (phone.flatMap { phone in limit.map { [phone, $0] } }, "\(conflicts.count) conflicts")
        }
        for conflict in lost {
            note("on record: \(conflict.application)'s \(conflict.field) \(conflict.refused.shown) lost (\(conflict.rule))")
        }
    }

    // MARK: What steps share

    private func given() throws -> (Company, Product) {
        guard let company, let product else { throw PersonFailure("the steps before it have not made what this one needs") }
        return (company, product)
    }

    private func sales(_ reference: String) async throws -> [Fields] {
        try await tryton.find("sale.sale", [["reference", "=", .string(reference)]], ["number", "state", "untaxed_amount"])
    }
}
