package import HubModel

/// How long to wait and what to say while a feed cannot be read or published: at once, then at growing intervals, and when it goes on.
///
/// A plain state machine; its owner tells it how each try ended.
package struct FeedTrouble: Sendable {
    package enum Word: Sendable, Equatable {
        /// The first failure after everything was well.
        case begun
        /// Still so: for how long by now, and how many tries failed.
        case lasting(Duration, failures: Int)
        /// It goes on, after that long.
        case over(Duration, failures: Int)
    }

    /// Failures since the last success.
    package private(set) var failures = 0
    private var since = Instant(milliseconds: 0)
    private var nextWord = Instant(milliseconds: 0)
    private let firstInterval: Duration
    private var interval: Duration

    package static let standardInterval = Duration.seconds(60)
    private static let longestInterval = Duration.seconds(3600)
    private static let firstWait = 100
    private static let longestWait = 30_000

    /// - Parameter firstInterval: between the first word and the second; doubles from then on, up to an hour.
    package init(firstInterval: Duration = Self.standardInterval) {
        self.firstInterval = firstInterval
        interval = firstInterval
    }

    /// Milliseconds before the next try; doubles with each failure, up to half a minute.
    package var wait: Int { min(Self.longestWait, Self.firstWait << min(failures, 10)) }

    /// A try failed; nil where there is nothing to say yet.
    package mutating func failed(now: Instant) -> Word? {
        failures += 1
        if failures == 1 {
            since = now
            interval = firstInterval
            nextWord = now + interval
            return .begun
        }
        guard now >= nextWord else { return nil }
        interval = min(interval * 2, Self.longestInterval)
        nextWord = now + interval
        return .lasting(now - since, failures: failures)
    }

    /// A try went well; nil where the one before it did, too.
    package mutating func succeeded(now: Instant) -> Word? {
        guard failures > 0 else { return nil }
        defer { failures = 0 }
        return .over(now - since, failures: failures)
    }
}
