import FoundationEssentials
import HTTPApplication
import HubDriver
import HubModel

/// The header by which the hub tells who it is; fetches and renews OAuth tokens.
actor Credentials {
    /// Where OAuth tokens come from.
    struct TokenSource: Sendable {
        var http: HTTPConnection
        var path: String
        var scope: String?
        var isInBody: Bool
        var client: String
        var secret: String
        var time: Duration
    }

    /// The headers where they never change, for who asks with every request; nil: tokens are fetched.
    nonisolated let lasting: [HTTPCall.Header]?
    private let source: TokenSource?
    private var token: Token?
    /// The fetch under way, which all that need a token wait for.
    private var fetch: Task<Result<Token, CallFailure>, Never>?
    private let now: @Sendable () -> Instant

    struct Token: Sendable, Hashable {
        var text: String
        /// From then on it is not used any more.
        var until: Instant
    }

    init(header: HTTPCall.Header?, source: TokenSource?, now: @escaping @Sendable () -> Instant = { .now }) {
        lasting = header.map { [$0] } ?? (source == nil ? [] : nil)
        self.source = source
        self.now = now
    }

    static func basic(_ user: String, _ password: String) -> String { "Basic " + Data("\(user):\(password)".utf8).base64EncodedString() }

    /// What to send with a request.
    func headers() async throws(CallFailure) -> [HTTPCall.Header] {
        guard let source else { return lasting ?? [] }
        if let token, token.until > now() { return [Self.header(token)] }
        // Owned by this actor, and ended with its time limit at the latest; whoever needs the token waits for it.
        let fetch = self.fetch ?? Task { [now] in await Self.fetched(source, now) }
        self.fetch = fetch
        let result = await fetch.value
        if self.fetch == fetch { self.fetch = nil }
        switch result {
        case .success(let fetched):
            token = fetched
            return [Self.header(fetched)]
        case .failure(let failure): throw failure
        }
    }

    /// The application does not take these headers any more. True where others can be had.
    func refused(_ headers: [HTTPCall.Header]) -> Bool {
        guard source != nil else { return false }
        if let token, headers.contains(Self.header(token)) { self.token = nil }
        return true
    }

    func close() async { await source?.http.close() }

    private static func header(_ token: Token) -> HTTPCall.Header { HTTPCall.Header("Authorization", "Bearer \(token.text)") }

    private static func fetched(_ source: TokenSource, _ now: @Sendable () -> Instant) async -> Result<Token, CallFailure> {
        var form = [("grant_type", "client_credentials")]
        if let scope = source.scope { form.append(("scope", scope)) }
        var headers = [HTTPCall.Header("Content-Type", "application/x-www-form-urlencoded"), HTTPCall.Header("Accept", "application/json")]
        if source.isInBody {
            form += [("client_id", source.client), ("client_secret", source.secret)]
        } else {
            headers.append(
                HTTPCall.Header("Authorization", basic(HTTPCall.encoded(source.client), HTTPCall.encoded(source.secret))))
        }
        let body = form.map { "\($0)=\(HTTPCall.encoded($1))" }.joined(separator: "&")
        let begun = now()
        let reply: HTTPReply
        do throws(HTTPFailure) {
            reply = try await source.http.send(HTTPCall("POST", source.path, headers: headers, body: Array(body.utf8), time: source.time))
        } catch {
            // A token that nobody got has no effect.
            return .failure(CallFailure.unreachable("the token: \(error.message)"))
        }
        if let wait = reply.retryAfter(now: begun) { return .failure(.busy(after: wait, "the token server is busy (\(reply.status))")) }
        guard let answer = try? reply.json() else {
            return .failure(.unreachable("the token server answers no JSON (\(reply.status)): \(excerpt(reply))"))
        }
        guard reply.isSuccess, let text = answer["access_token"]?.text else {
            let words = answer["error_description"]?.text ?? answer["error"]?.text ?? excerpt(reply)
            let text = "the token server gives no token (\(reply.status)): \(words)"
            return .failure(reply.status >= 500 ? .unreachable(text) : .unauthorised(text))
        }
        return .success(Token(text: text, until: begun + life(answer["expires_in"]?.keyText.flatMap { Int64($0) })))
    }

    /// What may be shown of an answer: nothing of one that is a success, since the token stands in it under whatever name.
    private static func excerpt(_ reply: HTTPReply) -> String {
        reply.isSuccess ? "the answer has no access_token, and is not shown, as another name in it may be a token's" : reply.excerpt
    }

    /// How long a token is used: not quite as long as it holds, since the application's clock and the way there count too.
    static func life(_ seconds: Int64?) -> Duration {
        // RFC 6749 lets a server leave it out.
        let seconds = max(0, min(seconds ?? 300, 86_400 * 365))
        return .milliseconds(max(seconds * 1000 - 60_000, seconds * 500))
    }
}
