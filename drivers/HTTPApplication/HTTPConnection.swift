import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOPosix
import NIOSSL
import Synchronization

/// An application's HTTP side: sends requests on kept connections and tells exactly what a failure may have done.
///
/// Redirects are answers like any other, as a write must never end at another address. Nothing is sent twice.
package final class HTTPConnection: Sendable {
    package let settings: HTTPSettings

    /// Made with the first call, as drivers are also made to be asked for their manifest only.
    private enum State {
        case unused
        case open(Line)
        case closed
    }

    /// All of an application's connections are on one event loop.
    private struct Line {
        var client: HTTPClient
        var executor: EventLoopExecutor
    }

    private let state = Mutex(State.unused)
    private let addresses = Mutex(Addresses())

    package init(_ settings: HTTPSettings) { self.settings = settings }

    deinit {
        // A client has to be shut down by someone; this one's last calls have ended.
        if case .open(let line) = state.withLock({ $0 }) { line.client.shutdown { _ in } }
    }

    /// Sends a request and reads its answer, whatever its status.
    package func send(_ call: HTTPCall) async throws(HTTPFailure) -> HTTPReply {
        let client = try line().client
        let exchange = HTTPExchange(hasBody: call.body?.isEmpty == false, limit: settings.maxAnswer)
        let request: HTTPClient.Request
        do { request = try self.request(call, exchange) } catch {
            throw HTTPFailure(.unreachable, "\(place(call)) cannot be reached: \(Self.words(error)).", cause: error)
        }
        switch await exchange.result(request, client, deadline: .now() + TimeAmount(call.time)) {
        case .success(let reply): return reply
        case .failure(let error): throw failure(error, call, mayHaveArrived: exchange.mayHaveArrived)
        }
    }

    /// Does a piece of work that sends a few requests one after the other, all of it on the connections' own event loop: changing threads
    /// for each request would cost more than the request. What takes long to work out has no place there.
    package func together<T, Failure>(_ work: () async throws(Failure) -> T) async throws(Failure) -> T {
        // Without connections each request says so itself.
        guard let line = try? line() else { return try await work() }
        return try await withTaskExecutorPreference(line.executor, operation: work)
    }

    /// Lets go of all connections; calls afterwards fail as unreachable.
    package func close() async {
        let old = state.withLock { state in
            defer { state = .closed }
            return state
        }
        if case .open(let line) = old { try? await line.client.shutdown() }
    }

    private func line() throws(HTTPFailure) -> Line {
        let line = state.withLock { state -> Line? in
            switch state {
            case .closed: return nil
            case .open(let line): return line
            case .unused:
                let loop = MultiThreadedEventLoopGroup.singleton.next()
                let client = HTTPClient(eventLoopGroupProvider: .shared(loop), configuration: configuration())
                let line = Line(client: client, executor: EventLoopExecutor(loop))
                state = .open(line)
                return line
            }
        }
        guard let line else { throw HTTPFailure(.unreachable, "The connection to \(settings.base) has been closed.") }
        return line
    }

    private func configuration() -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        configuration.decompression = .enabled(limit: .size(settings.maxAnswer))
        configuration.timeout = .init(connect: TimeAmount(settings.connectTime))
        configuration.connectionPool.idleTimeout = TimeAmount(settings.idleTime)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = settings.connections
        configuration.connectionPool.retryConnectionEstablishment = false
        // Nobody collects traces here, and the client takes the address apart again for each.
        configuration.tracing.tracer = nil
        configuration.http1_1ConnectionDebugInitializer = { FlushOncePerTurn.add(to: $0) }
        if let file = settings.authorities {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(file)
            configuration.tlsConfiguration = tls
        }
        return configuration
    }

    private func request(_ call: HTTPCall, _ exchange: HTTPExchange) throws -> HTTPClient.Request {
        var request = try addresses.withLock { try $0.request(call.method, settings.base, call.path) }
        request.headers.reserveCapacity(call.headers.count + 1)
        request.headers.add(name: "Accept-Encoding", value: "gzip")
        for header in call.headers { request.headers.add(name: header.name, value: header.value) }
        guard let body = call.body else { return request }
        request.body = .stream(contentLength: Int64(body.count)) { writer in
            exchange.bodyIsAsked()
            return writer.write(.byteBuffer(ByteBuffer(bytes: body)))
        }
        return request
    }

    private func place(_ call: HTTPCall) -> String { "\(call.method) \(settings.base)\(call.path.prefix { $0 != "?" })" }

    private func failure(_ error: any Error, _ call: HTTPCall, mayHaveArrived: Bool) -> HTTPFailure {
        let place = place(call)
        if error is HTTPExchange.TooLong || error is NIOHTTPDecompression.DecompressionError {
            return HTTPFailure(.unusable, "\(place): the answer is too long or badly compressed (\(error)).", cause: error)
        }
        if !mayHaveArrived || Self.isBeforeSending(error) {
            return HTTPFailure(.unreachable, "\(place) cannot be reached: \(Self.words(error)).", cause: error)
        }
        return HTTPFailure(.noAnswer, "\(place) was sent and got no answer: \(Self.words(error)).", cause: error)
    }

    /// Errors that only come before a connection is there.
    private static func isBeforeSending(_ error: any Error) -> Bool {
        if error is NIOConnectionError || error is NIOSSLExtraError { return true }
        if case .handshakeFailed = error as? NIOSSLError { return true }
        guard let error = error as? HTTPClientError else { return false }
        return [
            .connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout, .httpProxyHandshakeTimeout, .alreadyShutdown,
            .invalidURL, .emptyHost, .emptyScheme,
        ].contains(error)
    }

    private static func words(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { "\($0.error)" } ?? error.dnsAError.map { "\($0)" } ?? "no address for \(error.host)"
        case let error as HTTPClientError where error == .deadlineExceeded: "no time left"
        case let error as HTTPClientError where error == .cancelled: "the call was called off"
        case is CancellationError: "the call was called off"
        default: "\(error)"
        }
    }
}

extension TimeAmount {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .seconds(min(seconds, 1 << 30)) + .nanoseconds(attoseconds / 1_000_000_000)
    }
}
