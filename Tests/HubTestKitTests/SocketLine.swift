import HubDriver
import HubModel
import HubTestKit
import Synchronization

/// The warehouse on a real socket: requests are numbers on the wire, and what they mean happens where they arrive.
final class WarehouseServer: Sendable {
    private struct State {
        var work: [Int: @Sendable () -> Void] = [:]
        var next = 0
    }

    private final class Box: Sendable { let state = Mutex(State()) }

    private let box = Box()
    private let server: EchoServer

    var port: Int { server.port }

    init() throws {
        server = try EchoServer { [box] text in
            let work = box.state.withLock { state in Int(text).flatMap { state.work.removeValue(forKey: $0) } }
            work?()
            return text
        }
    }

    /// Keeps what a request means until it arrives; gives its number.
    func keep(_ work: @escaping @Sendable () -> Void) -> String {
        box.state.withLock { state in
            state.next += 1
            state.work[state.next] = work
            return String(state.next)
        }
    }
}

/// A driver's way to a ``WarehouseServer``, with connections that are used again or not.
final class SocketLine: Line {
    private let server: WarehouseServer
    private let port: Int
    private let keeps: Bool
    private let free = Mutex<[EchoClient]>([])

    init(_ server: WarehouseServer, port: Int, keeps: Bool) {
        self.keeps = keeps
        self.server = server
        self.port = port
    }

    func request<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        let answer = Slot<T>()
        let number = server.keep { answer.put(Result { try work() }) }
        let client: EchoClient
        if let known = free.withLock({ $0.popLast() }) {
            client = known
        } else {
            do { client = try await EchoClient(port: port) } catch { throw LineFailure.refused }
        }
        guard await client.ask(number) == number, let result = answer.result else { throw LineFailure.reset }
        if keeps { free.withLock { $0.append(client) } }
        return try result.get()
    }

    /// Where the result of a request is put.
    private final class Slot<T: Sendable>: Sendable {
        private let kept = Mutex<Result<T, any Error>?>(nil)

        var result: Result<T, any Error>? { kept.withLock { $0 } }
        func put(_ result: Result<T, any Error>) { kept.withLock { $0 = result } }
    }
}

/// The warehouse's bench with the kit's proxy between.
struct SocketBench: DriverBench {
    let inside: WarehouseBench
    let server: WarehouseServer
    let proxy: TCPProxy

    init(defect: Defect? = nil) throws {
        inside = WarehouseBench(defect: defect)
        server = try WarehouseServer()
        proxy = try TCPProxy(to: "127.0.0.1", server.port)
    }

    var faults: any FaultInjector { proxy }
    var samples: [Sample] { inside.samples }
    var questions: [QuestionSample] { inside.questions }

    func makeDriver() async throws -> any Driver {
        // A connection that is kept is reset in an outage, and hides whether a refused one would be taken for harmless.
        let line = SocketLine(server, port: proxy.port, keeps: inside.defect != .unreachableMidway)
        return WarehouseDriver(warehouse: inside.warehouse, wire: line, profile: inside.profile, defect: inside.defect)
    }
}
