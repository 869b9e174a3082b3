import HubBus
import HubModel
import Synchronization
import Testing

@Suite struct ProducerTests {
    /// The last value per key, as a topic has them.
    private func lastPerKey(_ records: [Record]) -> [String: String] {
        Dictionary(records.map { (text($0.key), text($0.value)) }) { $1 }
    }

    @Test func keysDecideAsInJava() async throws {
        try await withBus(["t": 10]) { bus in
            // murmur2 of "foobar" is -790332482: made positive, 1357151166, and modulo 10 that is 6.
            try bus.produce([
                Record(topic: "t", partition: -1, key: bytes("foobar"), value: []), Record(topic: "t", partition: 3, key: bytes("foobar")),
            ])
            let consumer = try bus.consumer(["t"])
            defer { consumer.close() }
            #expect(Set(consumer.collect(2).map(\.partition)) == [3, 6])
        }
    }

    @Test func injectedErrorsEndInOrderPerKey() async throws {
        try await withBus(["t": 3]) { bus in
            // Short patience of the library, so that records really fail and the resend plan has to work.
            let producer = try BusProducer(bus.configuration(["message.timeout.ms": "400", "linger.ms": "1"]))
            defer { producer.close() }
            var all: [Record] = []
            let done = Mutex<[[Int: BusError]]>([])
            var random = SeededGenerator(state: 7)
            for batch in 0..<20 {
                if batch % 3 == 0 {
                    try bus.pushErrors(
                        .produce, [.none, .notLeader, .requestTimedOut, .disconnect, .notEnoughReplicas, .none, .disconnect])
                }
                if batch == 8 { try bus.setDown() }
                if batch == 12 {
                    Thread.sleep(milliseconds: 900)
                    try bus.setUp()
                }
                let records = (0..<50).map { index in
                    let key = bytes("k\(Int.random(in: 0..<7, using: &random))")
                    return Record(topic: "t", partition: -1, key: key, value: bytes("\(batch * 50 + index)"))
                }
                all += records
                try producer.submit(records, deadline: .in(40)) { errors in done.withLock { $0.append(errors) } }
            }
            try producer.flush(deadline: .in(40))
            #expect(done.withLock { $0.count } == 20)
            #expect(done.withLock { $0.allSatisfy(\.isEmpty) }, "\(done.withLock { $0 })")
            let consumer = try bus.consumer(["t"])
            defer { consumer.close() }
            var ends: Set<TopicPartition> = []
            var received: [Record] = []
            let deadline = ContinuousClock.Instant.in(20)
            while ends.count < 3, ContinuousClock.now < deadline {
                let batch = consumer.take(max: 1_000, wait: 100)
                received += batch.records
                for case .endReached(let partition, _, _) in batch.events { ends.insert(partition) }
            }
            #expect(Set(received.map { text($0.value) }).count == all.count, "nothing is missing")
            #expect(lastPerKey(received) == lastPerKey(all))
        }
    }

    @Test func aDeadlineEndsTheWait() async throws {
        try await withBus(["t": 1]) { bus in
            let producer = try BusProducer(bus.configuration(), limits: .init(records: 3))
            try bus.setDown()
            let start = ContinuousClock.now
            let error = #expect(throws: BusError.self) {
                try producer.produce([Record(topic: "t", key: bytes("k"), value: [])], deadline: .now + .milliseconds(500))
            }
            #expect(error?.isRetriable == true)
            #expect(ContinuousClock.now - start < .seconds(3))
            // What was given up still lies in the library: it counts, so that nothing piles up there.
            try producer.submit([Record(topic: "t", value: []), Record(topic: "t", value: [])], deadline: .in(1)) { _ in }
            let full = #expect(throws: BusError.self) {
                try producer.produce([Record(topic: "t", key: bytes("k"), value: [])], deadline: .now + .milliseconds(300))
            }
            #expect(full?.code == .queueFull)
            producer.close(deadline: .now)
        }
    }

    @Test func aRecordTooLargeIsNamedAndDoesNotHoldTheOthers() async throws {
        try await withBus(["t": 1]) { bus in
            let producer = try BusProducer(bus.configuration(["message.max.bytes": "10000"]))
            defer { producer.close() }
            let large = Record(topic: "t", key: bytes("k"), value: [UInt8](repeating: 1, count: 20_000))
            let small = Record(topic: "t", key: bytes("k"), value: bytes("small"))
            let answer = Mutex<[Int: BusError]?>(nil)
            try producer.submit([small, large, small], deadline: .in(10)) { errors in answer.withLock { $0 = errors } }
            try producer.flush(deadline: .in(10))
            #expect(answer.withLock { $0?.mapValues(\.code) } == [1: .recordTooLarge])
            let error = #expect(throws: BusError.self) { try producer.produce([small, large], deadline: .in(10)) }
            #expect(error?.message.contains("index 1") == true)
        }
    }

    @Test func whatWasRefusedAndWhatStoodBehindItIsRepeatedInItsOrder() {
        let keys = ["a", "b", "a", nil, "b", "c", nil]
        let records = keys.map { Record(topic: "t", key: $0.map(bytes), value: []) }
        func places(_ errors: [Int: BusError.Code]) -> [Int] {
            BusProducer.placesToRepeat(records, after: errors.mapValues { BusError($0, "no") })
        }
        #expect(places([:]) == [])
        #expect(places([1: .recordTooLarge]) == [1, 4])
        #expect(places([2: .recordTooLarge, 3: .recordTooLarge]) == [2, 3], "what stood before it, or has no key either, is there")
        #expect(places([0: .recordTooLarge, 2: .timedOut, 5: .timedOut]) == [0, 2])
    }

    @Test func brokerDownThenUpResumes() async throws {
        try await withBus(["t": 1]) { bus in
            let consumer = try bus.consumer(["t"])
            defer { consumer.close() }
            let producer = try BusProducer(bus.configuration())
            defer { producer.close() }
            try producer.produce([Record(topic: "t", value: bytes("before"))], deadline: .in(10))
            #expect(consumer.collect(1).count == 1)
            try bus.setDown()
            let up = try Beside {
                Thread.sleep(milliseconds: 1_500)
                try? bus.setUp()
            }
            try producer.produce([Record(topic: "t", value: bytes("after"))], deadline: .in(20))
            #expect(consumer.collect(1).map { text($0.value) } == ["after"])
            up.join()
        }
    }

    @Test func leadersMayMove() async throws {
        try await withBus(brokers: 2, ["t": 1]) { bus in
            let producer = try BusProducer(bus.configuration())
            defer { producer.close() }
            for broker in [1, 2, 1] {
                try bus.setLeader(TopicPartition("t", 0), broker: broker)
                try producer.produce([Record(topic: "t", key: bytes("k"), value: bytes("\(broker)"))], deadline: .in(15))
            }
            let consumer = try bus.consumer(["t"])
            defer { consumer.close() }
            #expect(consumer.collect(3).map { text($0.value) } == ["1", "2", "1"])
        }
    }
}
