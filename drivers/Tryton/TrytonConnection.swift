import FoundationEssentials
import HTTPApplication
import HubDriver
import HubModel

/// Tryton's JSON-RPC: one session, renewed when Tryton has forgotten it.
final class TrytonConnection: Sendable {
    let settings: TrytonSettings
    let acquaintance: Acquaintance
    private let http: HTTPConnection

    init(_ settings: TrytonSettings, _ acquaintance: Acquaintance) {
        self.settings = settings
        self.acquaintance = acquaintance
        http = HTTPConnection(settings.http)
    }

    /// Does a piece of work that takes a few requests.
    func together<T, Failure>(_ work: () async throws(Failure) -> T) async throws(Failure) -> T { try await http.together(work) }

    func close() async {
        // Others may still work in a session that is shared.
        if !acquaintance.isShared { await logOut() }
        await http.close()
    }

    /// Ends the session in Tryton; the next call opens another.
    func logOut() async {
        guard let session = acquaintance.session else { return }
        _ = try? await http.send(.post(path, json: Self.request("common.db.logout", []), headers: [session.header], time: .seconds(2)))
    }

    /// The number of the hub's own user.
    func user() async throws(TrytonFailure) -> Int64 { try await open(after: nil).user }

    /// Calls a method of a model, with the context as its last parameter.
    func call(
        _ model: String, _ method: String, _ parameters: [Value], context: Fields = Fields(), deadline: ContinuousClock.Instant
    ) async throws(TrytonFailure) -> Value {
        var context = context
        if context["language"] == nil { context["language"] = .string(settings.language) }
        let name = "model.\(model).\(method)"
        var session = try await open(after: nil)
        for isLast in [false, true] {
            let left = deadline - .now
            guard left > .zero else { throw .driver(DriverError(.unreachable, "No time left for \(name).")) }
            let request = HTTPCall.post(
                path, json: Self.request(name, parameters + [.object(context)]), headers: [session.header], time: left)
            let reply = try await send(request)
            if reply.status == 401, !isLast {
                session = try await open(after: session)
                continue
            }
            return try result(of: reply, name)
        }
        throw .driver(DriverError(.unauthorised, "Tryton refuses every session of \(settings.user)."))
    }

    /// What the server says of itself.
    func version() async throws(TrytonFailure) -> String {
        let reply = try await send(
            .post(settings.series == .v6 ? "/" : "/rpc/", json: Self.request("common.server.version", []), time: settings.answerTime))
        return try result(of: reply, "common.server.version").text ?? ""
    }

    // MARK: Sessions

    /// A session other than `old`, made where there is none. Two calls at once may both make one: the later is kept.
    private func open(after old: Acquaintance.Session?) async throws(TrytonFailure) -> Acquaintance.Session {
        if let session = acquaintance.session, session != old { return session }
        let login: [Value] = [.string(settings.user), ["password": .string(settings.password)], .string(settings.language)]
        let reply = try await send(.post(path, json: Self.request("common.db.login", login), time: settings.answerTime), isLogin: true)
        if reply.status == 401 || reply.status == 403 {
            throw .driver(DriverError(.unauthorised, "Tryton refuses the user \(settings.user) or its password."))
        }
        let result = try result(of: reply, "common.db.login").array ?? []
        guard result.count >= 2, let user = result[0].integer, let key = result[1].text else {
            throw .driver(DriverError(.unauthorised, "Tryton opens no session for \(settings.user)."))
        }
        let token = Base64.text(Array("\(settings.user):\(user):\(key)".utf8))
        let made = Acquaintance.Session(user: user, header: HTTPCall.Header("Authorization", "Session \(token)"))
        acquaintance.session = made
        return made
    }

    // MARK: Wire

    private static var now: Instant { Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }

    private var path: String { "/\(settings.database)/" + (settings.series == .v6 ? "" : "rpc/") }

    private static func request(_ method: String, _ parameters: [Value]) -> Value {
        ["id": 1, "method": .string(method), "params": .array(parameters)]
    }

    /// - Parameter isLogin: a log-in has no effect on documents, whatever became of it.
    private func send(_ call: HTTPCall, isLogin: Bool = false) async throws(TrytonFailure) -> HTTPReply {
        do { return try await http.send(call) } catch {
            var told = error.driverError
            if isLogin { told.code = .unreachable }
            throw .driver(told)
        }
    }

    private func result(of reply: HTTPReply, _ name: String) throws(TrytonFailure) -> Value {
        switch reply.status {
        case 200: break
        case 401: throw .driver(DriverError(.unauthorised, "Tryton does not accept the session for \(name)."))
        case 403: throw .refused(Rejection(rule: "no-right", text: "Tryton does not offer \(name) to \(settings.user)."))
        case 404: throw .driver(DriverError(.unreachable, "There is no database \(settings.database) at \(settings.http.base)."))
        case 429: throw .busy(after: reply.retryAfter(now: Self.now) ?? .seconds(1), reason: "Tryton wants fewer calls")
        case 503:
            // Tryton says so of every operational error of its database, lasting ones included.
            let told = TrytonRules.rejection(reply.excerpt)
            if told.rule == "too-long" { throw .refused(told) }
            let after = reply.retryAfter(now: Self.now, otherwise: .seconds(2)) ?? .seconds(2)
            throw .busy(after: after, reason: "Tryton is busy: \(reply.excerpt)")
        case 400, 405, 413, 415: throw .refused(Rejection(rule: "internal-error", text: "Tryton cannot read \(name): \(reply.excerpt)"))
        default: throw .driver(DriverError(.noAnswer, "Tryton answered \(name) with \(reply.status): \(reply.excerpt)"))
        }
        let answer: Value
        do { answer = try reply.json() } catch { throw .driver(error) }
        guard let fields = answer.object else {
            throw .driver(DriverError(.protocolViolation, "Tryton answered \(name) with \(reply.excerpt)"))
        }
        if let error = fields["error"], !error.isNull { throw TrytonFailure(error: error, call: name, acquaintance.sentences) }
        guard let result = fields["result"] else {
            throw .driver(DriverError(.protocolViolation, "Tryton's answer to \(name) has neither result nor error."))
        }
        return Wire.decoded(result)
    }
}

/// Base64 (RFC 4648), as the session's header wants it.
enum Base64 {
    static func text(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var result = ""
        var index = 0
        while index < bytes.count {
            let rest = bytes.count - index
            let word = Int(bytes[index]) << 16 | (rest > 1 ? Int(bytes[index + 1]) << 8 : 0) | (rest > 2 ? Int(bytes[index + 2]) : 0)
            result.append(alphabet[word >> 18 & 63])
            result.append(alphabet[word >> 12 & 63])
            result.append(rest > 1 ? alphabet[word >> 6 & 63] : "=")
            result.append(rest > 2 ? alphabet[word & 63] : "=")
            index += 3
        }
        return result
    }
}
