import Foundation
import Glibc
import Synchronization

/// A server of bytes on 127.0.0.1: what each connection's requests are answered with, a test says.
final class TinyServer: Sendable {
    enum Step: Sendable {
        /// These bytes, and the connection stays open.
        case bytes([UInt8])
        case close
        /// A reset, as of a process that died.
        case reset
        case wait(milliseconds: UInt32)
    }

    let port: UInt16
    private let listener: Int32
    private let requests = Mutex<[String]>([])

    /// - Parameter steps: what is done when a request has been read to its end.
    init(_ steps: @escaping @Sendable (_ request: String) -> [Step]) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        listener = descriptor
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        guard bound else { throw CocoaError(.fileNoSuchFile) }
        port = UInt16(bigEndian: address.sin_port)
        let note: @Sendable (String) -> Void = { [weak self] request in self?.requests.withLock { $0.append(request) } }
        Thread.detachNewThread {
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return }
                Thread.detachNewThread { Self.serve(connection, note, steps) }
            }
        }
    }

    deinit { stop() }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    var seen: [String] { requests.withLock { $0 } }
    var url: String { "http://127.0.0.1:\(port)" }

    private static func serve(_ connection: Int32, _ note: (String) -> Void, _ steps: (String) -> [Step]) {
        defer { close(connection) }
        var pending: [UInt8] = []
        while let request = readRequest(connection, &pending) {
            note(request)
            for step in steps(request) {
                switch step {
                case .bytes(let bytes):
                    _ = bytes.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                case .close: return
                case .reset:
                    var linger = linger(l_onoff: 1, l_linger: 0)
                    setsockopt(connection, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
                    return
                case .wait(let milliseconds): usleep(milliseconds * 1000)
                }
            }
        }
    }

    private static func readRequest(_ connection: Int32, _ pending: inout [UInt8]) -> String? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let text = String(decoding: pending, as: UTF8.self)
            if let head = text.range(of: "\r\n\r\n") {
                let names = text[..<head.lowerBound].lowercased()
                let length = names.range(of: "content-length: ").flatMap { Int(names[$0.upperBound...].prefix { $0.isNumber }) } ?? 0
                let end = text[..<head.upperBound].utf8.count + length
                if pending.count >= end {
                    pending.removeFirst(end)
                    return text
                }
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            pending += buffer.prefix(count)
        }
    }

    static func reply(_ status: Int, _ headers: [String] = [], _ body: [UInt8]) -> Step {
        let head = ["HTTP/1.1 \(status) X", "Content-Length: \(body.count)"] + headers
        return .bytes(Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body)
    }
}
