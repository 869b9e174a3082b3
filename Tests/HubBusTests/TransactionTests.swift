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
