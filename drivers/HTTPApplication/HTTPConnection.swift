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
        case open(HTTPClient)
        case closed
    }

    private let state = Mutex(State.unused)

    package init(_ settings: HTTPSettings) { self.settings = settings }

    deinit {
        // A client has to be shut down by someone; this one's last calls have ended.
        if case .open(let client) = state.withLock({ $0 }) { client.shutdown { _ in } }
    }

    /// Sends a request and reads its answer, whatever its status.
    package func send(_ call: HTTPCall) async throws(HTTPFailure) -> HTTPReply {
        let client = try client()
        let body = TracedBody(call.body)
        let request = request(call, body)
        let limit = settings.maxAnswer
        let outcome = await withTaskGroup(of: Result<HTTPReply, any Error>?.self) { group in
            group.addTask {
                do { return .success(try await Self.exchange(client, request, call.time, limit)) } catch { return .failure(error) }
            }
            group.addTask {
                do { try await Task.sleep(for: call.time) } catch { return nil }
                return .failure(HTTPClientError.deadlineExceeded)
            }
            var outcome: Result<HTTPReply, any Error>?
            while outcome == nil, let next = await group.next() { outcome = next }
            group.cancelAll()
            return outcome ?? .failure(CancellationError())
        }
        switch outcome {
        case .success(let reply): return reply
        case .failure(let error): throw failure(error, call, mayHaveArrived: body.mayHaveArrived)
        }
    }

    /// Lets go of all connections; calls afterwards fail as unreachable.
    package func close() async {
        let old = state.withLock { state in
            defer { state = .closed }
            return state
        }
        if case .open(let client) = old { try? await client.shutdown() }
    }

    private func client() throws(HTTPFailure) -> HTTPClient {
        let configuration: HTTPClient.Configuration
        do { configuration = try self.configuration() } catch {
            throw HTTPFailure(.unreachable, "The certificate authorities cannot be read: \(error)", cause: error)
        }
        let client = state.withLock { state -> HTTPClient? in
            switch state {
            case .closed: return nil
            case .open(let client): return client
            case .unused:
                let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
                state = .open(client)
                return client
            }
        }
        guard let client else { throw HTTPFailure(.unreachable, "The connection to \(settings.base) has been closed.") }
        return client
    }

    private func configuration() throws -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        configuration.decompression = .enabled(limit: .size(settings.maxAnswer))
        configuration.timeout = .init(connect: TimeAmount(settings.connectTime))
        configuration.connectionPool.idleTimeout = TimeAmount(settings.idleTime)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = settings.connections
        configuration.connectionPool.retryConnectionEstablishment = false
        if let file = settings.authorities {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(file)
            configuration.tlsConfiguration = tls
        }
        return configuration
    }

    private func request(_ call: HTTPCall, _ body: TracedBody) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: settings.base + call.path)
        request.method = HTTPMethod(rawValue: call.method)
        request.headers.add(name: "Accept-Encoding", value: "gzip")
        for header in call.headers { request.headers.add(name: header.name, value: header.value) }
        if call.body != nil { request.body = .stream(body, length: .known(Int64(body.bytes.count))) }
        return request
    }

    private static func exchange(
        _ client: HTTPClient, _ request: HTTPClientRequest, _ time: Duration, _ limit: Int
    ) async throws -> HTTPReply {
        let response = try await client.execute(request, timeout: TimeAmount(time))
        let body = try await response.body.collect(upTo: limit)
        return HTTPReply(
            status: Int(response.status.code), headers: response.headers.map { HTTPCall.Header($0.name, $0.value) },
            body: Array(body.readableBytesView))
    }

    private func failure(_ error: any Error, _ call: HTTPCall, mayHaveArrived: Bool) -> HTTPFailure {
        let place = "\(call.method) \(settings.base)\(call.path.prefix { $0 != "?" })"
        if error is NIOTooManyBytesError || error is NIOHTTPDecompression.DecompressionError {
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
