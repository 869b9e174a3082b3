/// Decides what becomes of requests and answers under a fault, and counts them. Does nothing itself, and is told the time.
struct ProxySwitch {
    typealias Moment = ContinuousClock.Instant

    private(set) var fault = Fault.none
    private(set) var traffic = Traffic()
    private(set) var hasStruck = false
    private var underWay: Set<Int> = []
    private var count = 0
    /// Requests up to this one began before the fault was armed.
    private var armedAt = 0

    /// No connection is made.
    var isRefusing: Bool {
        switch fault {
        case .refused: true
        case .outage: hasStruck
        default: false
        }
    }

    enum RequestFate: Equatable {
        case passes
        /// Both sides of the connection are reset, and the request never arrives.
        case reset
        /// It waits; its answer will be lost.
        case late(until: Moment)
        /// It is taken, and nothing ever happens.
        case swallowed
    }

    enum AnswerFate {
        case passes
        case lost
        case held(until: Moment)
        /// Until this has run.
        case heldFor(@Sendable () async -> Void)
    }

    /// Starts counting anew, under another fault.
    mutating func arm(_ fault: Fault) {
        self.fault = fault
        hasStruck = false
        armedAt = count
        traffic = Traffic()
    }

    /// A request begins; gives its number, by which its answer is known.
    mutating func request(now: Moment) -> (number: Int, fate: RequestFate) {
        count += 1
        traffic.requests.append(now)
        let place = count - armedAt
        switch fault {
        case .lostRequest(place):
            hasStruck = true
            return (count, .reset)
        case .outage where hasStruck: return (count, .reset)
        case .silent:
            hasStruck = true
            return (count, .swallowed)
        case .lateRequest(place, let delay):
            hasStruck = true
            begin()
            return (count, .late(until: now + delay))
        default:
            begin()
            return (count, .passes)
        }
    }

    private mutating func begin() {
        underWay.insert(count)
        traffic.mostAtOnce = max(traffic.mostAtOnce, underWay.count)
    }

    /// The answer to a request begins to come; `isLate`: the request had been late.
    mutating func answer(to number: Int, isLate: Bool, now: Moment) -> AnswerFate {
        if isLate { return .lost }
        let place = number - armedAt
        switch fault {
        case .lostAnswer(place):
            hasStruck = true
            return .lost
        case .outage(place):
            hasStruck = true
            return .passes
        case .slowAnswers(let delay):
            hasStruck = true
            return .held(until: now + delay)
        case .heldAnswer(place, let body):
            hasStruck = true
            return .heldFor(body)
        default: return .passes
        }
    }

    /// An answer begins to reach the driver, or its connection has ended.
    mutating func ended(_ number: Int) { underWay.remove(number) }
}
