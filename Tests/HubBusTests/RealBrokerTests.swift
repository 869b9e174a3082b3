import Glibc
import HubBus
import HubModel
import Testing

/// What the embedded bus cannot do, on a broker that `MULTIPOINT_BROKER` names (`host:port`, without TLS).
@Suite(.serialized) struct RealBrokerTests {
    /// Runs the body with a topic name of its own; says so where there is no broker.
    private func withBroker(_ body: @escaping @Sendable (BusConfiguration, String) throws -> Void) async throws {
        guard let address = getenv("MULTIPOINT_BROKER").map({ String(cString: $0) }) else {
            print("skipped: MULTIPOINT_BROKER names no broker")
            return
        }
        try await blocking {
            try body(
                BusConfiguration(["bootstrap.servers": address, "session.timeout.ms": "6000"], logger: .quiet),
                "multipoint-test-\(UInt64.random(in: 0...UInt64.max))")
        }
    }

    private func make(_ topic: String, _ configuration: BusConfiguration) throws {
        let admin = try BusAdmin(configuration)
        defer { admin.close() }
        #expect(try admin.ensureTopic(topic, partitions: 1, deadline: .in(20)) == .created)
    }

    @Test func topicsAreCreatedAsAskedForAndThenFound() async throws {
        try await withBroker { configuration, topic in
            let admin = try BusAdmin(configuration)
            defer { admin.close() }
            #expect(try !admin.checkCluster(deadline: .in(20)).isTestBroker)
            #expect(try admin.ensureTopic(topic, partitions: 3, compacted: true, deadline: .in(20)) == .created)
            #expect(try admin.ensureTopic(topic, partitions: 5, compacted: true, deadline: .in(20)) == .exists(partitions: 3))
        }
    }

    @Test func anOlderPublisherIsFenced() async throws {
        try await withBroker { configuration, topic in
            try make(topic, configuration)
            let older = try BusProducer(configuration, transactionalID: topic)
            defer { older.close() }
            try older.produce([Record(topic: topic, partition: 0, value: bytes("older"))], deadline: .in(20))
            let newer = try BusProducer(configuration, transactionalID: topic)
            defer { newer.close() }
            try newer.produce([Record(topic: topic, partition: 0, value: bytes("newer"))], deadline: .in(20))
            let error = #expect(throws: BusError.self) {
                try older.produce([Record(topic: topic, partition: 0, value: bytes("late"))], deadline: .in(10))
            }
            #expect(error?.code == .fenced, "\(String(describing: error))")
            let consumer = try BusConsumer(configuration, group: topic, topics: [topic]) { partitions, _ in
                Dictionary(uniqueKeysWithValues: partitions.map { ($0, .beginning) })
            } revoked: { _, _ in
                [:]
            }
            defer { consumer.close() }
            #expect(consumer.collect(3, seconds: 20).map { text($0.value) } == ["older", "newer"])
        }
    }

    @Test func theEndOfATransactionCountsAsAnOffset() async throws {
        try await withBroker { configuration, topic in
            try make(topic, configuration)
            let producer = try BusProducer(configuration, transactionalID: topic)
            defer { producer.close() }
            try producer.produce((0..<5).map { Record(topic: topic, partition: 0, value: bytes("\($0)")) }, deadline: .in(20))
            let consumer = try BusConsumer(configuration, group: topic, topics: [topic]) { partitions, _ in
                Dictionary(uniqueKeysWithValues: partitions.map { ($0, .beginning) })
            } revoked: { _, _ in
                [:]
            }
            defer { consumer.close() }
            let last = try #require(consumer.collect(5, seconds: 20).last)
            #expect(last.offset == 4)
            try consumer.commitSync([TopicPartition(topic, 0): 5])
            let admin = try BusAdmin(configuration)
            defer { admin.close() }
            #expect(try admin.lag(group: topic, topics: [topic], deadline: .in(20)).map(\.lag) == [1])
        }
    }
}
