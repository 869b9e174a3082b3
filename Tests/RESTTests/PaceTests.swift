import HubModel
import Testing

@testable import REST

@Suite("REST: limits and budget")
struct PaceTests {
    private let start = Instant(milliseconds: 1_795_000_000_000)

    private func isGranted(_ decision: Pace.Decision) -> Bool { decision == .granted }

    @Test("A minute's limit lets requests through again as the oldest leave the window")
    func minute() {
        var pace = Pace(.init(perMinute: 3))
        for second in [0, 10, 20] {
            #expect(isGranted(pace.promise(1, now: start + .seconds(second), matters: false)))
            pace.use(now: start + .seconds(second), wasPromised: true)
        }
        guard case .wait(let time, let reason) = pace.promise(2, now: start + .seconds(30), matters: true) else {
            Issue.record("two more were granted")
            return
        }
        #expect(time == .seconds(40) && reason.contains("3 requests a minute"))
        #expect(isGranted(pace.promise(1, now: start + .seconds(60), matters: false)))
        #expect(!isGranted(pace.promise(1, now: start + .seconds(60), matters: false)))
    }

    @Test("What was promised and not used is free again")
    func release() {
        var pace = Pace(.init(perMinute: 3))
        #expect(isGranted(pace.promise(3, now: start, matters: false)))
        #expect(!isGranted(pace.promise(1, now: start, matters: false)))
        pace.use(now: start, wasPromised: true)
        pace.release(2)
        #expect(isGranted(pace.promise(2, now: start, matters: false)))
    }

    @Test("The day's reserve is kept for what matters, and the day begins anew")
    func day() {
        var pace = Pace(.init(perDay: 10, reserve: 3))
        for _ in 0..<7 {
            #expect(isGranted(pace.promise(1, now: start, matters: false)))
            pace.use(now: start, wasPromised: true)
        }
        guard case .wait(let time, let reason) = pace.promise(1, now: start, matters: false) else {
            Issue.record("the reserve was given away")
            return
        }
        #expect(reason.contains("without its reserve") && time > .zero && time <= .seconds(86_400))
        for _ in 0..<3 {
            #expect(isGranted(pace.promise(1, now: start, matters: true)))
            pace.use(now: start, wasPromised: true)
        }
        #expect(!isGranted(pace.promise(1, now: start, matters: true)))
        #expect(isGranted(pace.promise(1, now: start + time, matters: false)))
        #expect(pace.usedToday == 0)
    }

    @Test("What the application says is left goes before what was counted")
    func remaining() {
        var pace = Pace(.init(perDay: 100, reserve: 10))
        pace.heard(remaining: 12, now: start)
        #expect(isGranted(pace.promise(2, now: start, matters: false)))
        #expect(!isGranted(pace.promise(1, now: start, matters: false)))
        pace.heard(remaining: 90, now: start)
        #expect(!isGranted(pace.promise(1, now: start, matters: false)))
    }
}
