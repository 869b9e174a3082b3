import HTTPApplication
import HubDriver
import HubModel
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A small HTTP server on 127.0.0.1: what a request is answered with, a service says. It listens until the process ends.
final class StrictServer: Sendable {
    struct Request: Sendable {
        var method: String
        /// Without the query, percent-decoded.
        var path: String
        var query: [String: String]
        /// As it came.
        var uri: String
        /// Names in small letters.
        var headers: [String: String]
        var body: [UInt8]

        var json: Value? { try? JSONText.value(body) }
    }

    struct Response: Sendable {
        var status: Int
        var headers: [String: String] = [:]
        var body: Value?
        /// In the place of a body: anything that is no JSON.
        var text: String?

        init(_ status: Int, _ body: Value? = nil, _ headers: [String: String] = [:]) {
            self.status = status
            self.body = body
            self.headers = headers
        }
    }

    typealias Service = @Sendable (Request) -> Response

    let port: Int
    private let log: Log

    /// What came in, for tests that look at requests.
    final class Log: Sendable {
        private let requests = Mutex<[Request]>([])
        func note(_ request: Request) { requests.withLock { $0.append(request) } }
        var all: [Request] { requests.withLock { $0 } }
    }

    var requests: [Request] { log.all }
    var url: String { "http://127.0.0.1:\(port)" }

    /// - Parameter delay: of every answer, as an application works some time.
    init(delay: TimeAmount = .zero, _ service: @escaping Service) async throws {
        let log = Log()
        self.log = log
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Exchange(service, log, delay))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    /// One connection.
    private final class Exchange: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let service: Service
        private let log: Log
        private let delay: TimeAmount
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []

        init(_ service: @escaping Service, _ log: Log, _ delay: TimeAmount) {
            self.service = service
            self.log = log
            self.delay = delay
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body = []
            case .body(let part): body += part.readableBytesView
            case .end:
                guard let head else { return }
                let request = Request(head, body)
                log.note(request)
                let response = service(request)
                guard delay > .zero else { return answer(response, head, context) }
                let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
                context.eventLoop.scheduleTask(in: delay) {
                    let (exchange, context) = bound.value
                    exchange.answer(response, head, context)
                }
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func answer(_ response: Response, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
            let bytes = response.text.map { Array($0.utf8) } ?? response.body.map { JSONText.bytes($0) } ?? []
            var headers = HTTPHeaders(response.headers.map { ($0.key, $0.value) })
            if response.body != nil, !headers.contains(name: "Content-Type") {
                headers.add(name: "Content-Type", value: "application/json")
            }
            headers.replaceOrAdd(name: "Content-Length", value: String(bytes.count))
            let status = HTTPResponseStatus(statusCode: response.status)
            context.write(wrapOutboundOut(.head(HTTPResponseHead(version: head.version, status: status, headers: headers))), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}

extension StrictServer.Request {
    init(_ head: HTTPRequestHead, _ body: [UInt8]) {
        let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var headers: [String: String] = [:]
        for header in head.headers { headers[header.name.lowercased()] = header.value }
        self.init(
            method: head.method.rawValue, path: HTTPCall.decoded(parts[0]), query: Self.pairs(parts.count > 1 ? parts[1] : ""),
            uri: head.uri,
            headers: headers, body: body)
    }

    /// `a=b&c=d`, percent-decoded; also a form's body.
    static func pairs(_ text: Substring) -> [String: String] {
        var pairs: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            pairs[HTTPCall.decoded(sides[0])] = sides.count > 1 ? HTTPCall.decoded(sides[1]) : ""
        }
        return pairs
    }
}
