import AsyncHTTPClient
import HubDriver
import HubModel
import NIOCore
import NIOHTTP1

@testable import StandIns

/// The workshop, whose driver is the example in Python in a process of its own; its people use the service past it.
struct WorkshopOffice: Peer {
    let name: ApplicationID = "workshop"
    let own = (native: "phone", canonical: "phone", crm: "phone")
    static let token = "WORKSHOP_TOKEN"
    let service: Workshop

    /// The service did not do as it was asked.
    struct Refused: Error {
        var status: UInt
        var body: Value
    }

    init() throws { service = try Workshop() }

    private var url: String { "http://127.0.0.1:\(service.port)" }

    var configuration: String {
        """
          workshop:
            driver: process
            folder: "\(Workshop.folder)"
            url: "\(url)"
            token: { env: \(Self.token) }
        """
    }

    func documents(_ kind: DocumentKind) async throws -> [String: Fields] {
        let told = try await told(kind)
        return Dictionary(told.compactMap { $0["body"]?.object }.map { ($0["code"]?.text ?? "", $0) }) { $1 }
    }

    func edit(_ code: String, _ fields: Fields) async throws {
        guard let document = try await told(.customers).first(where: { $0["body"]?["code"]?.text == code }),
            let id = document["id"]?.text, let version = document["version"]?.integer
        else { return }
        _ = try await ask(.PATCH, "/clients/\(id)", fields, match: version)
    }

    /// Each with its version around it.
    private func told(_ kind: DocumentKind) async throws -> [Value] {
        try await ask(.GET, kind == .customers ? "/clients?limit=1000" : "/parts?limit=1000").array ?? []
    }

    private func ask(_ method: HTTPMethod, _ path: String, _ fields: Fields? = nil, match: Int64? = nil) async throws -> Value {
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        request.headers.add(name: "Authorization", value: "Bearer \(Workshop.token)")
        if let match { request.headers.add(name: "If-Match", value: "\"\(match)\"") }
        if let fields { request.body = .bytes(ByteBuffer(bytes: JSONText.bytes(.object(fields)))) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        let bytes = try await response.body.collect(upTo: 1 << 22)
        let body = try JSONText.value(Array(bytes.readableBytesView))
        guard response.status.code < 300 else { throw Refused(status: response.status.code, body: body) }
        return body
    }
}
