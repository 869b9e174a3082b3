import FoundationEssentials
import HubModel
import Synchronization

/// Requests promised to one piece of work; given back with ``end()`` where they were not needed.
final class Permit: Sendable {
    private let meter: Meter
    private let left: Mutex<Int>

    fileprivate init(_ meter: Meter, _ count: Int) {
        self.meter = meter
        left = Mutex(count)
    }

    /// A request goes out now. Work that needs more than it was promised is never broken off: the request counts all the same.
    func use() {
        let wasPromised = left.withLock { left in
            defer { left = max(0, left - 1) }
            return left > 0
        }
        meter.use(wasPromised: wasPromised)
    }

    func end() {
        let rest = left.withLock { left in
            defer { left = 0 }
            return left
        }
        meter.release(rest)
    }
}

/// The driver's requests, counted.
final class Meter: Sendable {
    private let pace: Mutex<Pace>

    init(_ limits: Pace.Limits) { pace = Mutex(Pace(limits)) }

    /// Requests for one piece of work.
    func permit(_ count: Int, matters: Bool) throws(CallFailure) -> Permit {
        switch pace.withLock({ $0.promise(count, now: .now, matters: matters) }) {
        case .granted: return Permit(self, count)
        case .wait(let time, let reason): throw .busy(after: min(time, .seconds(3600)), reason)
        }
    }

    func heard(remaining: Int) { pace.withLock { $0.heard(remaining: remaining, now: .now) } }

    fileprivate func use(wasPromised: Bool) { pace.withLock { $0.use(now: .now, wasPromised: wasPromised) } }
    fileprivate func release(_ count: Int) { pace.withLock { $0.release(count) } }
}

extension Instant {
    /// By this machine's clock.
    static var now: Instant { Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
}
