import Foundation
import Synchronization

/// A TCP relay in front of the server that breaks a connection at its first COMMIT, once: before the server gets it, or after the server
/// has answered it.
final class SeveringProxy: Sendable {
    enum Moment { case beforeCommit, afterCommit }

    let port: Int
    private let listener: Int32
    private let server: Int
    private let armed = Mutex<Moment?>(nil)
    private let cuts = Atomic<Int>(0)

    var count: Int { cuts.load(ordering: .relaxed) }

    init(to server: Int) throws {
        self.server = server
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard bound else { throw CocoaError(.fileNoSuchFile) }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread { [self] in accept() }.start()
    }

    func arm(_ moment: Moment) { armed.withLock { $0 = moment } }
    func close() { shutdown(listener, Int32(SHUT_RDWR)) }

    private func accept() {
        while true {
            let client = Foundation.accept(listener, nil, nil)
            if client < 0 { return }
            let upstream = connect()
            if upstream < 0 {
                Foundation.close(client)
                continue
            }
            let isMuted = Mute()
            Thread { [self] in relay(client, upstream, isFromClient: true, isMuted) }.start()
            Thread { [self] in relay(upstream, client, isFromClient: false, isMuted) }.start()
        }
    }

    private final class Mute: Sendable {
        let isMuted = Atomic<Bool>(false)
    }

    private func connect() -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(server).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return code == 0 ? descriptor : -1
    }

    private func relay(_ from: Int32, _ to: Int32, isFromClient: Bool, _ mute: Mute) {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(from, &buffer, buffer.count)
            if count <= 0 { break }
            if isFromClient, let moment = fires(buffer[..<count]) {
                if moment == .beforeCommit { break }
                mute.isMuted.store(true, ordering: .sequentiallyConsistent)
            }
            if !isFromClient && mute.isMuted.load(ordering: .sequentiallyConsistent) {
                // The server has answered the COMMIT: the client never hears of it.
                break
            }
            var sent = 0
            while sent < count {
                let written = buffer.withUnsafeBytes {
                    send(to, $0.baseAddress?.advanced(by: sent), count - sent, Int32(MSG_NOSIGNAL))
                }
                if written <= 0 { break }
                sent += written
            }
        }
        shutdown(from, Int32(SHUT_RDWR))
        shutdown(to, Int32(SHUT_RDWR))
    }

    private func fires(_ bytes: ArraySlice<UInt8>) -> Moment? {
        armed.withLock { armed in
            guard let moment = armed, String(decoding: bytes, as: UTF8.self).contains("COMMIT") else { return nil }
            armed = nil
            cuts.add(1, ordering: .relaxed)
            return moment
        }
    }
}
