import Foundation
import HubDriver
import HubModel
import REST

/// A stand-in for a system with a REST interface, under a recipe of the bench's own.
struct MeasuredREST: MeasuredApplication {
    let url: String
    /// Whether writes are conditional, as in most systems' recipes; else the document is read and compared before, as in Tryton's.
    let isConditional: Bool

    var name: String { isConditional ? "rest" : "rest, no versions" }
    let native = "customer"

    var way: String {
        (isConditional ? "one conditional request" : "read, compared and written: two requests")
            + "; the application is a stand-in, a process of its own on this machine that answers each request after "
            + "\(StandInService.delay.milliseconds) ms"
    }

    func updates(_ size: BenchSize) -> Int { size.isQuick ? 50 : 250 }

    func makeDriver(calls: Int) throws -> any Driver {
        let file = NSTemporaryDirectory() + "multipoint-bench-\(UUID().uuidString).yaml"
        try Data(recipe(calls).utf8).write(to: URL(fileURLWithPath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        return try RESTFactory.make(
            DriverSettings(application: "bench", values: ["url": url, "recipe": file, "token": StandInService.token]))
    }

    private func recipe(_ calls: Int) -> String {
        """
        name: Bench
        authentication: { kind: bearer }
        limits: { calls: \(calls) }
        identity: { path: / }
        entities:
          - native: \(native)
            entity: customer
            key: id
            token: \(isConditional ? "{ header: ETag }" : "none")
            reference: hub_ref
            readOnly: [id]
            read: { path: "/customers/{key}" }
            create: { path: /customers, tells: document }
            update: { path: "/customers/{key}", tells: document }
            lookUp: { path: "/customers?hub_ref={reference}", at: items }
        """
    }

    func creation(_ mark: String) -> Fields {
        let fields = (try? JSONText.value(BenchCustomer.json(0, phone: mark)))?.object ?? Fields()
        return fields.filter { $0.name != "id" }
    }

    func change(_ mark: String) -> Fields { ["phone": .string(mark)] }

    func makeBareClient(calls: Int) async throws -> any BareClient {
        Client(http: BareHTTP(url, calls: calls), isConditional: isConditional)
    }

    private struct Client: BareClient {
        let http: BareHTTP
        let isConditional: Bool

        func update(_ key: NativeKey, _ token: VersionToken?, _ mark: String) async throws -> VersionToken? {
            var headers = [("Authorization", "Bearer \(StandInService.token)")]
            let path = "/customers/\(key)"
            if isConditional {
                headers.append(("If-Match", token?.rawValue ?? "*"))
            } else {
                _ = try await http.send("GET", path, headers).json()
            }
            let reply = try await http.send("PATCH", path, headers, ["phone": .string(mark)])
            guard try reply.json()["phone"]?.text == mark else { throw BenchFailure("the stand-in has not written") }
            return reply.header("ETag").map { VersionToken($0) }
        }

        func close() async { await http.close() }
    }
}
