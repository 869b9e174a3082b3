import Testing

@testable import Odoo

struct PaceTests {
    @Test func anIdleFeedIsLookedAtAfterAPause() async throws {
        let pace = Pace()
        let begun = ContinuousClock.now
        try await pace.wait(.seconds(60))
        pace.looked(found: true)
        try await pace.wait(.seconds(60))
        #expect(ContinuousClock.now - begun < .seconds(5), "no pause before the first look, nor behind one that found something")
        pace.looked(found: false)
        try await pace.wait(.milliseconds(300))
        #expect(ContinuousClock.now - begun >= .milliseconds(300))
    }

    @Test func aNudgeEndsThePauseAndOneDuringALookSkipsTheNext() async throws {
        let pace = Pace()
        pace.looked(found: false)
        let begun = ContinuousClock.now
        async let waited: Void = pace.wait(.seconds(60))
        try await Task.sleep(for: .milliseconds(50))
        for _ in 0..<10 { pace.nudge() }
        try await waited
        pace.nudge()
        pace.looked(found: false)
        try await pace.wait(.seconds(60))
        #expect(ContinuousClock.now - begun < .seconds(5))
        pace.looked(found: false)
        let next = ContinuousClock.now
        try await pace.wait(.milliseconds(300))
        #expect(ContinuousClock.now - next >= .milliseconds(250), "a nudge counts once")
    }

    @Test func aWaitThatIsCalledOffEnds() async throws {
        let pace = Pace()
        pace.looked(found: false)
        let wait = Task { try await pace.wait(.seconds(60)) }
        wait.cancel()
        await #expect(throws: (any Error).self) { try await wait.value }
    }
}
