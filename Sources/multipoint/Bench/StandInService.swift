import Foundation
import HTTPTypes
import HubDriver
import HubModel
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Synchronization

/// An application with a REST interface that answers every request after the same time: customers with versions, in memory.
final class StandInService: Sendable {
    /// How long it takes for each request.
    static let delay = Duration.milliseconds(5)
    static let token = "stand-in"

    private struct Row: Sendable {
        var fields: Fields
        var version = 1
    }

    private let rows = Mutex<[String: Row]>([:])
    private static let mostRows = 10_000
    private static let longestBody = 1 << 20

    /// Serves on 127.0.0.1 until the task is cancelled.
    ///
    /// - Parameter listens: told the port.
    func serve(_ listens: @escaping @Sendable (Int) -> Void) async throws {
        let router = Router(context: BasicRequestContext.self)
        router.post("/customers") { request, context in try await self.answer(request, context, self.insert) }
        router.get("/customers/:key") { request, context in try await self.answer(request, context, self.read) }
        router.patch("/customers/:key") { request, context in try await self.answer(request, context, self.change) }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in listens(channel.localAddress?.port ?? 0) },
            logger: Logger(label: "multipoint.stand-in") { _ in SwiftLogNoOpLogHandler() })
        try await application.run()
    }

    /// The process of its own: prints the port and serves until its standard input ends.
    static func runProcess() {
        let service = Task { try await StandInService().serve { Output.line("\($0)") } }
        _ = try? FileHandle.standardInput.readToEnd()
        service.cancel()
    }

    // MARK: Requests

    private struct Asked: Sendable {
        var key: String
        var condition: String?
        var fields: Fields
    }

    private func answer(
        _ request: Request, _ context: BasicRequestContext, _ answer: @Sendable (Asked) -> Response
    ) async throws -> Response {
        guard request.headers[.authorization] == "Bearer \(Self.token)" else { return Response(status: .unauthorized) }
        let body = try await request.body.collect(upTo: Self.longestBody)
        let fields = try body.readableBytes == 0 ? Fields() : JSONText.value(Array(body.readableBytesView)).object ?? Fields()
        try await Task.sleep(for: Self.delay)
        return answer(Asked(key: context.parameters.get("key") ?? "", condition: request.headers[.ifMatch], fields: fields))
    }

    private func insert(_ asked: Asked) -> Response {
        rows.withLock { rows in
            if rows.count >= Self.mostRows { return Response(status: .serviceUnavailable) }
            let key = "C\(rows.count + 1)"
            var row = Row(fields: asked.fields)
            row.fields["id"] = .string(key)
            rows[key] = row
            return Self.response(.created, row)
        }
    }

    private func read(_ asked: Asked) -> Response {
        rows.withLock { rows in rows[asked.key].map { Self.response(.ok, $0) } ?? Response(status: .notFound) }
    }

    private func change(_ asked: Asked) -> Response {
        rows.withLock { rows in
            guard var row = rows[asked.key] else { return Response(status: .notFound) }
            if let condition = asked.condition, condition != "*", condition != Self.mark(row) {
                return Response(status: .preconditionFailed)
            }
            row.fields = row.fields.overlaid(with: asked.fields)
            row.version += 1
            rows[asked.key] = row
            return Self.response(.ok, row)
        }
    }

    private static func mark(_ row: Row) -> String { "\"v\(row.version)\"" }

    private static func response(_ status: HTTPResponse.Status, _ row: Row) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json", .eTag: mark(row)],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: JSONText.bytes(.object(row.fields)))))
    }
}
