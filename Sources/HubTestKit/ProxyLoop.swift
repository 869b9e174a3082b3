import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The proxy's thread: moves bytes as the switch decides, and alone touches the connections.
final class ProxyLoop: Sendable {
    private struct Order {
        var fault: Fault
        var done: CheckedContinuation<Result<Void, ProxyError>, Never>
    }

    private struct Shared {
        var `switch` = ProxySwitch()
        var orders: [Order] = []
        /// Requests whose answers have been held long enough.
        var released: [Int] = []
        var isStopped = false
        var hasEnded = false
    }

    private let shared = Mutex(Shared())
    private let host: String
    private let port: UInt16
    private let own: UInt16
    private let listener: Int32
    /// Written to so that the thread looks up.
    private let bell: (read: Int32, write: Int32)

    init(host: String, port: UInt16, listener: Int32, own: UInt16) throws(ProxyError) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw ProxyError("no pipe can be made") }
        for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        bell = (ends[0], ends[1])
        self.host = host
        self.port = port
        self.own = own
        self.listener = listener
    }

    // MARK: From outside

    var hasStruck: Bool { shared.withLock { $0.switch.hasStruck } }
    var traffic: Traffic { shared.withLock { $0.switch.traffic } }

    func arm(_ fault: Fault) async throws(ProxyError) {
        let result: Result<Void, ProxyError> = await withCheckedContinuation { continuation in
            let isTaken = shared.withLock { shared in
                guard !shared.hasEnded else { return false }
                shared.orders.append(Order(fault: fault, done: continuation))
                return true
            }
            if isTaken { ring() } else { continuation.resume(returning: .failure(ProxyError("the proxy has ended"))) }
        }
        try result.get()
    }

    func stop() {
        shared.withLock { $0.isStopped = true }
        ring()
    }

    private func release(_ number: Int) {
        shared.withLock { $0.released.append(number) }
        ring()
    }

    private func ring() {
        var byte: UInt8 = 1
        _ = write(bell.write, &byte, 1)
    }

    // MARK: The thread

    func run() {
        var links: [ProxyLink] = []
        var door: Int32? = listener
        while true {
            let (isStopped, orders, released) = shared.withLock { shared in
                defer {
                    shared.orders = []
                    shared.released = []
                }
                if shared.isStopped { shared.hasEnded = true }
                return (shared.isStopped, shared.orders, shared.released)
            }
            for order in orders {
                order.done.resume(returning: isStopped ? .failure(ProxyError("the proxy has ended")) : carryOut(order.fault, &links, &door))
            }
            if isStopped { break }
            for number in released { for index in links.indices { links[index].release(number) } }
            let now = ContinuousClock.now
            for index in links.indices { links[index].move(now) { number in shared.withLock { $0.switch.ended(number) } } }
            clear(&links)
            wait(links, door)
            if let door { while let client = Socket.accept(door) { open(client, &links) } }
            for index in links.indices { receive(&links[index]) }
            if shared.withLock({ $0.switch.isRefusing }) { shut(&door) }
        }
        for index in links.indices { links[index].reset() }
        if let door { Socket.end(door) }
        Socket.end(bell.read)
        Socket.end(bell.write)
    }

    private func carryOut(_ fault: Fault, _ links: inout [ProxyLink], _ door: inout Int32?) -> Result<Void, ProxyError> {
        let old = shared.withLock { shared in
            defer { shared.switch.arm(fault) }
            return shared.switch.fault
        }
        // What a silent proxy has taken is lost: its connections cannot go on.
        if case .silent = old { for index in links.indices where links[index].isSilent { links[index].reset() } }
        if case .refused = fault {
            shut(&door)
            for index in links.indices where !links[index].isOnItsWay { links[index].reset() }
        } else if door == nil {
            do throws(ProxyError) { door = try Socket.listen(port: own).descriptor } catch { return .failure(error) }
        }
        clear(&links)
        return .success(())
    }

    /// Refuses connections.
    private func shut(_ door: inout Int32?) {
        if let open = door { Socket.end(open) }
        door = nil
    }

    private func clear(_ links: inout [ProxyLink]) {
        for link in links where link.isDone {
            shared.withLock { shared in for number in link.pending { shared.switch.ended(number) } }
        }
        links.removeAll { $0.isDone }
    }

    private func open(_ client: Int32, _ links: inout [ProxyLink]) {
        guard let server = Socket.connect(host: host, port: port) else { return Socket.reset(client) }
        links.append(ProxyLink(client: client, server: server))
    }

    private func wait(_ links: [ProxyLink], _ door: Int32?) {
        var list = [pollfd(fd: bell.read, events: Int16(POLLIN), revents: 0)]
        if let door { list.append(pollfd(fd: door, events: Int16(POLLIN), revents: 0)) }
        for link in links { list += link.interests.map { pollfd(fd: $0.descriptor, events: $0.events, revents: 0) } }
        let next = links.compactMap(\.wakes).min()
        let milliseconds = next.map { max(0, ($0 - ContinuousClock.now).wholeMilliseconds + 1) } ?? 60_000
        _ = poll(&list, nfds_t(list.count), Int32(clamping: milliseconds))
        var bytes: [UInt8] = Array(repeating: 0, count: 64)
        while read(bell.read, &bytes, bytes.count) == bytes.count {}
    }

    // MARK: Bytes

    private func receive(_ link: inout ProxyLink) {
        while link.readsClient {
            switch Socket.read(link.client) {
            case .nothing: return receiveAnswer(&link)
            case .ended:
                link.clientEnded()
            case .bytes(let bytes):
                if !link.isInRequest {
                    let earlier = link.pending
                    let (number, fate) = shared.withLock { shared in
                        // What a connection sends before it has the answer to what it sent is one after the other for the application.
                        for number in earlier { shared.switch.ended(number) }
                        return shared.switch.request(now: .now)
                    }
                    link.begin(number, fate)
                }
                link.take(bytes)
            }
        }
        receiveAnswer(&link)
    }

    private func receiveAnswer(_ link: inout ProxyLink) {
        while link.readsServer {
            switch Socket.read(link.server) {
            case .nothing: return
            case .ended:
                link.serverEnded()
            case .bytes(let bytes):
                if link.isInRequest, let number = link.number {
                    let isLate = link.isLate
                    let fate = shared.withLock { $0.switch.answer(to: number, isLate: isLate, now: .now) }
                    if case .heldFor(let body) = fate {
                        // Ends with the body or after a second, whichever is first.
                        Task { [weak self] in
                            let call = RunningCall { await body() }
                            _ = await call.result(within: .seconds(1))
                            self?.release(number)
                        }
                    }
                    link.answer(fate)
                }
                link.give(bytes)
            }
        }
    }
}

extension Duration {
    fileprivate var wholeMilliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
