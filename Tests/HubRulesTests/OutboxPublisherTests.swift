import HubModel
import HubRules
import HubStore
import Testing

@Suite("The outbox's publisher")
struct OutboxPublisherTests {
    private func rows(_ sequences: Int64...) -> [OutboxRow] {
        sequences.map { OutboxRow(sequence: $0, record: Record(topic: "t", key: [1], value: Array("\($0)".utf8))) }
    }

    private enum Input {
        case loaded([Int64])
        case produced, failed, cleared
    }

    @Test("each report leads to the next action")
    func table() {
        var machine = OutboxPublisher(epoch: 7)
        #expect(machine.epoch == 7)
        #expect(machine.start() == .read(after: 0))
        #expect(machine.loaded([]) == .idle)
        #expect(machine.loaded(rows(3, 5, 6)) == .produce(rows(3, 5, 6)))
        // A failure: all in hand again, in order, as often as it takes.
        #expect(machine.failed() == .produce(rows(3, 5, 6)))
        #expect(machine.failed() == .produce(rows(3, 5, 6)))
        #expect(machine.produced() == .clear(through: 6))
        #expect(machine.cleared() == .read(after: 6))
        #expect(machine.loaded(rows(9)) == .produce(rows(9)))
        #expect(machine.produced() == .clear(through: 9))
        #expect(machine.cleared() == .read(after: 9))
        #expect(machine.loaded([]) == .idle)
    }

    @Test("reports without rows in hand do no harm")
    func empty() {
        var machine = OutboxPublisher(epoch: 1)
        #expect(machine.produced() == .idle)
        #expect(machine.failed() == .read(after: 0))
        #expect(machine.cleared() == .read(after: 0))
        _ = machine.loaded(rows(1))
        _ = machine.produced()
        _ = machine.cleared()
        #expect(machine.failed() == .read(after: 1))
        #expect(machine.produced() == .idle)
    }

    @Test("a new holder begins at what the store has, also rows of the one before")
    func takeover() throws {
        let store = MemoryStore(storeID: "test")
        let partition = TopicPartition("outbox", 0)
        let old = try store.withTransaction { try $0.raiseEpoch("outbox", partition) }
        try store.withTransaction { (store) throws in for row in rows(0, 0, 0) { try store.append(row) } }
        var first = OutboxPublisher(epoch: old)
        let inHand = try store.withTransaction { try $0.outbox(after: 0, limit: 2) }
        guard case .produce = first.loaded(inHand) else {
            Issue.record("nothing to produce")
            return
        }
        let new = try store.withTransaction { try $0.raiseEpoch("outbox", partition) }
        // The old one may not clear any more: its rows are produced again by the new one.
        guard case .clear(let last) = first.produced() else {
            Issue.record("nothing to clear")
            return
        }
        #expect(throws: StoreError.self) {
            try store.withTransaction { (store) throws in
                try store.check(epoch: first.epoch, "outbox", partition)
                try store.clearOutbox(through: last)
            }
        }
        var second = OutboxPublisher(epoch: new)
        guard case .produce(let again) = second.loaded(try store.withTransaction { try $0.outbox(after: 0, limit: 10) }) else { return }
        #expect(again.map(\.sequence) == [1, 2, 3])
        #expect(second.produced() == .clear(through: 3))
    }
}
