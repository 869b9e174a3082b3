import HTTPApplication
import HubDriver
import HubModel

/// Someone in sales, at work in Odoo.
struct OdooPerson: Sendable {
    private let line: PersonLine
    private let headers: [HTTPCall.Header]

    init(_ settings: DriverSettings) throws {
        line = try PersonLine("Odoo", url: settings.given("url"))
        var headers = [HTTPCall.Header("Authorization", "bearer \(try settings.given("key"))")]
        if let database = settings.values["database"] { headers.append(HTTPCall.Header("X-Odoo-Database", database)) }
        self.headers = headers
    }

    func close() async { await line.close() }

    /// Calls a method of a model.
    @discardableResult
    func call(_ model: String, _ method: String, _ arguments: Fields) async throws -> Value {
        var arguments = arguments
        arguments["context"] = ["lang": "en_US", "active_test": false]
        let (status, value) = try await line.post("/json/2/\(model)/\(method)", .object(arguments), headers)
        guard (200...299).contains(status) else {
            throw PersonFailure("Odoo refuses \(model).\(method) (\(status)): \(value["message"]?.text ?? "no reason given")")
        }
        return value
    }

    /// Members of the documents in which these members have these values.
    func find(_ model: String, _ values: Fields, _ members: [String]) async throws -> [Fields] {
        let domain = Value.array(values.map { .array([.string($0.name), "=", $0.value]) })
        let names = Value.array(members.map { .string($0) })
        let found = try await call(model, "search_read", ["domain": domain, "fields": names, "load": "", "limit": 100, "order": "id desc"])
        return (found.array ?? []).compactMap(\.object)
    }

    func read(_ model: String, _ id: Int64, _ members: [String]) async throws -> Fields {
        guard let found = try await find(model, ["id": .number(Number(id))], members).first else {
            throw PersonFailure("Odoo has no \(model) \(id)")
        }
        return found
    }

    func create(_ model: String, _ values: Fields) async throws -> Int64 {
        let made = try await call(model, "create", ["vals_list": [.object(values)]])
        guard let id = made.array?.first?.integer else { throw PersonFailure("Odoo made no \(model)") }
        return id
    }

    func edit(_ model: String, _ id: Int64, _ values: Fields) async throws {
        try await call(model, "write", ["ids": [.number(Number(id))], "vals": .object(values)])
    }

    // MARK: Before the hub comes

    /// What an administrator sets up: books in euros, and the members in which orders show what the ERP says beyond the driver's own.
    func setUp() async throws {
        guard let euro = try await find("res.currency", ["name": "EUR"], ["id"]).first?["id"]?.integer else {
            throw PersonFailure("Odoo knows no euro")
        }
        try await edit("res.currency", euro, ["active": true])
        let company = try await find("res.company", ["id": 1], ["currency_id"]).first
        if company?["currency_id"]?.integer != euro { try await edit("res.company", 1, ["currency_id": .number(Number(euro))]) }
        for list in try await find("product.pricelist", [:], ["currency_id"]) where list["currency_id"]?.integer != euro {
            try await edit("product.pricelist", list["id"]?.integer ?? 0, ["currency_id": .number(Number(euro))])
        }
        let model = try await find("ir.model", ["model": "sale.order"], ["id"]).first?["id"] ?? .null
        for (name, label) in [("x_hub_shipping", "Shipping in the ERP"), ("x_hub_payment", "Payment in the ERP")]
        where try await find("ir.model.fields", ["model": "sale.order", "name": .string(name)], ["id"]).isEmpty {
            _ = try await create(
                "ir.model.fields",
                [
                    "name": .string(name), "model_id": model, "ttype": "char", "field_description": .string(label), "state": "manual",
                    "copied": false, "tracking": 100,
                ])
        }
    }

    /// The newest generation of ids that a hub has left here; 0 where there has been none.
    func lastGeneration() async throws -> Int {
        let marks = try await find("ir.model.data", ["module": "hub", "model": "product.product"], ["name"])
        return marks.compactMap { CanonicalGeneration.of($0["name"]?.text ?? "") }.max() ?? 0
    }

    // MARK: Acts

    func newCompany(_ name: String, _ more: Fields) async throws -> Int64 {
        let country = try await find("res.country", ["code": "FR"], ["id"]).first?["id"] ?? .null
        let values: Fields = ["name": .string(name), "is_company": true, "country_id": country]
        return try await create("res.partner", values.overlaid(with: more))
    }

    func newQuotation(_ partner: Int64, _ product: Int64, quantity: Int64, reference: String) async throws -> Int64 {
        let line: Value = [0, 0, ["product_id": .number(Number(product)), "product_uom_qty": .number(Number(quantity))]]
        return try await create(
            "sale.order",
            ["partner_id": .number(Number(partner)), "client_order_ref": .string(reference), "order_line": .array([line])])
    }

    func accept(_ quotation: Int64) async throws {
        try await call("sale.order", "action_confirm", ["ids": [.number(Number(quotation))]])
    }

    /// What stands in an order's message thread, newest first.
    func thread(_ order: Int64) async throws -> [String] {
        try await find("mail.message", ["model": "sale.order", "res_id": .number(Number(order))], ["body"]).compactMap { $0["body"]?.text }
    }
}
