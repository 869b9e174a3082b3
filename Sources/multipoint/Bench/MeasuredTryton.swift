import Foundation
import HubDriver
import HubModel
import Tryton

/// The Tryton that MULTIPOINT_TRYTON_URL names.
struct MeasuredTryton: MeasuredApplication {
    private let url: String
    private let password: String

    /// Nil, and said so, where the environment names none.
    init?() {
        let environment = ProcessInfo.processInfo.environment
        guard let url = environment["MULTIPOINT_TRYTON_URL"] else {
            Output.note("tryton: skipped, as MULTIPOINT_TRYTON_URL names no server (scripts/apps/tryton starts one)")
            return nil
        }
        self.url = url
        password = environment["MULTIPOINT_TRYTON_PASSWORD"] ?? "admin"
    }

    let name = "tryton"
    let native = "party.party"
    let way = "read, written on the condition of its version, read back: three requests"

    func makeDriver(calls: Int) throws -> any Driver {
        try TrytonFactory.make(
            DriverSettings(application: "bench", values: ["url": url, "user": "admin", "password": password, "calls": String(calls)]))
    }

    func creation(_ mark: String) -> Fields { ["name": .string("Bench \(mark)"), "address": ["city": "Lyon", "street": "1 Road"]] }

    func change(_ mark: String) -> Fields { ["name": .string("Bench \(mark)")] }

    func makeBareClient(calls: Int) async throws -> any BareClient {
        let http = BareHTTP(url, calls: calls)
        let reply = try await http.send(
            "POST", "/rpc/", [], Self.request("common.db.login", ["admin", ["password": .string(password)]]))
        let session = try reply.json()["result"]?.array ?? []
        guard session.count >= 2, let user = session[0].integer, let key = session[1].text else {
            throw BenchFailure("Tryton opens no session")
        }
        let token = Data("admin:\(user):\(key)".utf8).base64EncodedString()
        return Client(http: http, header: ("Authorization", "Session \(token)"))
    }

    private static func request(_ method: String, _ parameters: [Value]) -> Value {
        ["id": 1, "method": .string(method), "params": .array(parameters)]
    }

    /// What a party is made of, as the driver reads it.
    private static let fields: [Value] = [
        "code", "name", "active", "lang.code", "_timestamp", "contact_mechanisms.type", "contact_mechanisms.value",
        "contact_mechanisms.active", "contact_mechanisms._timestamp", "identifiers.type", "identifiers.code", "identifiers._timestamp",
        "tax_identifier.code", "addresses.country.code", "addresses.active", "addresses._timestamp", "addresses.street",
        "addresses.postal_code", "addresses.city", "addresses.party_name", "addresses.invoice", "addresses.delivery",
        "credit_limit_amount", "credit_limit_amounts._timestamp", "customer_payment_term.name", "payment_terms._timestamp",
        "sale_price_list.name", "sale_price_lists._timestamp",
    ]

    private struct Client: BareClient {
        let http: BareHTTP
        let header: (String, String)

        func update(_ key: NativeKey, _ token: VersionToken?, _ mark: String) async throws -> VersionToken? {
            let id = Value.number(Number(key.rawValue) ?? 0)
            let before = try await read(id)
            let stamps: Fields = ["party.party,\(key)": before["_timestamp"] ?? .null]
            _ = try await call("write", [[id], ["name": .string("Bench \(mark)")], ["_timestamp": .object(stamps)]])
            guard try await read(id)["name"]?.text == "Bench \(mark)" else { throw BenchFailure("Tryton has not written") }
            return nil
        }

        private func read(_ id: Value) async throws -> Value {
            let fields = Value.array(MeasuredTryton.fields)
            return try await call("search_read", [[["id", "in", [id]]], 0, .null, .null, fields, ["active_test": false]]).array?.first
                ?? .null
        }

        private func call(_ method: String, _ parameters: [Value]) async throws -> Value {
            let reply = try await http.send("POST", "/rpc/", [header], MeasuredTryton.request("model.party.party.\(method)", parameters))
            guard let answer = try reply.json().object, answer["error"]?.isNull ?? true else {
                throw BenchFailure("Tryton answered \(String(decoding: reply.body.prefix(300), as: UTF8.self))")
            }
            return answer["result"] ?? .null
        }

        func close() async { await http.close() }
    }
}
