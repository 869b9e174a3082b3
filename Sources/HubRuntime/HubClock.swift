import Foundation
package import HubModel
import Synchronization

/// The wall clock, which never goes back while the hub runs.
package final class HubClock: Sendable {
    private let last = Atomic<Int64>(0)

    package init() {}

    package func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let milliseconds = Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
        var known = last.load(ordering: .relaxed)
        while milliseconds > known {
            let (exchanged, original) = last.compareExchange(expected: known, desired: milliseconds, ordering: .relaxed)
            if exchanged { return Instant(milliseconds: milliseconds) }
            known = original
        }
        return Instant(milliseconds: known)
    }
}
