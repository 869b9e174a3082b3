import HTTPTypes
import HubModel
import Hummingbird
import HummingbirdCore
import NIOCore

/// Reads the bodies of requests, within bounds of size and time.
struct BodyReader: Sendable {
    let limit: Int
    /// How long a client may take for its body, however it trickles in.
    let patience: Duration

    func read(_ request: Request, _ context: OperationsContext) async throws(Problem) -> [UInt8] {
        let length = request.headers[.contentLength].flatMap { Int($0) }
        if let length, length > limit { throw tooLarge }
        let channel = context.channel
        let alarm = channel.eventLoop.scheduleTask(in: .milliseconds(patience.milliseconds)) { channel.close(promise: nil) }
        defer { alarm.cancel() }
        var bytes: [UInt8] = []
        do {
            for try await part in request.body {
                guard bytes.count + part.readableBytes <= limit else { throw tooLarge }
                bytes.append(contentsOf: part.readableBytesView)
            }
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem(.requestTimeout, "no body", "the request's body did not come: \(error)")
        }
        // A connection that is cut ends a body as its last byte does.
        guard length ?? bytes.count == bytes.count else {
            throw Problem(.badRequest, "no body", "\(length ?? 0) bytes were announced, and \(bytes.count) came")
        }
        return bytes
    }

    private var tooLarge: Problem {
        var problem = Problem(.contentTooLarge, "too large", "a body may have \(limit) bytes (http.bodyBytes of the configuration)")
        problem.endsConnection = true
        return problem
    }
}
