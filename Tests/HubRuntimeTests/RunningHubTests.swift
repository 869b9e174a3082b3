import HubBus
import HubConfiguration
import HubModel
import HubStore
import Synchronization
import Testing

@testable import HubRuntime

@Suite(.serialized) struct RunningHubTests {
    @Test func aChangeReachesTheOtherApplication() throws {
        let fixture = try HubFixture()
        try fixture.start()
        try fixture.publish("left", key: "a", position: 1, name: "Acme")
        fixture.eventually("Acme at right") { fixture.right.names == ["Acme"] }
        try fixture.eventually("the outcome") { try fixture.outcomes()["right written"] == 1 }
        let started = ContinuousClock.now
        fixture.stop()
        #expect(ContinuousClock.now - started < .seconds(10), "stops within 10 s")
    }

    @Test func anApplicationThatIsLostDelaysNobodyAndResumesByItself() throws {
        let fixture = try HubFixture()
        fixture.right.state.withLock { $0.isLost = true }
        let third = MemoryApplication()
        try fixture.start(third: third)
        for number in 1...5 { try fixture.publish("left", key: "k\(number)", position: number, name: "N\(number)") }
        fixture.eventually("five at third") { third.names.count == 5 }
        #expect(fixture.right.names.isEmpty)
        fixture.right.state.withLock { $0.isLost = false }
        fixture.eventually("five at right") { fixture.right.names.count == 5 }
        #expect(
            try fixture.store.write { try $0.deadLetters(after: 0, limit: 10, includeReplayed: true) }.isEmpty, "no attempts were spent")
    }

    @Test func thatAnApplicationIsOutOfReachStandsInTheStoreWithItsReason() throws {
        let fixture = try HubFixture()
        func absence() throws -> ApplicationAbsence? { try fixture.store.write { try ApplicationAbsence.read("right", in: $0) } }
        try fixture.start()
        try fixture.publish("left", key: "a", position: 1, name: "Acme")
        fixture.eventually("Acme at right") { fixture.right.names == ["Acme"] }
        #expect(try absence() == nil)
        fixture.right.state.withLock { $0.isLost = true }
        try fixture.publish("left", key: "b", position: 2, name: "Beta")
        try fixture.eventually("the absence") { try absence() != nil }
        let first = try #require(try absence())
        #expect(first.reason == "the application is down")
        try fixture.eventually("the document is ready") {
            try fixture.store.write { try $0.waitCounts("right") }.map(\.count) == [1]
        }
        fixture.stop()
        // Another run finds it away still: since the first saw it go.
        try fixture.start()
        fixture.eventually("a try of the second run") {
            guard let engine = fixture.hub?.engine("right") else { return false }
            return engine.state.withLock { $0.trouble } != nil
        }
        #expect(try absence() == first)
        fixture.right.state.withLock { $0.isLost = false }
        fixture.eventually("Beta at right") { fixture.right.names == ["Acme", "Beta"] }
        try fixture.eventually("nothing of it is left") { try absence() == nil }
    }

    @Test func aNewApplicationIsCaughtUpFromTheStore() throws {
        let fixture = try HubFixture()
        try fixture.start()
        for number in 1...3 { try fixture.publish("left", key: "k\(number)", position: number, name: "N\(number)") }
        try fixture.eventually("all written") { try fixture.outcomes()["right written"] == 3 }
        fixture.stop()
        let third = MemoryApplication()
        try fixture.start(third: third)
        fixture.eventually("three at the new one") { third.names == ["N1", "N2", "N3"] }
    }

    @Test func anEmptyStoreWhereKafkaHasCommitsNeedsAWord() throws {
        let first = try HubFixture()
        try first.start()
        try first.publish("left", key: "a", position: 1, name: "Acme")
        try first.eventually("written") { try first.outcomes()["right written"] == 1 }
        first.stop()

        let second = try HubFixture(store: MemoryStore(), bus: first.bus)
        #expect {
            try second.start()
        } throws: { error in
            "\(error)".contains("the store is empty, restored, or another one") && "\(error)".contains("--accept-store")
        }
        try second.start { $0.acceptsStore = true }
        #expect(try second.store.write { try $0.generation() } == 2)
    }

    @Test func anotherNumberOfPartitionsIsRefusedWithAnExplanation() throws {
        let fixture = try HubFixture()
        try fixture.start()
        fixture.stop()
        try fixture.store.write { try $0.putNote("5", "partitions/left.thing") }
        #expect {
            try fixture.start()
        } throws: { error in
            "\(error)".contains("left.thing had 5 partitions and now has 2") && "\(error)".contains("--accept-partitions")
        }
        try fixture.start { $0.acceptsPartitions = true }
    }

    @Test func aTopicThatWasMadeAnewIsToldAndReadFromItsBeginning() throws {
        let fixture = try HubFixture()
        // The store knows offsets that this bus never had.
        for partition in [0, 1] as [Int32] {
            try fixture.store.write { try $0.putOffset(500, "t.mediation", TopicPartition("left.thing", partition)) }
        }
        try fixture.start()
        try fixture.publish("left", key: "a", position: 1, name: "Acme")
        fixture.eventually("Acme at right") { fixture.right.names == ["Acme"] }
        let alarms = try fixture.alarms().filter { $0.code == "topic-cut" }
        #expect(alarms.contains { $0.text.contains("position 500") })
    }

    @Test func recordsThatAreGoneStopTheHubWhereThePolicySaysSo() throws {
        let fixture = try HubFixture()
        for partition in [0, 1] as [Int32] {
            try fixture.store.write { try $0.putOffset(500, "t.mediation", TopicPartition("left.thing", partition)) }
        }
        try fixture.start(extra: ", recordsGone: stop")
        fixture.eventually("the hub gives up") { fixture.hub?.failed != nil }
        #expect(fixture.hub?.failed?.message.contains("says to stop") == true)
    }

    @Test func anotherInstanceBehindTheAddressIsNotWrittenTo() throws {
        let fixture = try HubFixture()
        try fixture.start()
        try fixture.publish("left", key: "a", position: 1, name: "Acme")
        try fixture.eventually("written") { try fixture.outcomes()["right written"] == 1 }
        fixture.stop()
        fixture.right.state.withLock { $0.instance = "two" }
        try fixture.start()
        try fixture.publish("left", key: "b", position: 2, name: "Beta")
        try fixture.eventually("the alarm") { try fixture.alarms().contains { $0.code == "another-instance" } }
        #expect(fixture.right.names == ["Acme"])
    }

    @Test func aBrokenRecordIsADeadLetterAndTheStreamFlowsOn() throws {
        let fixture = try HubFixture()
        try fixture.start()
        let producer = try BusProducer(fixture.bus.configuration)
        let json = [
            Record.Header("content-type", "application/json"), .init("ce_specversion", "1.0"), .init("ce_id", "1"),
            .init("ce_source", "/left"), .init("ce_type", "thing.updated"), .init("ce_subject", "x"),
        ]
        let deep = String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000)
        let values: [[UInt8]?] = [
            Array("{broken".utf8), [], Array("{\"name\":1,\"name\":2}".utf8), Array("{\"name\":\(deep)}".utf8), [0x7B, 0xFF, 0x7D],
            Array("{\"name\":\"a\\u0000b\"}".utf8),
        ]
        try producer.produce(
            values.map { Record(topic: "left.thing", partition: 0, key: Array("x".utf8), value: $0, headers: json) },
            deadline: .now + .seconds(20))
        producer.close()
        try fixture.publish("left", key: "a", position: 1, name: "Acme")
        fixture.eventually("Acme at right") { fixture.right.names == ["Acme"] }
        try fixture.eventually("six dead letters") {
            try fixture.store.write { try $0.deadLetters(after: 0, limit: 10, includeReplayed: true) }.count == 6
        }
        let letters = try fixture.store.write { try $0.deadLetters(after: 0, limit: 10, includeReplayed: true) }
        #expect(letters.allSatisfy { $0.reason.hasPrefix("left.thing[0]@") && $0.record?.value != nil })
        #expect(letters.map(\.code) == ["broken-json", "missing-data", "ambiguous", "broken-json", "broken-json", "nul-character"])
    }
}
