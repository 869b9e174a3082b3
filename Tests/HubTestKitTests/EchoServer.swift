import Foundation
import Synchronization

@testable import HubTestKit

/// Answers each line with another; without a word on how, with the line and an exclamation mark.
final class EchoServer: Sendable {
    private struct State {
        var heard: [String] = []
        var isStopped = false
    }

    private final class Box: Sendable { let state = Mutex(State()) }

    private let box = Box()
    let port: Int

    init(_ answer: @escaping @Sendable (String) -> String = { $0 + "!" }) throws {
        let listener = try Socket.listen(port: 0)
        port = Int(listener.port)
        Thread.detachNewThread { [box] in Self.serve(listener.descriptor, box, answer) }
    }

    deinit { box.state.withLock { $0.isStopped = true } }

    /// Lines heard, in the order in which they came.
    var heard: [String] { box.state.withLock { $0.heard } }

    private static func serve(_ listener: Int32, _ box: Box, _ answer: (String) -> String) {
        var clients: [Int32: [UInt8]] = [:]
        while !box.state.withLock({ $0.isStopped }) {
            while let client = Socket.accept(listener) { clients[client] = [] }
            for client in Array(clients.keys) {
                switch Socket.read(client) {
                case .nothing: break
                case .ended:
                    Socket.end(client)
                    clients[client] = nil
                case .bytes(let bytes):
                    clients[client]? += bytes
                    while let line = clients[client], let end = line.firstIndex(of: 0x0A) {
                        let text = String(decoding: line[..<end], as: UTF8.self)
                        clients[client] = Array(line[(end + 1)...])
                        box.state.withLock { $0.heard.append(text) }
                        send(client, answer(text) + "\n")
                    }
                }
            }
            usleep(500)
        }
        for client in clients.keys { Socket.end(client) }
        Socket.end(listener)
    }

    private static func send(_ client: Int32, _ text: String) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            guard let count = Socket.write(client, bytes[sent...]) else { return }
            if count == 0 { usleep(200) }
            sent += count
        }
    }
}

/// Asks an ``EchoServer`` line by line.
final class EchoClient: Sendable {
    private let descriptor: Int32
    private let isClosed = Mutex(false)

    init(port: Int) async throws {
        guard let descriptor = Socket.connect(host: "127.0.0.1", port: UInt16(port)) else { throw ProxyError("nobody is there") }
        self.descriptor = descriptor
    }

    deinit { close() }

    /// Sends a line ahead, without waiting for its answer.
    func send(_ text: String) {
        let bytes = Array((text + "\n").utf8)
        var sent = 0
        while sent < bytes.count, let count = Socket.write(descriptor, bytes[sent...]) { sent += count }
    }

    /// The answer; nil where the connection has ended before it was whole.
    func ask(_ text: String) async -> String? {
        let bytes = Array((text + "\n").utf8)
        var sent = 0
        var got: [UInt8] = []
        while !isClosed.withLock({ $0 }), !Task.isCancelled {
            if sent < bytes.count {
                guard let count = Socket.write(descriptor, bytes[sent...]) else { return nil }
                sent += count
            }
            switch Socket.read(descriptor) {
            case .bytes(let more): got += more
            case .ended: return nil
            case .nothing: try? await Task.sleep(for: .microseconds(300))
            }
            if got.last == 0x0A { return String(decoding: got.dropLast(), as: UTF8.self) }
        }
        return nil
    }

    func close() {
        isClosed.withLock { isClosed in
            if !isClosed { Socket.end(descriptor) }
            isClosed = true
        }
    }
}
