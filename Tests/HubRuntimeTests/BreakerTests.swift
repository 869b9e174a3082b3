import HubModel
import HubRuntime
import Testing

struct BreakerTests {
    private let start = Instant(milliseconds: 1_000)

    @Test func opensAtOnceWhenTheApplicationCannotBeReached() {
        var breaker = Breaker()
        #expect(breaker.isClosed)
        breaker.failed(now: start, jitter: 1)
        #expect(!breaker.isClosed)
        #expect(breaker.probeDue == start + .milliseconds(200))
    }

    @Test func opensAfterSeveralSilences() {
        var breaker = Breaker(silences: 3)
        breaker.silent(now: start, jitter: 1)
        breaker.silent(now: start, jitter: 1)
        #expect(breaker.isClosed)
        breaker.silent(now: start, jitter: 1)
        #expect(!breaker.isClosed)
    }

    @Test func theTimeBetweenProbesDoublesUpToALimitAndIsSpread() {
        var breaker = Breaker(firstDelay: .milliseconds(200), longestDelay: .seconds(30))
        var waits: [Int64] = []
        var now = start
        for _ in 0..<10 {
            breaker.failed(now: now, jitter: 0)
            guard let due = breaker.probeDue else { break }
            waits.append((due - now).milliseconds)
            let probes = [due.milliseconds - 1, due.milliseconds, due.milliseconds].map {
                breaker.startsProbe(now: Instant(milliseconds: $0))
            }
            #expect(probes == [false, true, false], "not early, and one at a time")
            now = due
        }
        #expect(waits == [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 15_000, 15_000])
    }

    @Test func aProbeThatSucceedsClosesIt() {
        var breaker = Breaker()
        breaker.failed(now: start, jitter: 0.5)
        let probes = breaker.startsProbe(now: start + .seconds(1))
        #expect(probes)
        breaker.succeeded()
        #expect(breaker.isClosed && breaker.failures == 0)
    }

    @Test func aFreshOneAsksWhoTheApplicationIsFirst() {
        var breaker = Breaker()
        breaker.probeFirst(now: start)
        #expect(!breaker.isClosed)
        let probes = breaker.startsProbe(now: start)
        #expect(probes)
    }
}
