import Foundation
import HubBus
import HubModel
import HubStore
import Synchronization
import Testing

@testable import HubRuntime

/// What goes wrong around a running hub: in the store, on the bus, in an application.
@Suite(.serialized) struct RunningHubFaultTests {
    // MARK: Large records

    @Test func aRecordOfTenMebibytesIsRefusedToItsPublisher() throws {
        let fixture = try HubFixture()
        let huge = HubFixture.record("left", key: "x", position: 1, name: String(repeating: "x", count: 10 << 20))
        let error = #expect(throws: BusError.self) { try fixture.publish([huge]) }
        #expect(error?.code == .recordTooLarge)
    }

    @Test func aRecordOfTenMebibytesIsADeadLetterAndTheStreamFlowsOn() throws {
        let fixture = try HubFixture()
        try fixture.start()
        let huge = HubFixture.record("left", key: "x", position: 1, name: String(repeating: "x", count: 10 << 20), partition: 0)
        // Compressed, as the embedded bus holds no more than 5 MB per partition.
        try fixture.publish([huge], properties: ["message.max.bytes": "20000000", "compression.type": "gzip"])
        try fixture.eventually("the dead letter") { try fixture.deadLetters().count == 1 }
        let letter = try #require(try fixture.deadLetters().first)
        #expect(letter.code == "too-large")
        #expect(letter.reason.hasPrefix("left.thing[0]@0: the value has 104857"), "\(letter.reason)")
        #expect(letter.record?.value?.count == huge.value?.count, "kept whole")
        try fixture.publish([HubFixture.record("left", key: "a", position: 2, name: "Acme", partition: 0)])
        fixture.eventually("Acme at right") { fixture.right.names == ["Acme"] }
    }

    // MARK: The store

    @Test func aFullDiskStopsTheHubAndARestartWithRoomLosesAndDoublesNothing() throws {
        let folder = NSTemporaryDirectory() + "full-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var small = SQLiteOptions()
        small.maxPages = 250
        let fixture = try HubFixture(store: try SQLiteStore(path: folder + "/hub.db", options: small))
        try fixture.start()
        let count = 300
        let note = String(repeating: "n", count: 4_000)
        try fixture.publish((1...count).map { HubFixture.record("left", key: "k\($0)", position: $0, name: "N\($0)", note: note) })
        fixture.eventually("the hub gives up") { fixture.hub?.failed != nil }
        let message = fixture.hub?.failed?.message ?? ""
        #expect(message.contains("No room left for \(folder)/hub.db") && message.contains("make room on the disk"), "\(message)")
        let stopping = ContinuousClock.now
        fixture.stop()
        #expect(ContinuousClock.now - stopping < .seconds(11), "stops all the same")
        fixture.store.close()

        let roomy = try SQLiteStore(path: folder + "/hub.db")
        fixture.store = roomy
        let (read, ended, golden) = try roomy.write { store in
            let partitions = [TopicPartition("left.thing", 0), TopicPartition("left.thing", 1)]
            return (
                try partitions.reduce(0) { try $0 + (store.offset("t.mediation", $1) ?? 0) },
                try store.eventEnds().reduce(0) { $0 + $1.count }, try store.goldenCounts().reduce(0) { $0 + $1.live }
            )
        }
        #expect(Int(read) == ended && ended == golden, "a batch is there with its offset, its ends and its documents, or not at all")
        #expect(golden < count, "it was full before the end")

        try fixture.start()
        fixture.eventually("all at right") { fixture.right.names.count == count }
        try fixture.eventually("every end told") { try fixture.outcomes()["right written"] == count }
        #expect(Set(fixture.right.names).count == count, "none twice")
        #expect(try roomy.write { try $0.goldenCounts().map(\.live) } == [count])
        #expect(try fixture.deadLetters().isEmpty && fixture.alarms().isEmpty)
        fixture.stop()
        roomy.close()
    }

    // MARK: Topics

    @Test func aTopicThatVanishesIsToldAndTheRestGoesOn() throws {
        let fixture = try HubFixture()
        try fixture.start(properties: ["topic.metadata.refresh.interval.ms": "500"])
        try fixture.publish("left", key: "a", position: 1, name: "Acme")
        fixture.eventually("Acme at right") { fixture.right.names == ["Acme"] }
        try fixture.bus.setTopicError("left.thing", .unknownTopic)
        try fixture.eventually("the alarm") {
            try fixture.alarms().contains { $0.code == "topic-unavailable" && $0.text.contains("left.thing") }
        }
        try fixture.publish("right", key: "b", position: 1, name: "Beta")
        fixture.eventually("Beta at left") { fixture.left.names.contains("Beta") }
        #expect(fixture.hub?.failed == nil)
        try fixture.bus.setTopicError("left.thing", .none)
        try fixture.publish("left", key: "c", position: 2, name: "Corp")
        fixture.eventually("Corp at right") { fixture.right.names.contains("Corp") }
        let stopping = ContinuousClock.now
        fixture.stop()
        #expect(
            ContinuousClock.now - stopping < .seconds(13), "a client that librdkafka cannot end any more does not hold up the hub's end")
    }

    @Test func partitionsAddedWhileItRunsAreAnAlarmAndReadingGoesOn() throws {
        let fixture = try HubFixture()
        try fixture.start()
        fixture.hub?.report(.partitionCountChanged(topic: "left.thing", from: 2, to: 3), group: "t.mediation")
        try fixture.eventually("the alarm") {
            try fixture.alarms().contains { $0.code == "partitions-changed" && $0.text == "left.thing: 2 partitions before, 3 now" }
        }
        try fixture.publish("left", key: "a", position: 1, name: "Acme")
        fixture.eventually("Acme at right") { fixture.right.names == ["Acme"] }
        #expect(fixture.hub?.failed == nil)
    }

    // MARK: Calls without an answer

    @Test(arguments: [true, false]) func aCreateWithoutAnAnswerMakesOneDocument(takesEffect: Bool) throws {
        let fixture = try HubFixture()
        fixture.right.state.withLock {
            $0.silences = 1
            $0.silencesTakeEffect = takesEffect
        }
        try fixture.start()
        try fixture.publish("left", key: "a", position: 1, name: "Acme")
        try fixture.eventually("the link") {
            try fixture.store.write { try $0.link(NativeReference("right", .shared, "thing", "n1")) } != nil
        }
        // Where the answer never came, the delivery ends when the document's own feed shows that nothing is left to write.
        try fixture.publish("right", key: "n1", position: 1, name: "Acme")
        try fixture.eventually("its one end") { try fixture.outcomes()[takesEffect ? "right unchanged" : "right written"] == 1 }
        #expect(fixture.right.names == ["Acme"])
        // Looked up where it was done, and only then not sent again.
        #expect(fixture.right.state.withLock { $0.deliveries } == 1)
        #expect(try fixture.deadLetters().isEmpty && fixture.alarms().isEmpty)
    }
}
