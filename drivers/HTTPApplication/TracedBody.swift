import NIOCore
import Synchronization

/// A request's body that notes when it is asked for: before that moment only the head can have left, and no server acts on that.
///
/// Without a body the mark stands from the start, as the head is all there is.
final class TracedBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let bytes: [UInt8]
    private let asked: Mutex<Bool>

    init(_ bytes: [UInt8]?) {
        self.bytes = bytes ?? []
        asked = Mutex(bytes == nil)
    }

    /// True from the moment at which the request may have arrived whole.
    var mayHaveArrived: Bool { asked.withLock { $0 } }

    func makeAsyncIterator() -> Iterator { Iterator(body: self) }

    struct Iterator: AsyncIteratorProtocol {
        let body: TracedBody
        private var isDone = false

        init(body: TracedBody) { self.body = body }

        mutating func next() async -> ByteBuffer? {
            if isDone { return nil }
            isDone = true
            body.asked.withLock { $0 = true }
            return ByteBuffer(bytes: body.bytes)
        }
    }
}
