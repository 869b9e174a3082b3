package import HubModel

/// Whether an application is being called: closed while it answers, open after failures, half open while one probe is under way.
///
/// A plain state machine; its owner asks before it calls, and tells what came back. The time between probes doubles up to a limit and is
/// spread by a random share, so that many hubs do not knock at once.
package struct Breaker: Sendable {
    package enum State: Sendable, Equatable {
        case closed
        /// Not before that time.
        case open(until: Instant)
        case probing
    }

    package private(set) var state = State.closed
    /// Failures since the last success.
    package private(set) var failures = 0
    private let firstDelay: Duration
    private let longestDelay: Duration
    /// Calls without an answer in a row that open it; one refused connection does.
    private let silences: Int

    package init(firstDelay: Duration = .milliseconds(200), longestDelay: Duration = .seconds(30), silences: Int = 3) {
        self.firstDelay = firstDelay
        self.longestDelay = longestDelay
        self.silences = silences
    }

    /// Opens it so that a probe comes first: an application is asked who it is before anything is written to it.
    package mutating func probeFirst(now: Instant) { state = .open(until: now) }

    /// True where calls may be made.
    package var isClosed: Bool { state == .closed }

    /// When a probe is due; nil while closed or probing.
    package var probeDue: Instant? { if case .open(let until) = state { until } else { nil } }

    /// True, once, when it is time for a probe.
    package mutating func startsProbe(now: Instant) -> Bool {
        guard case .open(let until) = state, now >= until else { return false }
        state = .probing
        return true
    }

    package mutating func succeeded() {
        state = .closed
        failures = 0
    }

    /// The application could not be reached, or refused us.
    /// - Parameter jitter: from 0 to 1, chosen by the caller.
    package mutating func failed(now: Instant, jitter: Double) {
        failures += 1
        open(now: now, jitter: jitter)
    }

    /// A call ended without an answer.
    package mutating func silent(now: Instant, jitter: Double) {
        failures += 1
        if failures >= silences { open(now: now, jitter: jitter) }
    }

    private mutating func open(now: Instant, jitter: Double) {
        let doubled = min(firstDelay.milliseconds << min(Int64(failures - 1), 20), longestDelay.milliseconds)
        state = .open(until: now + .milliseconds(max(1, doubled / 2 + Int64(Double(doubled / 2) * jitter))))
    }
}
