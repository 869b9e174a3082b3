import HubBus
import HubModel
import Testing

@Suite struct TransactionTests {
    @Test func aTransactionIsOneBatch() async throws {
        try await withBus(["t": 2]) { bus in
            let producer = try BusProducer(bus.configuration(), transactionalID: "shard-0")
            defer { producer.close() }
            for round in 0..<3 {
                try producer.produce(
                    (0..<5).map { Record(topic: "t", partition: -1, key: bytes("k\($0)"), value: bytes("\(round)")) }, deadline: .in(15))
            }
            let consumer = try bus.consumer(["t"])
            defer { consumer.close() }
            let records = consumer.collect(15)
            #expect(records.count == 15)
            for key in 0..<5 { #expect(records.filter { text($0.key) == "k\(key)" }.map { text($0.value) } == ["0", "1", "2"]) }
            #expect(throws: BusError.self) { try producer.submit([], deadline: .in(1)) { _ in } }
        }
    }

    @Test func anInjectedErrorIsRetried() async throws {
        try await withBus(["t": 1]) { bus in
            let producer = try BusProducer(bus.configuration(), transactionalID: "shard-1")
            defer { producer.close() }
            try bus.pushErrors(.produce, [.notLeader, .disconnect])
            try bus.pushErrors(.endTransaction, [.coordinatorNotAvailable])
            try producer.produce([Record(topic: "t", key: bytes("k"), value: bytes("v"))], deadline: .in(20))
            let consumer = try bus.consumer(["t"])
            defer { consumer.close() }
            #expect(consumer.collect(1).map { text($0.value) } == ["v"])
        }
    }

    @Test func aCommitWithoutAnAnswerIsOpenAndFinishedByTheNext() async throws {
        try await withBus(["t": 1]) { bus in
            let producer = try BusProducer(bus.configuration(), transactionalID: "shard-2")
            defer { producer.close() }
            try producer.produce([Record(topic: "t", value: bytes("first"))], deadline: .in(10))
            try bus.setRoundTrip(milliseconds: 3_000)
            let error = #expect(throws: BusError.self) {
                try producer.produce([Record(topic: "t", value: bytes("open"))], deadline: .now + .milliseconds(1_500))
            }
            try bus.setRoundTrip(milliseconds: 0)
            #expect(error?.code == .outcomeUnknown || error?.code == .timedOut, "\(String(describing: error))")
            // Whoever does not know produces it again.
            try producer.produce([Record(topic: "t", value: bytes("open")), Record(topic: "t", value: bytes("next"))], deadline: .in(30))
            let consumer = try bus.consumer(["t"])
            defer { consumer.close() }
            let values = consumer.collect(4, seconds: 5).map { text($0.value) }
            #expect(values.filter { $0 != "open" } == ["first", "next"])
            #expect(values.contains("open"))
        }
    }

    @Test func anEpochRefusedByTheBrokerIsFencing() async throws {
        try await withBus(["t": 1]) { bus in
            let producer = try BusProducer(bus.configuration(), transactionalID: "shard-3")
            defer { producer.close() }
            try bus.pushErrors(.addPartitionsToTransaction, [.fenced, .fenced, .fenced])
            let error = #expect(throws: BusError.self) {
                try producer.produce([Record(topic: "t", value: bytes("late"))], deadline: .in(10))
            }
            #expect(error?.code == .fenced, "\(String(describing: error))")
        }
    }
}
