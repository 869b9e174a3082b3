import HubModel
import HubStore
import InMemoryLogging
import Logging
import Synchronization
import Testing

@testable import HubRuntime

/// What the log says of documents that an application refuses.
@Suite(.serialized) struct RejectionNoticesTests {
    private func at(_ seconds: Int64) -> Instant { Instant(milliseconds: seconds * 1000) }

    @Test func theFirstByEachRuleIsToldAndTheOthersAreCounted() {
        var notices = RejectionNotices()
        var told: [Bool] = []
        for second in 0..<3 { told.append(notices.tells("thing", rule: "a", now: at(Int64(second)))) }
        #expect(told == [true, false, false])
        told = [notices.tells("thing", rule: "b", now: at(3)), notices.tells("part", rule: "a", now: at(3))]
        #expect(told == [true, true])
        let early = notices.due(now: at(59))
        #expect(early.isEmpty)
        let due = notices.due(now: at(60))
        #expect(due.map(\.subject) == [.init(entity: "thing", rule: "a")] && due.map(\.count) == [2])
        let again = notices.due(now: at(61))
        #expect(again.isEmpty, "each count once")
        let stillGoing = notices.tells("thing", rule: "a", now: at(62))
        let later = [notices.due(now: at(120)), notices.due(now: at(180))].map { $0.map(\.count) }
        #expect(!stillGoing && later == [[1], []])
        let afterwards = notices.tells("thing", rule: "a", now: at(181))
        #expect(afterwards, "after a minute's peace it is news again")
    }

    @Test func rulesWithoutEndAreNotKeptWithoutEnd() {
        var notices = RejectionNotices()
        var told = 0
        for number in 0..<10_000 where notices.tells("thing", rule: "rule \(number)", now: at(0)) { told += 1 }
        #expect(told == 101)
        let due = notices.due(now: at(60))
        #expect(due.map(\.subject) == [.others] && due.map(\.count) == [9899])
    }

    @Test func aRefusalIsALineInTheLogAndStandsInTheStoreUntilTheDocumentIsTaken() throws {
        let log = InMemoryLogHandler()
        let fixture = try HubFixture()
        let rejection = Rejection(rule: "bad-name", field: "name", text: "no such name")
        fixture.right.state.withLock { $0.refusals = ["Bad": rejection, "Worse": rejection] }
        fixture.logger = Logger(label: "test") { _ in log }
        try fixture.start()
        try fixture.publish("left", key: "a", position: 1, name: "Bad")
        try fixture.eventually("the first refusal") { try fixture.outcomes()["right rejected"] == 1 }
        try fixture.publish("left", key: "b", position: 2, name: "Worse")
        try fixture.eventually("the second") { try fixture.outcomes()["right rejected"] == 2 }
        let lines = log.entries.map { "\($0.level): \($0.message)" }.filter { $0.contains("refuses") }
        #expect(lines.count == 1 && lines[0].hasPrefix("notice: right refuses right/thing-1-1 (thing, version 1.1) by its rule bad-name"))
        #expect(lines.first?.contains("field name: no such name; multipoint rejections") == true, "\(lines)")
        let refused = try fixture.store.write { try $0.rejections("right", after: nil, limit: 9) }
        #expect(refused.compactMap(\.state.rejected?.rejection) == [rejection, rejection])

        try fixture.publish("left", key: "a", position: 3, name: "Good")
        fixture.eventually("the mended one") { fixture.right.names == ["Good"] }
        try fixture.eventually("one is left") { try fixture.store.write { try $0.rejections("right", after: nil, limit: 9) }.count == 1 }
    }
}
