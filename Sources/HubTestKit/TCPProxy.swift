import Foundation
import Synchronization

/// Stands between a driver and its application on TCP, and lets things go wrong: for drivers in any language, over any protocol.
///
/// A *request* is what the driver sends on a connection after it was last answered there (or from the start); its *answer* is what comes
/// back before the driver sends again. What is inside is not looked at, so encrypted connections work as well; their handshakes count
/// as requests. The driver has to be given ``port`` on 127.0.0.1 instead of the application's address.
public final class TCPProxy: FaultInjector {
    private let loop: ProxyLoop

    /// Where the proxy listens, on 127.0.0.1.
    public let port: Int

    /// Begins to listen.
    ///
    /// - Parameters:
    ///   - host: of the application.
    ///   - port: of the application.
    /// - Throws: ``ProxyError`` where this machine gives no port.
    public init(to host: String, _ port: Int) throws {
        guard let target = UInt16(exactly: port) else { throw ProxyError("\(port) is no port") }
        let listener = try Socket.listen(port: 0)
        self.port = Int(listener.port)
        loop = try ProxyLoop(host: host, port: target, listener: listener.descriptor, own: listener.port)
        let thread = Thread { [loop] in loop.run() }
        thread.name = "proxy to \(host):\(port)"
        thread.start()
    }

    deinit { loop.stop() }

    public func canMake(_ fault: Fault) -> Bool { true }

    /// Arms a fault. A refusing or silent proxy resets what is open; late requests go on their way whatever is armed next.
    ///
    /// - Throws: ``ProxyError`` where the port could not be listened on again after ``Fault/refused``.
    public func arm(_ fault: Fault) async throws { try await loop.arm(fault) }

    public var hasStruck: Bool { loop.hasStruck }
    public var traffic: Traffic? { loop.traffic }
}
