/// When a process that has ended may be started again: the wait doubles up to a limit, spread by a random share.
struct Restarts: Sendable {
    var firstDelay: Duration = .milliseconds(200)
    var longestDelay: Duration = .seconds(30)
    /// A process that lived this long has begun anew.
    var soundLife: Duration = .seconds(60)
    /// Ends in a row.
    private(set) var count = 0

    /// The process has ended after that time.
    ///
    /// - Parameter jitter: from 0 to 1, chosen by the caller.
    /// - Returns: how long to wait before it is started again.
    mutating func ended(after life: Duration, jitter: Double) -> Duration {
        if life >= soundLife { count = 0 }
        let doubled = min(firstDelay * (1 << min(count, 20)), longestDelay)
        count += 1
        return doubled / 2 + doubled / 2 * jitter
    }
}
