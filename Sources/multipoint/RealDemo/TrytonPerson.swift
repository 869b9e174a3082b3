import Foundation
import HTTPApplication
import HubDriver
import HubModel

/// Someone in the back office, at work in Tryton 8.0.
struct TrytonPerson: Sendable {
    private let line: PersonLine
    private let session: HTTPCall.Header
    private let company: Value

    /// Logs in.
    init(_ settings: DriverSettings) async throws {
        let (user, password) = (try settings.given("user"), try settings.given("password"))
        line = try PersonLine("Tryton", url: settings.given("url"))
        let answer = try await Self.ask(line, "common.db.login", [.string(user), ["password": .string(password)]], [])
        guard let parts = answer.array, parts.count > 1, let number = parts[0].integer, let key = parts[1].text else {
            throw PersonFailure("Tryton opens no session for \(user)")
        }
        session = HTTPCall.Header("Authorization", "Session " + Data("\(user):\(number):\(key)".utf8).base64EncodedString())
        company = .number(Number(settings.companies.values.first ?? "1") ?? 1)
    }

    func close() async {
        _ = try? await Self.ask(line, "common.db.logout", [], [session])
        await line.close()
    }

    private static func ask(
        _ line: PersonLine, _ method: String, _ parameters: [Value], _ headers: [HTTPCall.Header]
    ) async throws -> Value {
        let (_, answer) = try await line.post("/rpc/", ["id": 1, "method": .string(method), "params": .array(parameters)], headers)
        if let error = answer["error"]?.array {
            let words = error.compactMap { $0.text ?? $0.array?.first?.text }
            throw PersonFailure("Tryton refuses \(method): " + words.joined(separator: ": "))
        }
        guard let result = answer["result"] else { throw PersonFailure("Tryton does not answer \(method)") }
        return result
    }

    /// Calls a method; the context is its last parameter.
    @discardableResult
    func call(_ method: String, _ parameters: [Value], context: Fields = [:]) async throws -> Value {
        let whole = Fields([("company", company)]).overlaid(with: context)
        return try await Self.ask(line, method, parameters + [.object(whole)], [session])
    }

    /// Fields of the records that a domain selects, newest first; decimals as numbers.
    func find(_ model: String, _ domain: [Value], _ fields: [String]) async throws -> [Fields] {
        let names = Value.array(fields.map { .string($0) })
        let found = try await call("model.\(model).search_read", [.array(domain), 0, 100, [["id", "DESC"]], names])
        return (found.array ?? []).compactMap { row in
            row.object.map { Fields($0.map { ($0.name, Self.plain($0.value)) }) }
        }
    }

    func read(_ model: String, _ id: Int64, _ fields: [String]) async throws -> Fields {
        guard let found = try await find(model, [["id", "=", .number(Number(id))]], fields).first else {
            throw PersonFailure("Tryton has no \(model) \(id)")
        }
        return found
    }

    private func key(_ model: String, _ domain: [Value]) async throws -> Value {
        guard let key = try await find(model, domain, ["id"]).first?["id"] else {
            throw PersonFailure("Tryton has no \(model) with \(JSONText.text(.array(domain)))")
        }
        return key
    }

    func edit(_ model: String, _ id: Int64, _ fields: Fields) async throws {
        try await call("model.\(model).write", [[.number(Number(id))], .object(fields)])
    }

    private func create(_ model: String, _ fields: Fields) async throws -> Int64 {
        guard let id = try await call("model.\(model).create", [[.object(fields)]]).array?.first?.integer else {
            throw PersonFailure("Tryton made no \(model)")
        }
        return id
    }

    /// Presses a button.
    private func press(_ model: String, _ buttons: [String], _ id: Int64) async throws {
        for button in buttons { try await call("model.\(model).\(button)", [[.number(Number(id))]]) }
    }

    static func decimal(_ number: Number) -> Value { ["__class__": "Decimal", "decimal": .string(number.description)] }

    private static func plain(_ value: Value) -> Value {
        value["__class__"] == "Decimal" ? value["decimal"]?.text.flatMap { Number($0) }.map { .number($0) } ?? .null : value
    }

    // MARK: What an administrator sets up

    func needCountry(_ code: String, _ name: String) async throws {
        if try await !find("country.country", [["code", "=", .string(code)]], ["id"]).isEmpty { return }
        _ = try await create("country.country", ["code": .string(code), "name": .string(name)])
    }

    func needTerms(_ name: String, days: Int64) async throws {
        if try await !find("account.invoice.payment_term", [["name", "=", .string(name)]], ["id"]).isEmpty { return }
        let line: Value = ["type": "remainder", "relativedeltas": [["create", [["days": .number(Number(days))]]]]]
        _ = try await create("account.invoice.payment_term", ["name": .string(name), "lines": [["create", [line]]]])
    }

    /// The newest generation of ids that a hub has left here; 0 where there has been none.
    func lastGeneration() async throws -> Int {
        let marks = try await find("party.identifier", [["code", "like", "multipoint:%"]], ["code"])
        return marks.compactMap { CanonicalGeneration.of($0["code"]?.text ?? "") }.max() ?? 0
    }

    // MARK: Acts

    /// A new article that can be sold and invoiced, so many of them in stock.
    func newProduct(_ code: String, _ name: String, price: Number, stock: Int64) async throws -> (product: Int64, template: Int64) {
        let unit = try await key("product.uom", [["name", "=", "Unit"]])
        let category = try await key("product.category", [["accounting", "=", true]])
        let template = try await create(
            "product.template",
            [
                "name": .string(name), "type": "goods", "salable": true, "default_uom": unit, "sale_uom": unit,
                "list_price": Self.decimal(price), "account_category": category,
                "products": [["create", [["suffix_code": .string(code)]]]],
            ])
        guard let product = try await find("product.product", [["template", "=", .number(Number(template))]], ["id"]).first?["id"]?.integer
        else { throw PersonFailure("Tryton made a template without a product") }
        let count: Value = ["product": .number(Number(product)), "quantity": .number(Number(stock))]
        let store = try await key("stock.location", [["code", "=", "STO"]])
        let inventory = try await create("stock.inventory", ["location": store, "lines": [["create", [count]]]])
        try await press("stock.inventory", ["confirm"], inventory)
        return (product, template)
    }

    /// Grants a credit limit and terms of payment.
    func grant(_ party: Int64, limit: Number, terms: String) async throws {
        let term = try await key("account.invoice.payment_term", [["name", "=", .string(terms)]])
        try await edit("party.party", party, ["credit_limit_amount": Self.decimal(limit), "customer_payment_term": term])
    }

    /// A customer's number of that kind: `phone` and the like.
    func contact(_ party: Int64, _ kind: String) async throws -> Fields? {
        try await find(
            "party.contact_mechanism", [["party", "=", .number(Number(party))], ["type", "=", .string(kind)]], ["value"]
        ).last
    }

    func newParty(_ name: String) async throws -> Int64 {
        let address: Value = [
            "street": "1 Mill Lane", "postal_code": "69001", "city": "Lyon",
            "country": try await key("country.country", [["code", "=", "FR"]]),
        ]
        return try await create("party.party", ["name": .string(name), "addresses": [["create", [address]]]])
    }

    /// Gives a customer another number of that kind, or a first one.
    func setContact(_ party: Int64, _ kind: String, _ value: String) async throws {
        if let mechanism = try await contact(party, kind)?["id"]?.integer {
            try await edit("party.contact_mechanism", mechanism, ["value": .string(value)])
        } else {
            _ = try await create(
                "party.contact_mechanism", ["party": .number(Number(party)), "type": .string(kind), "value": .string(value)])
        }
    }

    /// Ships a sale's open delivery, or of its one line so many only: Tryton makes another delivery of the rest.
    func ship(_ sale: Int64, only quantity: Int64? = nil) async throws -> String {
        let shipments = try await read("sale.sale", sale, ["shipments"])["shipments"]?.array ?? []
        let open: [Value] = [["id", "in", .array(shipments)], ["state", "in", ["draft", "waiting", "assigned"]]]
        guard let shipment = try await find("stock.shipment.out", open, ["number", "outgoing_moves"]).first,
            let id = shipment["id"]?.integer
        else { throw PersonFailure("Tryton has nothing left to ship of sale \(sale)") }
        if let quantity {
            guard let move = shipment["outgoing_moves"]?.array?.first?.integer else { throw PersonFailure("shipment \(id) is empty") }
            try await press("stock.shipment.out", ["draft"], id)
            try await edit("stock.move", move, ["quantity": .number(Number(quantity))])
            try await press("stock.shipment.out", ["wait"], id)
        }
        try await press("stock.shipment.out", ["assign_try", "pick", "pack", "do"], id)
        return shipment["number"]?.text ?? "\(id)"
    }

    /// Posts the invoice of a sale.
    func invoice(_ sale: Int64) async throws -> (id: Int64, number: String, total: Number) {
        guard let id = try await read("sale.sale", sale, ["invoices"])["invoices"]?.array?.first?.integer else {
            throw PersonFailure("Tryton has no invoice of sale \(sale)")
        }
        try await press("account.invoice", ["post"], id)
        let posted = try await read("account.invoice", id, ["number", "total_amount", "state"])
        guard posted["state"] == "posted", let total = posted["total_amount"]?.number else {
            throw PersonFailure("Tryton did not post invoice \(id)")
        }
        return (id, posted["number"]?.text ?? "", total)
    }

    /// Pays an invoice in full, through the wizard that does so in Tryton's client.
    func pay(_ invoice: Int64) async throws {
        let number = Value.number(Number(invoice))
        let context: Fields = ["active_model": "account.invoice", "active_id": number, "active_ids": [number]]
        let wizard = try await call("wizard.account.invoice.pay.create", [])
        guard let parts = wizard.array, parts.count == 3, let begin = parts[1].text else { throw PersonFailure("no wizard to pay with") }
        let asked = try await call("wizard.account.invoice.pay.execute", [parts[0], [:], parts[1]], context: context)
        // What the client would send back: the form's defaults, without the names that are only shown.
        var form = (asked["view"]?["defaults"]?.object ?? [:]).filter { !$0.name.hasSuffix(".") }
        form["payment_method"] = try await key("account.invoice.payment.method", [])
        try await call("wizard.account.invoice.pay.execute", [parts[0], .object([begin: .object(form)]), "choice"], context: context)
        try await call("wizard.account.invoice.pay.delete", [parts[0]])
        let state = try await read("account.invoice", invoice, ["state"])["state"]
        guard state == "paid" else { throw PersonFailure("Tryton's invoice \(invoice) is not paid, but \(state?.text ?? "gone")") }
    }
}
