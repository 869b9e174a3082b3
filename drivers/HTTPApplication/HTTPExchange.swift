import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// One request and its answer. Everything between the caller's call and the whole answer happens on one event loop: a request that
/// changes threads for each of its parts costs several times as much.
final class HTTPExchange: HTTPClientResponseDelegate {
    typealias Response = HTTPReply

    /// More was answered than is allowed.
    struct TooLong: Error {
        let limit: Int
    }

    private struct State {
        var mayHaveArrived: Bool
        var isCalledOff = false
        var task: HTTPClient.Task<HTTPReply>?
        var head: HTTPResponseHead?
        var body = ByteBuffer()
    }

    private let state: Mutex<State>
    /// Bytes that an answer may have.
    private let limit: Int

    /// - Parameter hasBody: false: the head is all there is, so that the request may have arrived as soon as it is sent.
    init(hasBody: Bool, limit: Int) {
        state = Mutex(State(mayHaveArrived: !hasBody))
        self.limit = limit
    }

    /// True from the moment at which the request may have arrived whole: before its body is asked for only the head can have left, and no
    /// server acts on that.
    var mayHaveArrived: Bool { state.withLock { $0.mayHaveArrived } }

    /// Notes that the body is asked for.
    func bodyIsAsked() { state.withLock { $0.mayHaveArrived = true } }

    /// Sends the request and waits for the whole of its answer, a failure, the deadline, or the end of the caller's task.
    func result(_ request: HTTPClient.Request, _ client: HTTPClient, deadline: NIODeadline) async -> Result<HTTPReply, any Error> {
        let loop = client.eventLoopGroup.any()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if loop.inEventLoop {
                    begin(request, client, deadline, continuation)
                } else {
                    loop.execute { self.begin(request, client, deadline, continuation) }
                }
            }
        } onCancel: {
            let task = state.withLock { state in
                state.isCalledOff = true
                return state.task
            }
            task?.cancel()
        }
    }

    private func begin(
        _ request: HTTPClient.Request, _ client: HTTPClient, _ deadline: NIODeadline,
        _ continuation: CheckedContinuation<Result<HTTPReply, any Error>, Never>
    ) {
        let isCalledOff = state.withLock { $0.isCalledOff }
        if isCalledOff {
            continuation.resume(returning: .failure(CancellationError()))
            return
        }
        let task = client.execute(request: request, delegate: self, deadline: deadline)
        // Called off in the meantime: nobody has seen the task, and so nobody has ended it.
        let isTooLate = state.withLock { state in
            state.task = task
            return state.isCalledOff
        }
        if isTooLate { task.cancel() }
        task.futureResult.whenComplete { result in
            // The task holds this as its delegate.
            self.state.withLock { $0.task = nil }
            continuation.resume(returning: result)
        }
    }

    // MARK: The answer

    func didReceiveHead(task: HTTPClient.Task<HTTPReply>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        state.withLock { $0.head = head }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<HTTPReply>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        let isTooLong = state.withLock { state in
            guard state.body.readableBytes + buffer.readableBytes <= limit else { return true }
            if state.body.readableBytes == 0 { state.body = buffer } else { state.body.writeImmutableBuffer(buffer) }
            return false
        }
        return isTooLong ? task.eventLoop.makeFailedFuture(TooLong(limit: limit)) : task.eventLoop.makeSucceededVoidFuture()
    }

    func didFinishRequest(task: HTTPClient.Task<HTTPReply>) throws -> HTTPReply {
        try state.withLock { state in
            guard let head = state.head else { throw HTTPClientError.remoteConnectionClosed }
            return HTTPReply(
                status: Int(head.status.code), headers: head.headers.map { HTTPCall.Header($0.name, $0.value) },
                body: Array(state.body.readableBytesView))
        }
    }
}
