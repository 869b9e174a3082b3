import AsyncHTTPClient
import Foundation
import HubBus
import HubConfiguration
import HubDriver
import HubModel
import HubOperations
import HubRuntime
import HubStore
import NIOCore
import NIOHTTP1
import ReferenceApplication
import ReferenceCRM
import ReferenceERP
import Testing

/// A running hub with the small CRM and ERP on the embedded bus, and its listener on a free port.
final class Office {
    let folder: String
    let bus: EmbeddedBus
    let store: any Store
    let crm: CRMApplication
    let erp: ERPApplication
    private(set) var hub: RunningHub?
    private(set) var listener: HTTPListener?

    static let publisher = "publisher-0123456789"
    static let asker = "asker-0123456789abcdef"
    static let bell = "bell-0123456789abcdef0"

    init() throws {
        folder = NSTemporaryDirectory() + "office-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        bus = try EmbeddedBus(partitions: 2)
        store = MemoryStore()
        crm = try CRMApplication(path: folder + "/crm.db")
        erp = try ERPApplication(path: folder + "/erp.db")
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    static let http = """
        http:
          listen: "127.0.0.1:0"
          bodyBytes: 20000
          tokens:
            shop: { secret: { env: PUBLISHER }, publish: crm }
            portal: { secret: { env: ASKER }, ask: erp }
            webhook: { secret: { env: BELL }, hook: crm }
        """

    func configuration() throws -> Configuration {
        let text = """
            hub: t
            bus: { embedded: true, partitions: 2 }
            store: hub.db
            applications:
              crm: { driver: reference-crm, file: crm.db }
              erp: { driver: reference-erp, file: erp.db }
            entities:
              customer: { owner: crm, match: code }
              product: { owner: erp, match: code }
              order: { owner: crm }
            \(Self.http)
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/hub.yaml"))
        return try Configuration.load(
            folder + "/hub.yaml", catalog: [ReferenceCRMFactory.self, ReferenceERPFactory.self],
            environment: ["PUBLISHER": Self.publisher, "ASKER": Self.asker, "BELL": Self.bell])
    }

    /// - Parameter bytes: of a record that Kafka's clients take at most; nil: as usual.
    func start(captures: Bool = true, patience: HTTPListener.Patience = .init(), bytes: Int? = nil) throws {
        let configuration = try configuration()
        var options = RunningHub.Options()
        options.embedded = bus
        options.captures = captures
        var clients = bus.configuration
        if let bytes { clients["message.max.bytes"] = String(bytes) }
        let hub = RunningHub(configuration: configuration, store: store, bus: clients, options: options)
        self.hub = hub
        try hub.start()
        let listener = try HTTPListener(hub: hub, settings: try #require(configuration.http), patience: patience)
        self.listener = listener
        try listener.start()
    }

    func stop() {
        listener?.stop()
        hub?.stop()
        listener = nil
        hub = nil
    }

    // MARK: Requests

    var port: Int { listener?.port ?? 0 }
    var client: Client { Client(port: port) }

    func send(
        _ method: HTTPMethod, _ path: String, token: String? = nil, headers: [String: String] = [:], body: String? = nil,
        isChunked: Bool = false
    ) async throws -> Client.Reply {
        try await client.send(method, path, token: token, headers: headers, body: body, isChunked: isChunked)
    }

    func ask(_ function: String, _ arguments: Value) async throws -> Client.Reply { try await client.ask(function, arguments) }

    func post(_ body: String, _ headers: [String: String], token: String = Office.publisher) async throws -> Client.Reply {
        try await send(.POST, "/v1/events/crm", token: token, headers: headers, body: body)
    }

    // MARK: Waiting

    func eventually(_ what: String, _ holds: () async throws -> Bool) async rethrows {
        let end = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < end {
            if try await holds() { return }
            try? await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("did not come about within 30 s: \(what)")
    }

    /// Golden records of an entity, each with its id.
    func golden(_ entity: EntityName) async throws -> [GoldenRecord] {
        try await store.perform { try $0.goldenRecords(entity, after: nil, limit: 100) }
    }
}

/// Somebody who makes requests of the hub.
struct Client: Sendable {
    let port: Int

    struct Reply: Sendable {
        var status: Int
        var headers: HTTPHeaders
        var body: Value

        subscript(name: String) -> Value { body[name] ?? .null }
    }

    func send(
        _ method: HTTPMethod, _ path: String, token: String? = nil, headers: [String: String] = [:], body: String? = nil,
        isChunked: Bool = false
    ) async throws -> Reply {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = method
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body {
            let buffer = ByteBuffer(string: body)
            request.body = isChunked ? .stream([buffer].async, length: .unknown) : .bytes(buffer)
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        let bytes = try await response.body.collect(upTo: 1 << 20)
        let value = try JSONText.value(Array(bytes.readableBytesView))
        return Reply(status: Int(response.status.code), headers: response.headers, body: value)
    }

    func ask(_ function: String, _ arguments: Value, headers: [String: String] = [:]) async throws -> Reply {
        try await send(.POST, "/v1/ask/erp/\(function)", token: Office.asker, headers: headers, body: JSONText.text(arguments))
    }
}

extension Array where Element: Sendable {
    /// The elements one by one, as a request's body that tells no length.
    var async: AsyncStream<Element> {
        AsyncStream { continuation in
            for element in self { continuation.yield(element) }
            continuation.finish()
        }
    }
}
