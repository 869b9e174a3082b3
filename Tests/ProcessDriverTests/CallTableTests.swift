import HubModel
import Testing

@testable import ProcessDriver

@Suite("The table of calls")
struct CallTableTests {
    private let start = ContinuousClock.now
    private func at(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }

    private func table(calls: Int = 2, waiting: Int = 4) -> CallTable {
        CallTable(bounds: CallTable.Bounds(calls: calls, waitingCalls: waiting, waitingBytes: 1000))
    }

    /// Writes whatever may be written.
    private func write(_ table: inout CallTable, now: ContinuousClock.Instant) {
        while let next = table.next { table.wrote(next.count, now: now) }
    }

    @Test("knows of each call whether a byte of it was written")
    func fates() {
        var table = table()
        for id: Int64 in 1...4 {
            let isAdded = table.add(id, line: [1, 2, 3], limit: at(100))
            #expect(isAdded)
        }
        let r1 = table.add(5, line: [1], limit: at(100))
        #expect(!r1, "four may wait")
        #expect(table.next?.count == 3)
        table.wrote(1, now: start)
        let r2 = table.drain()
        #expect(r2.map(\.fate) == [.maybeDone, .neverWritten, .neverWritten, .neverWritten])
        #expect(table.isEmpty && table.next == nil)
    }

    @Test("gives a process no more calls at once than it bears, given-up ones included")
    func bounds() {
        var table = table()
        for id: Int64 in 1...3 { _ = table.add(id, line: [1], limit: at(Int(id) * 100)) }
        write(&table, now: start)
        let r3 = table.expire(now: at(100))
        #expect(r3.map(\.id) == [1])
        #expect(table.next == nil, "the process still has call 1")
        let r4 = table.answered(1, now: at(150))
        #expect(r4 == .late)
        #expect(table.next != nil)
        write(&table, now: at(160))
        let r5 = table.expire(now: at(300))
        #expect(r5.map(\.fate) == [.maybeDone, .maybeDone])
    }

    @Test("tells late, repeated and foreign answers apart")
    func verdicts() {
        var table = table()
        _ = table.add(7, line: [1], limit: at(100))
        _ = table.add(8, line: [1, 2], limit: at(100))
        let r6 = table.answered(7, now: start)
        #expect(r6 == .foreign, "not written yet")
        table.wrote(1, now: start)
        let r7 = table.answered(7, now: start)
        #expect(r7 == .awaited)
        let r8 = table.answered(7, now: start)
        #expect(r8 == .again)
        table.wrote(1, now: start)
        let r9 = table.answered(8, now: start)
        #expect(r9 == .foreign, "only half of it is written")
        table.wrote(1, now: start)
        let r10 = table.giveUp(8, now: start)
        #expect(r10 == .maybeDone)
        let r11 = table.giveUp(8, now: start)
        #expect(r11 == nil)
        let r12 = table.answered(8, now: start)
        #expect(r12 == .late)
        let r13 = table.answered(9, now: start)
        #expect(r13 == .foreign)
        _ = table.drain()
        let r14 = table.answered(7, now: start)
        #expect(r14 == .foreign, "that was another process")
    }

    @Test("a half-written call that is given up is still written to its end: the next line must begin at its beginning")
    func halfWritten() {
        var table = table()
        _ = table.add(1, line: [1, 2, 3], limit: at(10))
        _ = table.add(2, line: [9], limit: at(100))
        table.wrote(2, now: start)
        let r15 = table.expire(now: at(20))
        #expect(r15.map(\.fate) == [.maybeDone])
        #expect(table.next.map(Array.init) == [3])
        table.wrote(1, now: at(20))
        #expect(table.next.map(Array.init) == [9])
    }

    @Test("says that a process hangs only where nothing is answered any more")
    func hangs() {
        var table = table(calls: 3)
        _ = table.add(1, line: [1], limit: at(100))
        _ = table.add(2, line: [1], limit: at(900))
        write(&table, now: start)
        #expect(table.hangs(after: .milliseconds(50)) == nil)
        _ = table.expire(now: at(100))
        #expect(table.hangs(after: .milliseconds(50)) == at(150))
        let r16 = table.answered(2, now: at(120))
        #expect(r16 == .awaited)
        #expect(table.hangs(after: .milliseconds(50)) == nil, "it is slow with one call, and answers others")
        for id: Int64 in 3...4 { _ = table.add(id, line: [1], limit: at(200)) }
        write(&table, now: at(150))
        _ = table.expire(now: at(200))
        #expect(table.hangs(after: .milliseconds(50)) == at(150), "given-up calls fill it")
    }

    @Test("restarts wait longer each time, up to a limit, and begin anew after a sound life")
    func restarts() {
        var restarts = Restarts(firstDelay: .milliseconds(200), longestDelay: .seconds(30), soundLife: .seconds(60))
        let delays = (0..<12).map { _ in restarts.ended(after: .zero, jitter: 1).milliseconds }
        #expect(delays == [200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000, 30000])
        let r17 = restarts.ended(after: .seconds(61), jitter: 0)
        #expect(r17 == .milliseconds(100))
    }

    @Test("lines are cut at breaks, however the bytes come")
    func lines() {
        var buffer = LineBuffer(limit: 5)
        buffer.append([0x61, 0x0D])
        let r18 = buffer.line()
        #expect(r18 == nil)
        buffer.append([0x0A, 0x0A, 0x62])
        let r19 = buffer.line()
        #expect(r19 == [0x61])
        let r20 = buffer.line()
        #expect(r20 == [])
        let r21 = buffer.line()
        #expect(r21 == nil && !buffer.isTooLong)
        buffer.append([0, 0, 0, 0, 0])
        #expect(buffer.isTooLong)
    }

    @Test(
        "commands are words, with quotation marks as in a shell",
        arguments: [
            ("python3  driver.py", ["python3", "driver.py"]), ("a 'b c' \"d \\\" e\" f\\ g", ["a", "b c", "d \" e", "f g"]),
            ("''", [""]), ("'open", nil), ("end\\", nil), ("", []),
        ] as [(String, [String]?)])
    func commands(text: String, words: [String]?) {
        #expect(CommandWords.words(text) == words)
    }
}
