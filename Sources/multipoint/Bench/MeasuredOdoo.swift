import Foundation
import HubDriver
import HubModel
import Odoo

/// The Odoo that MULTIPOINT_ODOO_URL names.
struct MeasuredOdoo: MeasuredApplication {
    private let url: String
    private let key: String

    /// Nil, and said so, where the environment names none.
    init?() throws {
        let environment = ProcessInfo.processInfo.environment
        guard let url = environment["MULTIPOINT_ODOO_URL"], let file = environment["MULTIPOINT_ODOO_KEY"] else {
            Output.note(
                "odoo: skipped, as MULTIPOINT_ODOO_URL and MULTIPOINT_ODOO_KEY name no server and key (scripts/apps/odoo starts one)")
            return nil
        }
        guard let text = try? String(contentsOfFile: file, encoding: .utf8), let key = text.split(whereSeparator: \.isNewline).last else {
            throw BenchFailure("\(file) holds no key of Odoo's (MULTIPOINT_ODOO_KEY)")
        }
        self.url = url
        self.key = String(key)
    }

    let name = "odoo"
    let native = "res.partner"
    let way = "read, compared and written, read back: three requests"

    func makeDriver(calls: Int) throws -> any Driver {
        try OdooFactory.make(DriverSettings(application: "bench", values: ["url": url, "key": key, "connections": String(calls)]))
    }

    func creation(_ mark: String) -> Fields { ["name": .string("Bench \(mark)"), "city": "Lyon", "street": "1 Road"] }

    func change(_ mark: String) -> Fields { ["name": .string("Bench \(mark)")] }

    func makeBareClient(calls: Int) async throws -> any BareClient {
        let client = Client(http: BareHTTP(url, calls: calls), header: ("Authorization", "bearer \(key)"), fields: [])
        let known = try await client.call("fields_get", ["attributes": ["type"]]).object ?? Fields()
        // What people have added is read too.
        let names = Self.fields.filter { known[$0] != nil } + known.names.filter { $0.hasPrefix("x_") }
        return Client(http: client.http, header: client.header, fields: names.map { .string($0) })
    }

    /// What a partner is made of, as the driver reads it.
    private static let fields = [
        "name", "is_company", "active", "type", "ref", "vat", "email", "phone", "website", "function", "street", "street2", "zip", "city",
        "country_id", "user_id", "parent_id", "commercial_partner_id", "credit_limit", "property_payment_term_id",
    ]

    private struct Client: BareClient {
        let http: BareHTTP
        let header: (String, String)
        let fields: [Value]

        func update(_ key: NativeKey, _ token: VersionToken?, _ mark: String) async throws -> VersionToken? {
            let ids: Value = [.number(Number(key.rawValue) ?? 0)]
            _ = try await read(ids)
            _ = try await call("write", ["ids": ids, "vals": ["name": .string("Bench \(mark)")]])
            guard try await read(ids)["name"]?.text == "Bench \(mark)" else { throw BenchFailure("Odoo has not written") }
            return nil
        }

        private func read(_ ids: Value) async throws -> Value {
            try await call("read", ["ids": ids, "fields": .array(fields), "load": ""], ["active_test": false]).array?.first ?? .null
        }

        func call(_ method: String, _ arguments: Fields, _ context: Fields = Fields()) async throws -> Value {
            var body = arguments
            body["context"] = .object(Fields([("lang", "en_US"), ("tz", "UTC")]).overlaid(with: context))
            return try await http.send("POST", "/json/2/res.partner/\(method)", [header], .object(body)).json()
        }

        func close() async { await http.close() }
    }
}
