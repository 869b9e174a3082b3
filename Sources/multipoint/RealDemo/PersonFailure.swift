import HTTPApplication
import HubDriver
import HubModel

/// What an application answered to a person, where that was no success.
struct PersonFailure: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// An application's own interface, as a person's client uses it: beside the hub, and without its drivers.
struct PersonLine: Sendable {
    /// What the application is called.
    let name: String
    private let http: HTTPConnection
    private static let patience = Duration.seconds(30)

    init(_ name: String, url: String) throws {
        self.name = name
        http = HTTPConnection(try HTTPSettings(url: url, connections: 2))
    }

    /// Sends JSON and gives the answer to it, whatever its status.
    func post(_ path: String, _ body: Value, _ headers: [HTTPCall.Header]) async throws -> (status: Int, value: Value) {
        let reply = try await http.send(.post(path, json: body, headers: headers, time: Self.patience))
        guard let value = try? reply.json() else { throw PersonFailure("\(name) answers \(path) with \(reply.status): \(reply.excerpt)") }
        return (reply.status, value)
    }

    func close() async { await http.close() }
}

extension DriverSettings {
    /// A setting that a person needs as well.
    func given(_ name: String) throws(PersonFailure) -> String {
        guard let value = values[name], !value.isEmpty else { throw PersonFailure("\(application) has no \(name) in the configuration") }
        return value
    }
}
