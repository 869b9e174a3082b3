import HubDriver
import HubModel
import PostgresClient
import Testing

@testable import PostgreSQL

/// Which transactions a batch holds, and what is given up.
@Suite struct SlotBufferTests {
    private func change(_ key: Int, size: Int = 10) -> SlotChange {
        let event = ChangeEvent(type: "t", operation: .upsert, key: NativeKey("\(key)"))
        return SlotChange(change: CapturedChange(event: event, fields: nil), size: size)
    }

    private func buffer(_ transactions: [(commit: UInt64, count: Int)], maxBytes: Int = 1 << 20) -> SlotBuffer {
        var buffer = SlotBuffer(from: LogPlace(.zero), maxBytes: maxBytes)
        for transaction in transactions {
            buffer.begin(LogSequenceNumber(transaction.commit), UInt32(transaction.commit))
            for key in 0..<transaction.count { buffer.append(change(key)) }
            buffer.commit(LogSequenceNumber(transaction.commit + 5))
        }
        return buffer
    }

    private func taken(_ buffer: inout SlotBuffer, _ place: LogPlace, _ limit: Int) throws -> SlotBuffer.Taken {
        let taken = buffer.take(after: place, limit: limit)
        return try #require(taken)
    }

    @Test func transactionsStayTogether() throws {
        var buffer = buffer([(10, 4), (20, 4), (30, 4)])
        let first = try taken(&buffer, LogPlace(.zero), 10)
        #expect(first.changes.count == 8 && first.reached == LogPlace(LogSequenceNumber(25)) && !first.isCut)
        #expect(first.transactions == [10, 20])
        let again = try taken(&buffer, LogPlace(.zero), 10)
        #expect(again.changes.map(\.change) == first.changes.map(\.change), "nothing is given up before it is stored")
        let second = try taken(&buffer, first.reached, 10)
        #expect(second.changes.count == 4 && second.reached == LogPlace(LogSequenceNumber(35)))
        let gone = buffer.take(after: LogPlace(.zero), limit: 10)
        #expect(gone == nil, "what was given up is not there any more")
    }

    @Test func aTransactionLargerThanABatchIsCutAndGoesOn() throws {
        var buffer = buffer([(10, 25)])
        var place = LogPlace(.zero)
        var counts: [Int] = []
        var cuts: [Bool] = []
        for _ in 0..<3 {
            let batch = try taken(&buffer, place, 10)
            counts.append(batch.changes.count)
            cuts.append(batch.isCut)
            place = batch.reached
        }
        #expect(counts == [10, 10, 5] && cuts == [true, true, false] && place == LogPlace(LogSequenceNumber(15)))
    }

    @Test func whatHasNoEndYetIsToldOnlyWhereItIsLargerThanABatch() throws {
        var buffer = SlotBuffer(from: LogPlace(.zero), maxBytes: 1 << 20)
        buffer.begin(LogSequenceNumber(10), 10)
        buffer.append(change(1))
        buffer.append(change(2))
        let whole = buffer.take(after: LogPlace(.zero), limit: 10)
        #expect(whole?.changes.isEmpty == true)
        let part = buffer.take(after: LogPlace(.zero), limit: 2)
        #expect(part?.isCut == true && part?.changes.count == 2 && part?.transactions == [10])
        buffer.keepalive(LogSequenceNumber(99))
        #expect(buffer.seen == .zero, "a transaction is open")
    }

    @Test func aFullBufferIsTakenFromInTheMiddleOfATransaction() throws {
        var buffer = SlotBuffer(from: LogPlace(.zero), maxBytes: 1000)
        buffer.begin(LogSequenceNumber(10), 10)
        for key in 0..<4 { buffer.append(change(key, size: 100)) }
        #expect(buffer.isFull)
        let batch = try taken(&buffer, LogPlace(.zero), 500)
        #expect(batch.changes.count == 4 && batch.isCut)
        let none = buffer.take(after: batch.reached, limit: 500)
        #expect(none?.changes.isEmpty == true && !buffer.isFull)
        // What follows is counted behind what has been given up.
        buffer.append(change(4))
        buffer.commit(LogSequenceNumber(15))
        let rest = try taken(&buffer, batch.reached, 500)
        #expect(rest.changes.count == 1 && rest.reached == LogPlace(LogSequenceNumber(15)) && !rest.isCut)
    }

    @Test func aBatchEndsBehindATruncation() throws {
        var buffer = SlotBuffer(from: LogPlace(.zero), maxBytes: 1 << 20)
        buffer.begin(LogSequenceNumber(10), 10)
        buffer.truncate(["t"])
        buffer.append(change(1))
        buffer.commit(LogSequenceNumber(15))
        buffer.begin(LogSequenceNumber(20), 20)
        buffer.append(change(2))
        buffer.commit(LogSequenceNumber(25))
        let batch = try taken(&buffer, LogPlace(.zero), 10)
        #expect(batch.changes.count == 1 && batch.truncated == ["t"] && batch.reached == LogPlace(LogSequenceNumber(15)))
        #expect(batch.truncatedAt == LogPlace(LogSequenceNumber(10), 2))
    }

    @Test func positionsAreWrittenAndRead() throws {
        var position = SlotPosition(place: LogPlace(LogSequenceNumber(0x1_0000_0000), 3), known: ["a", "b"])
        position.work = [.init(kind: .read, native: "b", key: "k\""), .init(kind: .compare, native: "b", at: LogPlace(.zero, 1))]
        #expect(try SlotPosition(position.text) == position)
        #expect(throws: DriverError.self) { try SlotPosition("0/0/0") }
    }

    @Test func whatTheHubHasIsKeptForAWhile() {
        var places = StoredPlaces()
        let start = ContinuousClock.now
        // The hub goes back once: nothing more is given up then than was already. At the end it is too much of the log to hold.
        let steps: [(second: Int, place: UInt64, givenUp: UInt64?)] = [
            (0, 100, nil), (10, 200, nil), (50, 300, nil), (65, 400, 100), (75, 400, 200), (80, 250, 200), (139, 500, 200), (141, 600, 250),
            (142, 1 << 30, 600),
        ]
        for step in steps {
            let givenUp = places.note(LogSequenceNumber(step.place), at: start + .seconds(step.second), keep: .seconds(60))
            #expect(givenUp?.rawValue == step.givenUp, "at \(step.second)")
        }
    }
}
