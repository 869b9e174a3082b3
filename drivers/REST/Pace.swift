import HubModel

/// How many requests may be made: a minute's limit by a sliding window, and a day's budget with a reserve for what matters.
///
/// A plain state machine: time is passed in, nothing is waited for.
struct Pace: Sendable {
    struct Limits: Sendable, Hashable {
        /// Requests within any 60 seconds; nil without a limit.
        var perMinute: Int?
        /// Requests in a day, counted in UTC; nil without a limit.
        var perDay: Int?
        /// The day's last requests, for what matters only.
        var reserve = 0
    }

    enum Decision: Sendable, Hashable {
        case granted
        /// Not before this time has passed.
        case wait(Duration, reason: String)
    }

    private let limits: Limits
    private var sent: [Instant] = []
    private var promised = 0
    private var day: Int64 = 0
    private(set) var usedToday = 0

    private static let dayLength: Int64 = 86_400_000
    private static let minute = Duration.seconds(60)

    init(_ limits: Limits) { self.limits = limits }

    /// Promises so many requests, all or none.
    mutating func promise(_ count: Int, now: Instant, matters: Bool) -> Decision {
        begin(now)
        if let perDay = limits.perDay {
            let most = matters ? perDay : max(0, perDay - limits.reserve)
            if usedToday + promised + count > most {
                let rest = Duration.milliseconds((day + 1) * Self.dayLength - now.milliseconds)
                let what = usedToday + promised + count > perDay ? "the day's budget" : "the day's budget without its reserve"
                return .wait(rest, reason: "\(what) of \(most) requests is spent")
            }
        }
        if let perMinute = limits.perMinute, sent.count + promised + count > perMinute {
            // The oldest that have to leave the window; what is promised leaves a minute from now at the earliest.
            let over = sent.count + promised + count - perMinute
            let until = over <= sent.count ? sent[over - 1] + Self.minute : now + Self.minute
            return .wait(max(.milliseconds(1), until - now), reason: "the limit of \(perMinute) requests a minute is reached")
        }
        promised += count
        return .granted
    }

    /// A request is sent; one that was promised, or one that had to be.
    mutating func use(now: Instant, wasPromised: Bool) {
        begin(now)
        if wasPromised { promised = max(0, promised - 1) }
        if limits.perMinute != nil { sent.append(now) }
        usedToday += 1
    }

    /// Promised requests that are not needed.
    mutating func release(_ count: Int) { promised = max(0, promised - count) }

    /// The application says how many requests the day still has.
    mutating func heard(remaining: Int, now: Instant) {
        guard let perDay = limits.perDay, remaining >= 0 else { return }
        begin(now)
        usedToday = max(usedToday, perDay - remaining)
    }

    private mutating func begin(_ now: Instant) {
        let today = now.milliseconds / Self.dayLength
        if today != day {
            day = today
            usedToday = 0
        }
        sent.removeAll { now - $0 >= Self.minute }
    }
}
