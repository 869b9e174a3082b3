import NIOCore

/// Sends all that one turn of the event loop has written at once: a request's head, its body and its end would otherwise be a system call
/// and a packet each.
final class FlushOncePerTurn: ChannelOutboundHandler {
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private var context: ChannelHandlerContext?
    private var isDue = false

    /// Adds one next to a new connection's socket.
    static func add(to channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.submit { try channel.pipeline.syncOperations.addHandler(FlushOncePerTurn(), position: .first) }
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        flushIfDue()
        self.context = nil
    }

    func flush(context: ChannelHandlerContext) {
        guard !isDue else { return }
        isDue = true
        context.eventLoop.assumeIsolated().execute { self.flushIfDue() }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        flushIfDue()
        context.close(mode: mode, promise: promise)
    }

    private func flushIfDue() {
        guard isDue else { return }
        isDue = false
        context?.flush()
    }
}
