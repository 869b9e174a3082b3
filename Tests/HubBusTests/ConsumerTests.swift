import HubBus
import HubModel
import Synchronization
import Testing

@Suite struct ConsumerTests {
    @Test func everythingComesThroughUnharmed() async throws {
        try await withBus(["t": 1]) { bus in
            let sent = [
                Record(topic: "t", partition: 0, timestamp: 1_700_000_000_123, key: bytes("k"), value: bytes("v")),
                Record(topic: "t", partition: 0, timestamp: 1, key: bytes("tombstone"), value: nil),
                Record(topic: "t", partition: 0, timestamp: 2, key: bytes("empty"), value: []),
                Record(topic: "t", partition: 0, timestamp: 3, key: nil, value: bytes("no key")),
                Record(topic: "t", partition: 0, timestamp: 4, key: [], value: bytes("empty key")),
                Record(
                    topic: "t", partition: 0, timestamp: 5, key: bytes("h"), value: bytes("headers"),
                    headers: [
                        .init("h", "1"), .init("h", "2"), .init(name: "none", value: nil), .init(name: "empty", value: []),
                        .init(name: "bytes", value: [0, 255, 0]), .init("ümläut", "ß"),
                    ]),
                Record(topic: "t", partition: 0, timestamp: 6, key: [0, 1, 255], value: [UInt8](repeating: 0, count: 100_000)),
            ]
            try bus.produce(sent)
            let consumer = try bus.consumer(["t"])
            defer { consumer.close() }
            var end: Int64?
            let received = consumer.collect(sent.count) { if case .endReached(_, let offset, _) = $0 { end = offset } }
            var expected = sent
            for index in expected.indices { expected[index].offset = Int64(index) }
            #expect(received == expected)
            if end == nil { end = consumer.firstEvent { if case .endReached(_, let offset, _) = $0 { offset } else { nil } } }
            #expect(end == Int64(sent.count))
        }
    }

    @Test func theCallerSaysWhereToStart() async throws {
        try await withBus(["t": 4]) { bus in
            try bus.produce((0..<40).map { Record(topic: "t", partition: $0 % 4, value: bytes("\($0)")) })
            let consumer = try bus.consumer(["t"], group: "start") { partition in
                switch partition.partition {
                case 0: .offset(7)
                case 1: .end
                case 2: .committed(otherwise: .end)
                default: .committed(otherwise: .beginning)
                }
            }
            defer { consumer.close() }
            let received = consumer.collect(13)
            #expect(received.filter { $0.partition == 0 }.map(\.offset) == [7, 8, 9])
            #expect(received.filter { $0.partition == 3 }.map(\.offset) == Array(0..<10))
            #expect(consumer.take(max: 10, wait: 500).records.isEmpty)
            try bus.produce([Record(topic: "t", partition: 1, value: []), Record(topic: "t", partition: 2, value: [])])
            #expect(Set(consumer.collect(2).map { [Int64($0.partition), $0.offset] }) == [[1, 10], [2, 10]])
        }
    }

    @Test func committedOffsetsAreWhereTheNextMemberStarts() async throws {
        try await withBus(["t": 1]) { bus in
            try bus.produce((0..<10).map { Record(topic: "t", partition: 0, value: bytes("\($0)")) })
            let partition = TopicPartition("t", 0)
            let first = try bus.consumer(["t"]) { _ in .committed(otherwise: .beginning) }
            #expect(first.collect(10).count == 10)
            #expect(try first.commitSync([partition: 4]) == [])
            #expect(try first.commitSync([partition: 9], epochs: [partition: 99]) == [partition])
            first.close()
            #expect(first.take(max: 1, wait: 0).isClosed)
            #expect(throws: BusError.self) { try first.commitSync([partition: 5]) }
            let second = try bus.consumer(["t"]) { _ in .committed(otherwise: .beginning) }
            defer { second.close() }
            #expect(second.collect(6).map(\.offset) == [4, 5, 6, 7, 8, 9])
        }
    }

    @Test func aFullInboxPausesAndStaysAMember() async throws {
        try await withBus(["t": 2]) { bus in
            try bus.produce((0..<20_000).map { Record(topic: "t", partition: $0 % 2, value: bytes("\($0)")) })
            let revocations = Mutex(0)
            let limits = BusConsumer.Limits(records: 1_000)
            let consumer = try BusConsumer(
                bus.configuration(["max.poll.interval.ms": "6000"]), group: "slow", topics: ["t"],
                limits: limits
            ) { partitions, _ in
                Dictionary(uniqueKeysWithValues: partitions.map { ($0, .beginning) })
            } revoked: { _, _ in
                revocations.withLock { $0 += 1 }
                return [:]
            }
            defer { consumer.close() }
            var records = consumer.collect(1, max: 1)
            // Longer than the session and the longest time between polls that the broker allows.
            let end = ContinuousClock.Instant.in(8)
            while ContinuousClock.now < end {
                let load = consumer.inboxLoad
                #expect(load.records < limits.records + 1_000)
                records += consumer.take(max: 1, wait: 0).records
                Thread.sleep(milliseconds: 200)
            }
            #expect(revocations.withLock { $0 } == 0)
            records += consumer.collect(20_000 - records.count, max: 300)
            #expect(records.count == 20_000)
            for partition: Int32 in 0..<2 {
                let isComplete = records.filter { $0.partition == partition }.map(\.offset) == Array(0..<10_000)
                #expect(isComplete)
            }
        }
    }

    @Test func theInboxIsBoundedInBytesToo() async throws {
        try await withBus(["t": 1]) { bus in
            try bus.produce((0..<100).map { _ in Record(topic: "t", partition: 0, value: [UInt8](repeating: 7, count: 20_000)) })
            let consumer = try bus.consumer(["t"], limits: .init(records: 1_000_000, bytes: 200_000))
            defer { consumer.close() }
            var records = consumer.collect(1, max: 1)
            Thread.sleep(milliseconds: 1_000)
            #expect(consumer.inboxLoad.bytes < 400_000)
            records += consumer.collect(99)
            #expect(records.map(\.offset) == Array(0..<100))
        }
    }

    @Test func theCallersPauseHolds() async throws {
        try await withBus(["t": 2]) { bus in
            try bus.produce((0..<2).map { Record(topic: "t", partition: $0, value: []) })
            let consumer = try bus.consumer(["t"])
            defer { consumer.close() }
            #expect(consumer.collect(2).count == 2)
            consumer.pause([TopicPartition("t", 0)])
            Thread.sleep(milliseconds: 300)
            try bus.produce((0..<2).map { Record(topic: "t", partition: $0, value: []) })
            #expect(consumer.collect(2, seconds: 2).map(\.partition) == [1])
            consumer.resume([TopicPartition("t", 0)])
            #expect(consumer.collect(1).map(\.partition) == [0])
        }
    }

    @Test func aFatalErrorSurfaces() async throws {
        try await withBus(["t": 1]) { bus in
            let consumer = try bus.consumer(["t"])
            defer { consumer.close() }
            try bus.produce([Record(topic: "t", partition: 0, value: [])])
            #expect(consumer.collect(1).count == 1)
            // 82: another member has this one's instance id.
            try bus.pushErrors(.heartbeat, [.other(82)])
            let error = consumer.firstEvent { if case .fatal(let error) = $0 { error } else { nil } }
            #expect(error?.code == .fenced, "\(String(describing: error))")
            #expect(error?.isFatal == true)
        }
    }

    @Test func aRefusedAssignmentIsFatal() async throws {
        try await withBus(["t": 1]) { bus in
            struct Refusal: Error {}
            let consumer = try BusConsumer(bus.configuration(), group: "f", topics: ["t"]) { _, _ in
                throw Refusal()
            } revoked: { _, _ in
                [:]
            }
            defer { consumer.close() }
            try bus.produce([Record(topic: "t", partition: 0, value: [])])
            let error = consumer.firstEvent { if case .fatal(let error) = $0 { error } else { nil } }
            #expect(error?.code == .assignment)
            #expect(consumer.take(max: 1, wait: 500).records.isEmpty, "what was refused is not read")
        }
    }

    @Test func anUnknownTopicIsTold() async throws {
        try await withBus(["t": 1]) { bus in
            try bus.setTopicError("gone", .notAuthorized)
            let consumer = try bus.consumer(["gone", "t"])
            defer { consumer.close() }
            let topic = consumer.firstEvent { if case .topicUnavailable(let topic, _) = $0 { topic } else { nil } }
            #expect(topic == "gone")
        }
    }
}
