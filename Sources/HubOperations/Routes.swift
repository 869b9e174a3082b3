import HTTPTypes
import HubCodec
import HubConfiguration
import HubDriver
import HubModel
import HubRuntime
import Hummingbird
import HummingbirdCore
import Logging

/// What can be asked of the hub over HTTP.
struct Routes: Sendable {
    let hub: RunningHub
    let tokens: BearerTokens
    let bodies: BodyReader
    let events: EventDesk

    /// How a request says until when it waits: `1500ms` or `2s`; as a header, or as a member beside the arguments.
    private static let deadlineName = "deadline"

    func router() -> Router<OperationsContext> {
        let router = Router(context: OperationsContext.self)
        router.add(middleware: Problems())
        router.get("/health") { _, _ in try ready() }
        router.get("/health/ready") { _, _ in try ready() }
        router.get("/health/live") { _, _ in Response(json: ["status": "live"], status: .ok) }
        router.post("/v1/ask/:application/:function") { try await ask($0, $1) }
        router.post("/v1/events/:application") { try await post($0, $1) }
        router.post("/v1/hooks/:application") { try hook($0, $1) }
        return router
    }

    private func ready() throws(Problem) -> Response {
        guard let failure = hub.failed else { return Response(json: ["status": "ready"], status: .ok) }
        throw Problem(.serviceUnavailable, "failed", "\(failure)", retryAfter: 5)
    }

    // MARK: Questions

    private func ask(_ request: Request, _ context: OperationsContext) async throws(Problem) -> Response {
        let application = try Self.application(context)
        guard try holder(request).ask.contains(application) else { throw Self.forbidden("ask \(application)") }
        let function = context.parameters.get("function") ?? ""
        var arguments = try Self.arguments(try await bodies.read(request, context))
        do throws(QuestionMistake) {
            let deadline = try deadline(request, application, function, &arguments)
            let asked = try await hub.ask(application, function, arguments, within: deadline)
            return Self.response(asked)
        } catch {
            throw Problem(
                error.kind == .unknown ? .notFound : .unprocessableContent, error.kind == .unknown ? "unknown" : "bad argument", error.text,
                member: error.parameter)
        }
    }

    private static func arguments(_ body: [UInt8]) throws(Problem) -> Fields {
        if body.isEmpty { return [:] }
        do throws(JSONTextError) {
            guard case .object(let fields) = try JSONText.value(body) else {
                throw JSONTextError(offset: 0, line: 1, reason: "the arguments have to be one JSON object")
            }
            return fields
        } catch {
            throw Problem(.badRequest, "no arguments", error.reason)
        }
    }

    private func deadline(
        _ request: Request, _ application: ApplicationID, _ function: String, _ arguments: inout Fields
    ) throws(QuestionMistake) -> Duration {
        var text = HTTPField.Name(Self.deadlineName).flatMap { request.headers[$0] }
        let functions = try QuestionForm.functions(of: application, hub.plan)
        let isParameter = functions.first { $0.name == function }?.parameters.contains { $0.name == Self.deadlineName } ?? false
        if !isParameter, let member = arguments[Self.deadlineName] {
            text = member.keyText ?? ""
            arguments[Self.deadlineName] = nil
        }
        guard let text else { return RunningHub.questionDeadline }
        guard let deadline = Duration(deadline: text) else {
            throw QuestionMistake(.argument, Self.deadlineName, Duration.deadlineForm)
        }
        return deadline
    }

    private static func response(_ asked: AskedQuestion) -> Response {
        switch asked.ending {
        case .says: return Response(json: asked.value, status: .ok)
        case .refused: return Response(json: asked.value, status: .unprocessableContent)
        case .cannotSay:
            var response = Response(json: asked.value, status: .serviceUnavailable)
            response.headers[.retryAfter] = "5"
            return response
        }
    }

    // MARK: Events and hooks

    private func post(_ request: Request, _ context: OperationsContext) async throws(Problem) -> Response {
        let application = try Self.application(context)
        guard try holder(request).publish == application else { throw Self.forbidden("publish events of \(application)") }
        let reader = try events.reader(application)
        let body = try await bodies.read(request, context)
        let receipt = try await events.take(try reader.events(request.headers, body), of: application)
        // Accepted and safe, but mediated only later (RFC 9110, section 15.3.3).
        return Response(
            json: [
                "accepted": .number(Number(Int64(receipt.accepted))), "duplicates": .number(Number(Int64(receipt.duplicates))),
            ], status: .accepted)
    }

    /// A web hook is a bell and nothing else: what it says is neither believed nor read, so that a lost, doubled or invented one does no
    /// harm.
    private func hook(_ request: Request, _ context: OperationsContext) throws(Problem) -> Response {
        let application = try Self.application(context)
        let holder = try hookHolder(request)
        guard holder.hook == application || holder.publish == application else { throw Self.forbidden("ring for \(application)") }
        guard hub.lookForChanges(in: application) else {
            throw Problem(.notFound, "not captured", "\(application) is not captured by this hub", member: "application")
        }
        return Response(json: ["looking": true], status: .accepted)
    }

    /// Some applications post without headers of one's own: a token that may do nothing but ring may stand in the address.
    private func hookHolder(_ request: Request) throws(Problem) -> HTTPSettings.Token {
        if request.headers[.authorization] == nil, let text = request.uri.queryParameters["token"],
            let holder = tokens.holder(of: text.utf8), holder.publish == nil, holder.ask.isEmpty
        {
            return holder
        }
        return try holder(request)
    }

    // MARK: Who and what

    private func holder(_ request: Request) throws(Problem) -> HTTPSettings.Token { try tokens.holder(request.headers) }

    private static func application(_ context: OperationsContext) throws(Problem) -> ApplicationID {
        ApplicationID(context.parameters.get("application") ?? "")
    }

    private static func forbidden(_ what: String) -> Problem {
        Problem(.forbidden, "not allowed", "this token may not \(what)")
    }
}

/// Turns whatever goes wrong into a problem, and does not listen on where a body was not read.
private struct Problems: RouterMiddleware {
    func handle(
        _ request: Request, context: OperationsContext, next: (Request, OperationsContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch var problem as Problem {
            if [.unauthorized, .forbidden, .notFound].contains(problem.status) { problem.endsConnection = true }
            if problem.endsConnection { context.endConnectionSoon() }
            return problem.response
        } catch let error as HTTPError {
            let detail = error.status == .notFound ? "there is nothing at \(request.uri.path) for \(request.method)" : error.body ?? ""
            context.endConnectionSoon()
            return Problem(error.status, error.status.reasonPhrase, detail).response
        }
    }
}
