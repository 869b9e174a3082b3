import AsyncHTTPClient
import HubDriver
import HubModel
import NIOCore
import NIOHTTP1
import NIOHTTPCompression

/// The HTTP client of the bare clients: AsyncHTTPClient, called as its documentation shows it.
struct BareHTTP: Sendable {
    private let client: HTTPClient
    private let base: String

    struct Reply: Sendable {
        var status: Int
        fileprivate var headers: HTTPHeaders
        var body: [UInt8]

        func header(_ name: String) -> String? { headers.first(name: name) }

        /// The body, of an answer that says that all went well.
        func json() throws -> Value {
            guard (200...299).contains(status) else {
                throw BenchFailure("a bare client was answered with \(status): \(String(decoding: body.prefix(300), as: UTF8.self))")
            }
            return try JSONText.value(body)
        }
    }

    init(_ base: String, calls: Int) {
        self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
        var configuration = HTTPClient.Configuration()
        configuration.httpVersion = .http1Only
        configuration.decompression = .enabled(limit: .size(Self.longest))
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = calls
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Of an answer, in bytes.
    private static let longest = 32 << 20
    private static let patience = TimeAmount.seconds(20)

    func send(_ method: String, _ path: String, _ headers: [(String, String)] = [], _ body: Value? = nil) async throws -> Reply {
        var request = HTTPClientRequest(url: base + path)
        request.method = HTTPMethod(rawValue: method)
        request.headers = HTTPHeaders(headers + [("Accept-Encoding", "gzip"), ("Accept", "application/json")])
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(JSONText.bytes(body))
        }
        let response = try await client.execute(request, timeout: Self.patience)
        let buffer = try await response.body.collect(upTo: Self.longest)
        return Reply(status: Int(response.status.code), headers: response.headers, body: Array(buffer.readableBytesView))
    }

    func close() async { try? await client.shutdown() }
}
