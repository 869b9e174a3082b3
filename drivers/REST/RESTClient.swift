import HTTPApplication
import HubDriver
import HubModel
import Synchronization

/// Sends a recipe's requests: who we are, tokens against forgery, limits, and what failures mean.
final class RESTClient: Sendable {
    /// One request.
    struct Request: Sendable {
        var method: String
        /// Behind the address, percent-encoded.
        var path: String
        var headers: [HTTPCall.Header] = []
        var body: Value?

        var isRead: Bool { method == "GET" || method == "HEAD" }
    }

    let recipe: Recipe
    let http: HTTPConnection
    private let credentials: Credentials
    private let meter: Meter
    /// Values of the settings that paths use.
    let variables: [String: String]
    /// The token against forged requests, with the cookies of the session that it holds for.
    private let forgery = Mutex<[HTTPCall.Header]>([])

    init(recipe: Recipe, http: HTTPConnection, credentials: Credentials, variables: [String: String]) {
        self.recipe = recipe
        self.http = http
        self.credentials = credentials
        self.variables = variables
        meter = Meter(recipe.budget)
    }

    func close() async {
        await http.close()
        await credentials.close()
    }

    // MARK: Limits

    /// Does a piece of work that takes so many requests.
    func work<T: Sendable>(
        _ count: Int, matters: Bool, _ body: (Permit) async throws(CallFailure) -> T
    ) async throws(CallFailure) -> T {
        let permit = try meter.permit(count, matters: matters)
        defer { permit.end() }
        return try await body(permit)
    }

    /// Whether something may use the day's reserve.
    func matters(_ operation: Delivery.Operation?, _ native: String?) -> Bool {
        operation.map { recipe.reserveFor.contains($0.rawValue) } ?? false || native.map { recipe.reserveFor.contains($0) } ?? false
    }

    // MARK: Requests

    /// A recipe's path with its values.
    func path(_ template: Template, _ values: [String: String]) throws(CallFailure) -> String {
        try (recipe.base.map { (base) throws(CallFailure) in try part(base, values) } ?? "") + part(template, values)
    }

    private func part(_ template: Template, _ values: [String: String]) throws(CallFailure) -> String {
        guard let path = template.path(all(values)) else {
            let missing = template.variables.subtracting(variables.keys).subtracting(values.keys).sorted().joined(separator: ", ")
            throw .misconfigured("the path \(template.source) needs \(missing), which has no value here")
        }
        return path
    }

    /// An operation's headers with their values.
    func headers(_ list: [(name: String, value: Template)], _ values: [String: String]) -> [HTTPCall.Header] {
        if list.isEmpty { return [] }
        let all = all(values)
        return list.compactMap { header in header.value.plain(all).map { HTTPCall.Header(header.name, $0) } }
    }

    /// Values for a template, with those of the settings.
    private func all(_ values: [String: String]) -> [String: String] {
        variables.isEmpty ? values : variables.merging(values) { $1 }
    }

    /// The path of the address itself; empty where it has none.
    var root: String {
        let parts = http.settings.base.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        return parts.count == 4 ? "/" + parts[3] : ""
    }

    /// An address that the application gave, as a path behind its own address.
    ///
    /// - Parameter path: of the request that was answered so.
    func path(ofLink link: String, after path: String) throws(CallFailure) -> String {
        let base = http.settings.base
        if link.hasPrefix(base + "/") || link.hasPrefix(base + "?") { return String(link.dropFirst(base.count)) }
        if link.hasPrefix("?") { return path.prefix { $0 != "?" } + link }
        if link.hasPrefix("/"), !link.hasPrefix("//") {
            guard link.hasPrefix(root + "/") else { throw .misconfigured("the list leads on to \(link), which is not below \(base)") }
            return String(link.dropFirst(root.count))
        }
        guard !link.contains("://"), !link.hasPrefix("//") else {
            // Credentials never go to an address that an answer names.
            throw .misconfigured("the list leads on to \(link), which is not below \(base)")
        }
        let folder = path.prefix { $0 != "?" }
        return folder[...(folder.lastIndex(of: "/") ?? folder.startIndex)] + link
    }

    /// Sends a request; an answer that is no success is an error by what it means.
    func send(_ request: Request, _ permit: Permit) async throws(CallFailure) -> HTTPReply {
        let reply = try await reply(request, permit)
        if reply.isSuccess { return reply }
        throw recipe.errors.failure(reply, "\(request.method) \(request.path.prefix { $0 != "?" })", now: .now)
    }

    /// A read, of which nothing can have had an effect.
    func ask(_ request: Request, _ permit: Permit) async throws(CallFailure) -> HTTPReply {
        do throws(CallFailure) { return try await send(request, permit) } catch { throw error.ofQuestion }
    }

    /// The answer, whatever its status. A token that is refused is renewed once, and the request sent again: a refusal for want of a token
    /// says that nothing was done.
    func reply(_ request: Request, _ permit: Permit) async throws(CallFailure) -> HTTPReply {
        var triesCredentials = true
        var triesForgery = recipe.csrf != nil && !request.isRead
        while true {
            let identity = try await identity()
            var headers = recipe.headers + request.headers + identity
            if let csrf = recipe.csrf, !request.isRead { headers += try await forgeryToken(csrf, permit) }
            let reply = try await exchange(request, headers, permit)
            let meaning = recipe.errors.statuses[reply.status] ?? ErrorRecipe.standard(reply.status)
            if meaning == .unauthorised, triesCredentials, await credentials.refused(identity) {
                triesCredentials = false
                continue
            }
            if reply.status == 403, triesForgery, let csrf = recipe.csrf, reply.header(csrf.header)?.lowercased() == "required" {
                triesForgery = false
                forgery.withLock { $0 = [] }
                continue
            }
            return reply
        }
    }

    /// The headers that say who we are.
    private func identity() async throws(CallFailure) -> [HTTPCall.Header] {
        if let lasting = credentials.lasting { return lasting }
        return try await credentials.headers()
    }

    private func exchange(_ request: Request, _ headers: [HTTPCall.Header], _ permit: Permit) async throws(CallFailure) -> HTTPReply {
        var headers = headers
        if !headers.contains(where: { $0.isNamed("Accept") }) { headers.append(HTTPCall.Header("Accept", "application/json")) }
        if request.body != nil { headers.append(HTTPCall.Header("Content-Type", recipe.mediaType)) }
        let call = HTTPCall(
            request.method, request.path, headers: headers, body: request.body.map { JSONText.bytes($0) }, time: recipe.answerTime)
        permit.use()
        do throws(HTTPFailure) {
            let reply = try await http.send(call)
            if let name = recipe.remaining, let left = reply.header(name).flatMap({ Int($0) }) { meter.heard(remaining: left) }
            return reply
        } catch {
            throw CallFailure(error)
        }
    }

    /// The token against forged requests; fetched where none is held.
    private func forgeryToken(_ csrf: Recipe.CSRF, _ permit: Permit) async throws(CallFailure) -> [HTTPCall.Header] {
        let held = forgery.withLock { $0 }
        if !held.isEmpty { return held }
        let fetch = Request(method: "GET", path: try path(csrf.path, [:]), headers: [HTTPCall.Header(csrf.header, "Fetch")])
        let identity: [HTTPCall.Header]
        do throws(CallFailure) { identity = try await self.identity() } catch { throw error.ofQuestion }
        let reply: HTTPReply
        do throws(CallFailure) { reply = try await exchange(fetch, recipe.headers + fetch.headers + identity, permit) } catch {
            throw error.ofQuestion
        }
        guard reply.isSuccess, let token = reply.header(csrf.header) else {
            if !reply.isSuccess { throw recipe.errors.failure(reply, "GET \(fetch.path)", now: .now).ofQuestion }
            throw .misconfigured("GET \(fetch.path) gives no \(csrf.header): look at the recipe's csrf")
        }
        let cookies = reply.headers.filter { $0.isNamed("Set-Cookie") }.map { $0.value.prefix { $0 != ";" } }
        var headers = [HTTPCall.Header(csrf.header, token)]
        if !cookies.isEmpty { headers.append(HTTPCall.Header("Cookie", cookies.joined(separator: "; "))) }
        let fetched = headers
        forgery.withLock { $0 = fetched }
        return fetched
    }
}
