import HubBus
import HubModel
import Testing

@Suite struct AdminTests {
    @Test func lagIsWhatIsLeftToRead() async throws {
        try await withBus(["t": 2, "empty": 1]) { bus in
            try bus.produce((0..<10).map { Record(topic: "t", partition: 0, value: bytes("\($0)")) })
            let consumer = try bus.consumer(["t"], group: "lagging")
            #expect(consumer.collect(10).count == 10)
            try consumer.commitSync([TopicPartition("t", 0): 7])
            consumer.close()
            let admin = try BusAdmin(bus.configuration())
            defer { admin.close() }
            let lag = try admin.lag(group: "lagging", topics: ["t", "empty", "absent"], deadline: .in(10))
            #expect(
                lag == [
                    PartitionLag(partition: TopicPartition("empty", 0), committed: nil, low: 0, high: 0),
                    PartitionLag(partition: TopicPartition("t", 0), committed: 7, low: 0, high: 10),
                    PartitionLag(partition: TopicPartition("t", 1), committed: nil, low: 0, high: 0),
                ])
            #expect(lag.map(\.lag) == [0, 3, 0])
            let other = try admin.lag(group: "unheard of", topics: ["t"], deadline: .in(10))
            #expect(other.map(\.lag) == [10, 0])
        }
    }

    @Test func topicsAreFoundOrMade() async throws {
        try await withBus(["t": 3]) { bus in
            let admin = try BusAdmin(bus.configuration())
            defer { admin.close() }
            #expect(try admin.topics(deadline: .in(5)).map(\.name) == ["t"])
            #expect(try admin.ensureTopic("t", partitions: 9, deadline: .in(5)) == .exists(partitions: 3))
            #expect(try admin.ensureTopic("new", partitions: 2, compacted: true, deadline: .in(3)) == .brokerCreatesByItself(partitions: 4))
            #expect(try admin.topic("new", deadline: .in(5))?.partitions == 4)
            let report = try admin.checkCluster(deadline: .in(5))
            #expect(report.brokers.count == 1)
            #expect(report.topics == 2)
            let knowing = try BusAdmin(bus.configuration(), embedded: bus)
            defer { knowing.close() }
            #expect(try knowing.ensureTopic("made", partitions: 7, deadline: .in(5)) == .created)
            #expect(try knowing.topic("made", deadline: .in(5))?.partitions == 7)
        }
    }

    @Test func anUnreachableClusterIsSaidToBe() async throws {
        try await blocking {
            let admin = try BusAdmin(BusConfiguration(["bootstrap.servers": "127.0.0.1:1"], logger: .quiet))
            defer { admin.close() }
            let start = ContinuousClock.now
            let error = #expect(throws: BusError.self) { try admin.checkCluster(deadline: .now + .milliseconds(1_500)) }
            #expect(error?.code == .unreachable)
            #expect(error?.message.contains("127.0.0.1:1") == true, "\(String(describing: error))")
            #expect(ContinuousClock.now - start < .seconds(4))
        }
    }

    @Test func whatTheEmbeddedBusDroppedIsNoticed() async throws {
        try await withBus(["t": 1]) { bus in
            let partition = TopicPartition("t", 0)
            #expect(try bus.retentionFloor(["t"]).isEmpty)
            let value = [UInt8](repeating: 1, count: 100_000)
            try bus.produce((0..<120).map { _ in Record(topic: "t", partition: 0, value: value) }, seconds: 30)
            let floor = try #require(try bus.retentionFloor(["t"])[partition])
            #expect(floor > 0 && floor < 120)
            let consumer = try bus.consumer(["t"]) { _ in .offset(1) }
            defer { consumer.close() }
            let event = consumer.firstEvent { if case .outOfRange(let event) = $0 { event } else { nil } }
            let gap = try #require(event)
            #expect(gap.partition == partition)
            #expect(gap.position == 1)
            #expect(gap.low == floor)
            #expect(gap.high == 120)
            #expect(gap.gone == floor - 1)
            #expect(!gap.isBeyondEnd)
            #expect(consumer.take(max: 10, wait: 500).records.isEmpty, "stopped until the caller decides")
            consumer.reposition(partition, to: .beginning)
            #expect(consumer.collect(120 - Int(floor)).map(\.offset) == Array(floor..<120))
            consumer.reposition(partition, to: .offset(118))
            #expect(consumer.collect(2).map(\.offset) == [118, 119])
        }
    }

    @Test func recordsBeforeAGapAreHandedOverBeforeTheGapIsTold() async throws {
        try await withBus(["t": 1]) { bus in
            let small = [UInt8](repeating: 1, count: 10_000)
            try bus.produce((0..<40).map { _ in Record(topic: "t", partition: 0, value: small) })
            // The inbox is full with a few, its partition paused, when the bus drops what comes after them.
            let consumer = try bus.consumer(["t"], limits: .init(records: 1_000, bytes: 100_000))
            defer { consumer.close() }
            var taken = consumer.collect(1, max: 1)
            Thread.sleep(milliseconds: 1_000)
            let large = [UInt8](repeating: 2, count: 100_000)
            try bus.produce((0..<120).map { _ in Record(topic: "t", partition: 0, value: large) }, seconds: 30)
            // Half of it taken, reading goes on and meets the gap, while the other half still waits.
            while consumer.inboxLoad.bytes >= 50_000 { taken += consumer.take(max: 1, wait: 200).records }
            #expect(consumer.inboxLoad.records > 1)
            Thread.sleep(milliseconds: 3_000)
            var gap: BusConsumer.OutOfRange?
            let deadline = ContinuousClock.Instant.in(20)
            while gap == nil, ContinuousClock.now < deadline {
                let batch = consumer.take(max: 1, wait: 200)
                taken += batch.records
                for case .outOfRange(let range) in batch.events { gap = range }
            }
            let found = try #require(gap)
            #expect(taken.map(\.offset) == Array(0..<Int64(taken.count)))
            #expect(found.position == Int64(taken.count), "nothing lies between what was handed over and the gap")
        }
    }

    @Test func aPositionBeyondTheEndIsTold() async throws {
        try await withBus(["t": 1]) { bus in
            try bus.produce([Record(topic: "t", partition: 0, value: [])])
            let consumer = try bus.consumer(["t"], more: ["partition.assignment.strategy": "range"]) { _ in .offset(50) }
            defer { consumer.close() }
            let event = consumer.firstEvent { if case .outOfRange(let event) = $0 { event } else { nil } }
            #expect(event?.isBeyondEnd == true, "\(String(describing: event))")
            #expect(event?.gone == 0)
            consumer.reposition(TopicPartition("t", 0), to: .beginning)
            #expect(consumer.collect(1).map(\.offset) == [0])
        }
    }
}
