#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// One connection of a driver and its other half to the application.
struct ProxyLink {
    typealias Moment = ContinuousClock.Instant

    let client: Int32
    let server: Int32
    /// The newest request.
    private(set) var number: Int?
    /// The request whose answer has come, and has not begun to reach the driver.
    private var answered: Int?
    /// The driver spoke last.
    private(set) var isInRequest = false
    private(set) var isLate = false
    private(set) var isSilent = false
    private(set) var isDone = false
    private var toServer: [UInt8] = []
    private var toClient: [UInt8] = []
    private var requestHeld: Moment?
    private var answerHeld: Moment?
    private var heldForBody: Int?
    private var losesAnswer = false
    private var clientHasEnded = false
    private var serverHasEnded = false
    private var hasToldServer = false
    /// A late request that nobody answers is given up then.
    private var givenUp: Moment?

    /// Bytes kept for one side, beyond which the other is not read.
    private static let most = 4 << 20

    init(client: Int32, server: Int32) {
        self.client = client
        self.server = server
    }

    /// Requests that nothing more will be heard of where the connection ends.
    var pending: [Int] { [number, answered].compactMap { $0 } }

    // MARK: Requests

    /// A late request goes on its way, whatever becomes of the driver.
    var isOnItsWay: Bool { isLate && !isDone }
    var readsClient: Bool { !isDone && !clientHasEnded && toServer.count < Self.most }
    var readsServer: Bool { !isDone && !serverHasEnded && toClient.count < Self.most }

    mutating func begin(_ number: Int, _ fate: ProxySwitch.RequestFate) {
        self.number = number
        isInRequest = true
        switch fate {
        case .passes: break
        case .reset: reset()
        case .swallowed: isSilent = true
        case .late(let until):
            isLate = true
            requestHeld = until
            givenUp = until + .seconds(30)
        }
    }

    mutating func take(_ bytes: [UInt8]) { if !isSilent, !isDone { toServer += bytes } }

    mutating func clientEnded() { clientHasEnded = true }

    // MARK: Answers

    mutating func answer(_ fate: ProxySwitch.AnswerFate) {
        isInRequest = false
        answered = number
        switch fate {
        case .passes: break
        case .lost: losesAnswer = true
        case .held(let until): answerHeld = until
        case .heldFor: heldForBody = number
        }
    }

    mutating func give(_ bytes: [UInt8]) { if !isSilent { toClient += bytes } }

    mutating func serverEnded() { serverHasEnded = true }

    /// An answer has been held long enough.
    mutating func release(_ number: Int) { if heldForBody == number { heldForBody = nil } }

    // MARK: Moving

    /// Moves what may be moved; `ended` is told the request whose answer begins to reach the driver.
    mutating func move(_ now: Moment, ended: (Int) -> Void) {
        guard !isDone else { return }
        if losesAnswer { return reset() }
        if let held = requestHeld, held <= now { requestHeld = nil }
        if let held = answerHeld, held <= now { answerHeld = nil }
        if requestHeld == nil {
            guard Self.flush(&toServer, server) else { return reset() }
            if clientHasEnded, toServer.isEmpty, !hasToldServer, !isLate {
                Socket.endSending(server)
                hasToldServer = true
            }
        }
        if answerHeld == nil, heldForBody == nil {
            if !toClient.isEmpty, let number = answered {
                ended(number)
                answered = nil
            }
            // A driver that has gone takes no answer; the application need not know.
            if !Self.flush(&toClient, client) { return reset() }
            if serverHasEnded, toClient.isEmpty { return end() }
        }
        if let givenUp, givenUp <= now { return end() }
        if isSilent, clientHasEnded { end() }
    }

    /// False where the connection has ended.
    private static func flush(_ bytes: inout [UInt8], _ descriptor: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            guard let count = Socket.write(descriptor, bytes[sent...]) else { return false }
            if count == 0 { break }
            sent += count
        }
        bytes.removeFirst(sent)
        return true
    }

    private mutating func end() {
        guard !isDone else { return }
        isDone = true
        Socket.end(client)
        Socket.end(server)
    }

    /// Ends both halves; the driver sees a reset.
    mutating func reset() {
        guard !isDone else { return }
        isDone = true
        Socket.reset(client)
        Socket.end(server)
    }

    // MARK: Waiting

    /// What the thread waits for on this connection.
    var interests: [(descriptor: Int32, events: Int16)] {
        guard !isDone else { return [] }
        var client = Int16(readsClient ? POLLIN : 0)
        var server = Int16(readsServer ? POLLIN : 0)
        if !toServer.isEmpty, requestHeld == nil { server |= Int16(POLLOUT) }
        if !toClient.isEmpty, answerHeld == nil, heldForBody == nil { client |= Int16(POLLOUT) }
        // Without an interest a descriptor that has ended would keep waking the thread.
        return [(self.client, client), (self.server, server)].filter { $0.1 != 0 }
    }

    /// When something is to be moved without anything having come.
    var wakes: Moment? { [requestHeld, answerHeld, givenUp].compactMap { $0 }.min() }
}
