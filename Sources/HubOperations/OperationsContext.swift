import Hummingbird
import HummingbirdCore
import NIOCore

/// What a request carries along: its connection, to be cut where its client does not play fair.
struct OperationsContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    /// Ends the connection once the response has had the time to go out: a client that still sends is not listened to.
    func endConnectionSoon() {
        let channel = channel
        channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
    }
}
