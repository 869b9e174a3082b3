import Foundation
import HubBus
import HubConfiguration
import HubDriver
import HubModel
import HubStore
import Synchronization
import Testing

@testable import HubRuntime

/// Capture on the embedded bus: what a feed tells arrives, and what cannot be published is told.
@Suite(.serialized) struct CaptureTests {
    private let feed = FeedApplication()

    private func start(_ looks: [CapturedBatch], _ fixture: HubFixture) throws {
        feed.feed.withLock { $0.looks = looks }
        try fixture.start { options in
            options.captures = true
            options.drivers["left"] = feed
        }
    }

    private func storedPosition(_ fixture: HubFixture) -> String? {
        FileManager.default.contents(atPath: fixture.folder + "/hub.db.capture/left.position").map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func aDocumentLargerThanKafkaTakesIsADeadLetterAndTheFeedFlowsOn() throws {
        let fixture = try HubFixture()
        let name = String(repeating: "x", count: 2 << 20)
        let changes = [
            FeedApplication.change("a", name: "Acme", sequence: 1), FeedApplication.change("huge", name: name, sequence: 2),
            FeedApplication.change("b", name: "Beta", sequence: 3),
        ]
        try start([CapturedBatch(changes: changes, position: "3")], fixture)
        fixture.eventually("what is not too large") { fixture.right.names == ["Acme", "Beta"] }
        try fixture.eventually("the dead letter") { try fixture.deadLetters().count == 1 }
        let letter = try #require(try fixture.deadLetters().first)
        #expect(letter.code == "too-large" && letter.application == "left")
        #expect(letter.reason.contains("left thing/huge: the event has 2097163 bytes"), "\(letter.reason)")
        #expect(letter.record?.value?.count == 16_384, "its beginning")
        fixture.eventually("the position") { storedPosition(fixture) == "3" }
        #expect(feed.feed.withLock { $0.positionsAsked.filter { $0 == nil }.count } == 1, "the batch was not read again")
    }

    @Test func newerEventsOfADocumentStayBehindTheOneThatWasTooLarge() throws {
        let fixture = try HubFixture()
        let changes = [
            FeedApplication.change("a", name: "Old", sequence: 1),
            FeedApplication.change("a", name: String(repeating: "x", count: 2 << 20), sequence: 2),
            FeedApplication.change("a", name: "New", sequence: 3),
        ]
        try start([CapturedBatch(changes: changes, position: "3")], fixture)
        fixture.eventually("the newest state") { fixture.right.names == ["New"] }
        try fixture.eventually("the dead letter") { try fixture.deadLetters().map(\.code) == ["too-large"] }
    }

    @Test func whatCannotBeReadOrEncodedIsADeadLetterThatCannotBeReplayed() throws {
        let fixture = try HubFixture()
        let row = MalformedEntry(
            native: "thing", code: "bad-row", reason: "things.csv, line 17: a quote too many", raw: Array("a;\"b\"c".utf8))
        let other = MalformedEntry(native: nil, code: "bad-file", reason: "x.csv: no such type", raw: [0xFF])
        let looks = [
            CapturedBatch(changes: [], malformed: [row, other], position: "1"),
            CapturedBatch(changes: [FeedApplication.change("c", name: "Corp", sequence: 2, id: "")], position: "2"),
            CapturedBatch(changes: [FeedApplication.change("a", name: "Acme", sequence: 3)], position: "3"),
        ]
        try start(looks, fixture)
        fixture.eventually("what can be read") { fixture.right.names == ["Acme"] }
        try fixture.eventually("three dead letters") { try fixture.deadLetters().count == 3 }
        let letters = try fixture.deadLetters().sorted { $0.code < $1.code }
        #expect(letters.map(\.code) == ["bad-file", "bad-row", "missing-attribute"])
        #expect(letters[1].reason.hasSuffix("things.csv, line 17: a quote too many") && letters[1].record?.value == row.raw)
        #expect(letters[2].reason.contains("left thing c: the event's id is empty"), "\(letters[2].reason)")
        let plan = try fixture.configuration().plan()
        let refusal = try fixture.store.write { store in
            do {
                return try OperatorRequest(.replay(letters[1].id)).apply(to: store, plan: plan, now: Instant(milliseconds: 0))
            } catch let error as OperatorRefusal { return "\(error)" }
        }
        #expect(refusal.contains("Mend it at its source"), "\(refusal)")
    }

    @Test func aPositionThatMovesWithoutChangesIsSaved() throws {
        let fixture = try HubFixture()
        try start([CapturedBatch(changes: [], position: "5"), CapturedBatch(changes: [], position: "7")], fixture)
        fixture.eventually("the last position asked for") { feed.feed.withLock { $0.positionsAsked.last == "7" } }
        fixture.stop()
        #expect(storedPosition(fixture) == "7")
        feed.feed.withLock { $0.positionsAsked = [] }
        try start([], fixture)
        fixture.eventually("a look") { feed.feed.withLock { !$0.positionsAsked.isEmpty } }
        #expect(feed.feed.withLock { $0.positionsAsked.first } == "7")
    }

    @Test func positionsThatBelongToAnotherStoreAreRefused() throws {
        let fixture = try HubFixture()
        try start([CapturedBatch(changes: [FeedApplication.change("a", name: "Acme", sequence: 1)], position: "1")], fixture)
        fixture.eventually("Acme at right") { fixture.right.names == ["Acme"] }
        fixture.eventually("the position") { storedPosition(fixture) == "1" }
        fixture.stop()
        try start([], fixture)
        fixture.stop()

        // The store's file is gone, the folder beside it is not.
        fixture.store = MemoryStore()
        func startAnyway(captures: Bool) throws {
            try fixture.start { options in
                options.captures = captures
                options.acceptsStore = true
                options.drivers["left"] = feed
            }
        }
        let refused = #expect(throws: RuntimeError.self) { try startAnyway(captures: true) }
        #expect(refused?.code == .refused)
        #expect(refused?.message.contains("hub.db.capture belong to another store") == true, "\(refused?.message ?? "")")
        #expect(refused?.message.contains("Remove that folder") == true)
        try startAnyway(captures: false)
        fixture.stop()

        try FileManager.default.removeItem(atPath: fixture.folder + "/hub.db.capture")
        feed.feed.withLock { $0.positionsAsked = [] }
        try startAnyway(captures: true)
        fixture.eventually("a look from the beginning") { feed.feed.withLock { $0.positionsAsked.first == .some(nil) } }
    }

    @Test func aFolderOfAnOlderHubBecomesTheStoresOwn() throws {
        let fixture = try HubFixture()
        try fixture.write("hub.db.capture/left.position", "7")
        try start([], fixture)
        fixture.eventually("a look") { feed.feed.withLock { !$0.positionsAsked.isEmpty } }
        #expect(feed.feed.withLock { $0.positionsAsked.first } == "7")
        let owner = FileManager.default.contents(atPath: fixture.folder + "/hub.db.capture/store-id")
        #expect(try owner.map { String(decoding: $0, as: UTF8.self) } == fixture.store.write { try $0.storeID() })
    }

    @Test func anIdleFeedIsLookedAtWhenSomebodyRingsOrItsTimeHasCome() throws {
        let fixture = try HubFixture()
        feed.feed.withLock { $0.pollTime = .seconds(3600) }
        try start([], fixture)
        fixture.eventually("the first look") { looks == 1 }
        feed.feed.withLock {
            $0.looks = [CapturedBatch(changes: [FeedApplication.change("a", name: "Acme", sequence: 1)], position: "1")]
        }
        #expect(looks == 1)
        #expect(fixture.hub?.lookForChanges(in: "left") == true)
        fixture.eventually("what the look found") { fixture.right.names == ["Acme"] }
        fixture.eventually("another look, as there was something, and then none") { looks == 3 }
        for _ in 0..<20 { _ = fixture.hub?.lookForChanges(in: "left") }
        fixture.eventually("one look at least") { looks >= 4 }
        #expect(looks < 23, "rings during a look are one more look")
        #expect(fixture.hub?.lookForChanges(in: "right") == false)
        fixture.stop()

        feed.feed.withLock { $0.pollTime = .milliseconds(300) }
        let (before, begun) = (looks, ContinuousClock.now)
        try start([], fixture)
        fixture.eventually("three looks without a ring") { looks >= before + 3 }
        #expect(ContinuousClock.now - begun >= .milliseconds(600))
    }

    private var looks: Int { feed.feed.withLock { $0.positionsAsked.count } }

    @Test func whatAFeedWantsAPersonToKnowIsAnAlarm() throws {
        let fixture = try HubFixture()
        let change = FeedApplication.change("a", name: "Acme", sequence: 1)
        try start(
            [
                CapturedBatch(changes: [change], position: "1", notices: ["a has been merged into b"]),
                CapturedBatch(changes: [], position: "2", notices: ["the log is nearly full"]),
            ], fixture)
        fixture.eventually("Acme at right") { fixture.right.names == ["Acme"] }
        try fixture.eventually("both alarms") { try fixture.alarms().count { $0.code == "capture-notice" } == 2 }
        let alarms = try fixture.alarms().filter { $0.code == "capture-notice" }
        #expect(alarms.map(\.text) == ["a has been merged into b", "the log is nearly full"])
        #expect(alarms.allSatisfy { $0.application == "left" })
    }

    @Test func aFeedThatFailsGoesOnByItself() throws {
        let fixture = try HubFixture()
        feed.feed.withLock { $0.failures = 3 }
        try start([CapturedBatch(changes: [FeedApplication.change("a", name: "Acme", sequence: 1)], position: "1")], fixture)
        fixture.eventually("Acme at right") { fixture.right.names == ["Acme"] }
    }

    @Test func aFeedThatStandsStillForLongIsAnAlarm() throws {
        let fixture = try HubFixture()
        feed.feed.withLock {
            $0.failures = 4
            $0.looks = [CapturedBatch(changes: [FeedApplication.change("a", name: "Acme", sequence: 1)], position: "1")]
        }
        try fixture.start { options in
            options.captures = true
            options.drivers["left"] = feed
            options.alarmAfter = .milliseconds(500)
        }
        fixture.eventually("Acme at right") { fixture.right.names == ["Acme"] }
        try fixture.eventually("the alarm") { try fixture.alarms().contains { $0.code == "capture-waits" } }
        let alarm = try #require(try fixture.alarms().first { $0.code == "capture-waits" })
        #expect(alarm.application == "left" && alarm.text.contains("the feed is down"), "\(alarm.text)")
    }

    @Test func recordsThatTheBrokerRefusesTogetherArePublishedOneByOne() throws {
        let fixture = try HubFixture()
        try fixture.bus.pushErrors(.produce, [.recordTooLarge])
        let changes = (1...3).map { FeedApplication.change("k\($0)", name: "N\($0)", sequence: Int64($0)) }
        try start([CapturedBatch(changes: changes, position: "3")], fixture)
        fixture.eventually("all at right") { fixture.right.names == ["N1", "N2", "N3"] }
        #expect(try fixture.deadLetters().isEmpty)
    }

    @Test func changesWithoutAPositionAreNotPublishedForEver() throws {
        let fixture = try HubFixture()
        try start([CapturedBatch(changes: [FeedApplication.change("a", name: "Acme", sequence: 1)], position: nil)], fixture)
        fixture.eventually("several looks") { feed.feed.withLock { $0.positionsAsked.count >= 3 } }
        #expect(fixture.right.names.isEmpty)
    }

    @Test func aFeedThatDoesNotAnswerDoesNotHoldUpTheEnd() throws {
        let fixture = try HubFixture()
        feed.feed.withLock { $0.hangs = true }
        try start([], fixture)
        fixture.eventually("a look") { feed.feed.withLock { !$0.positionsAsked.isEmpty } }
        let begun = ContinuousClock.now
        fixture.stop()
        #expect(ContinuousClock.now - begun < .seconds(9))
    }

    // MARK: When something is said

    @Test func troubleIsToldAtOnceThenAtGrowingIntervalsAndWhenItIsOver() {
        var trouble = FeedTrouble()
        var said: [(second: Int64, word: FeedTrouble.Word)] = []
        #expect(trouble.succeeded(now: Instant(milliseconds: 0)) == nil)
        for second in Int64(1)...10_000 {
            if let word = trouble.failed(now: Instant(milliseconds: second * 1000)) { said.append((second, word)) }
        }
        #expect(said.map(\.second) == [1, 61, 181, 421, 901, 1861, 3781, 7381])
        #expect(said[0].word == .begun && said[1].word == .lasting(.seconds(60), failures: 61))
        #expect(trouble.succeeded(now: Instant(milliseconds: 10_001_000)) == .over(.seconds(10_000), failures: 10_000))
        #expect(trouble.succeeded(now: Instant(milliseconds: 10_002_000)) == nil)
        #expect(trouble.failed(now: Instant(milliseconds: 10_003_000)) == .begun, "from the start again")
    }

    @Test func theTimeBetweenTriesDoublesUpToHalfAMinute() {
        var trouble = FeedTrouble()
        let waits = (1...11).map { number in
            _ = trouble.failed(now: Instant(milliseconds: Int64(number)))
            return trouble.wait
        }
        #expect(waits == [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000])
    }

    @Test func aPositionIsSavedOnceASecondWhereNothingWasPublished() throws {
        let path = NSTemporaryDirectory() + "position-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let stored = { FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } }
        var position = try FeedPosition(path: path)
        let start = ContinuousClock.now
        try position.move(to: "1", published: false, now: start)
        #expect(stored() == "1")
        try position.move(to: "2", published: false, now: start + .milliseconds(500))
        #expect(stored() == "1" && position.reached == "2")
        try position.move(to: "3", published: true, now: start + .milliseconds(600))
        #expect(stored() == "3")
        try position.move(to: "4", published: false, now: start + .milliseconds(700))
        try position.save()
        #expect(stored() == "4")
        #expect(try FeedPosition(path: path).reached == "4")
    }
}
