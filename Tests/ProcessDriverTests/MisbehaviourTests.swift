import Foundation
import HubDriver
import HubModel
import Testing

@testable import ProcessDriver
@testable import StandIns

@Suite("A process that misbehaves", .enabled(if: Hostile.isPossible, "skipped: there is no python3"))
struct MisbehaviourTests {
    @Test(
        "ends its calls with a clear error, mapped by what may have happened, and is started again",
        arguments: [
            ("garbage", "no answer (it is no JSON", "Traceback (most recent call last)"),
            ("binary", "no answer (it is no JSON", " "),
            ("foreign", "answered a call that it was never given (4711)", " "),
            ("earlier", "twice", " "),
            ("caller", "it is a call of read, and the hub answers no calls", " "),
            ("die", "ended with exit code 9", " "),
            ("kill", "was ended by signal 9", " "),
            ("half", "ended with exit code 0", " "),
            ("shut", "has closed its standard output and goes on without", " "),
        ])
    func violations(mode: String, words: String, more: String) async throws {
        let bench = try Bench(mode)
        let error = try #require(await bench.failure())
        #expect(error.code == .noAnswer, "it had been sent: \(error)")
        #expect(error.message.contains(words) && error.message.contains(more), "\(error)")
        #expect(!error.message.unicodeScalars.contains { $0.value < 32 }, "nothing from outside may move the terminal's cursor")
        let next = await bench.failure()
        #expect(next == nil || next?.code == .unreachable, "a call that was never written had no effect: \(String(describing: next))")
        #expect(await bench.recovers())
        #expect(bench.logged.contains { $0.hasPrefix("error:") && $0.contains(words) })
        #expect(bench.logged.contains { $0.contains("has been started again") })
        await bench.driver.close()
        for pid in bench.pids { #expect(await isGone(pid)) }
        #expect(bench.text("starts") == "xx")
    }

    @Test("that answers twice has its first answer taken")
    func twice() async throws {
        let bench = try Bench("twice")
        #expect(await bench.failure() == nil)
        var message = ""
        for _ in 0..<100 where message.isEmpty {
            message = bench.logged.first { $0.contains("answered call") && $0.contains("twice") } ?? ""
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(message.hasPrefix("error:"))
        #expect(await bench.recovers())
        await bench.driver.close()
    }

    @Test("that answers and ends at once has its answer taken")
    func lastAnswer() async throws {
        let bench = try Bench("last")
        #expect(await bench.failure() == nil)
        #expect(await bench.recovers())
        await bench.driver.close()
    }

    @Test("that hangs is ended after the settle time, and never holds up more than its own calls")
    func hangs() async throws {
        let bench = try Bench("hang")
        let began = ContinuousClock.now
        async let first = bench.failure()
        async let second = bench.failure()
        async let third = bench.failure()
        let errors = await [first, second, third]
        #expect(began.duration(to: .now) < .seconds(20), "not as long as the process sleeps")
        #expect(
            errors.compactMap(\.?.code.description).sorted() == ["no-answer", "no-answer", "unreachable"], "two calls at once, one waits")
        #expect(errors.contains { $0?.message.contains("gave no answer to apply in time") == true })
        #expect(await bench.recovers())
        #expect(bench.logged.contains { $0.contains("hangs") })
        for pid in bench.pids.filter({ bench.text("starts") == "xx" && kill($0, 0) != 0 }) { #expect(await isGone(pid)) }
        await bench.driver.close()
        #expect(bench.text("starts") == "xx")
    }

    @Test("that answers late is not taken for one that breaks the protocol")
    func late() async throws {
        let bench = try Bench("late") { $0.bounds.calls = CallTable.Bounds() }
        #expect(await bench.failure()?.code == .noAnswer)
        try await Task.sleep(for: .milliseconds(200))
        _ = await bench.failure()
        #expect(!bench.logged.contains { $0.contains("never given") || $0.contains("twice") }, "\(bench.logged)")
        await bench.driver.close()
    }

    @Test("that reads nothing ends calls by what the pipe took")
    func deaf() async throws {
        let bench = try Bench("deaf")
        async let first = bench.failure(["text": .string(String(repeating: "x", count: 1 << 20))])
        async let second = bench.failure(["text": .string(String(repeating: "x", count: 1 << 20))])
        let codes = await [first, second].compactMap(\.?.code.description).sorted()
        #expect(codes == ["no-answer", "unreachable"], "the pipe holds a part of the first and nothing of the second")
        await bench.driver.close()
        for pid in bench.pids { #expect(await isGone(pid)) }
    }

    @Test("that closes its standard input has what was never written end without effect")
    func shutIn() async throws {
        let bench = try Bench("shutIn")
        async let first = bench.failure()
        for _ in 0..<50 where bench.text("got").isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        try await Task.sleep(for: .milliseconds(50))
        let second = await bench.failure()
        #expect(second == nil || second?.code == .unreachable, "\(String(describing: second))")
        #expect(bench.logged.contains { $0.contains("has closed its standard input") || $0.contains("hangs") }, "\(bench.logged)")
        #expect(await first?.code == .noAnswer)
        #expect(await bench.recovers())
        await bench.driver.close()
    }

    @Test("that writes without end is ended")
    func long() async throws {
        let bench = try Bench("long") { $0.bounds.lineBytes = 100_000 }
        let error = try #require(await bench.failure())
        #expect(error.code == .noAnswer && error.message.contains("longer than 100000 bytes"), "\(error)")
        #expect(await bench.recovers())
        await bench.driver.close()
    }

    @Test("that answers wrongly: too few answers fail all, a wrong one only its delivery")
    func wrongAnswers() async throws {
        let short = try Bench("count")
        let error = try #require(await short.failure())
        #expect(error.code == .protocolViolation && error.message.contains("a list of 1 (one for each delivery), not of 0"), "\(error)")
        await short.driver.close()
        let wrong = try Bench("wrong")
        let answers = try await wrong.driver.apply([wrong.delivery(), wrong.delivery()])
        guard case .noAnswer(let reason) = answers[0], case .written = answers[1] else {
            Issue.record("\(answers)")
            return
        }
        #expect(reason.contains("result.answers[0].kind has to be written"), "\(reason)")
        await wrong.driver.close()
    }

    @Test(
        "or that says itself what went wrong is believed",
        arguments: [
            (-32001, DriverError.Code.unreachable), (-32002, .noAnswer), (-32003, .unauthorised), (-32004, .configuration),
            (-32005, .protocolViolation), (-32601, .protocolViolation), (-32603, .noAnswer), (7, .noAnswer),
        ])
    func refusals(code: Int, expected: DriverError.Code) async throws {
        let bench = try Bench("refusal")
        let error = try #require(await bench.failure(["code": .string("\(code)")]))
        #expect(error.code == expected && error.message == "because")
        #expect(bench.text("starts") == "x", "an error is an answer; the process goes on")
        await bench.driver.close()
    }

    @Test("on standard error reaches the log line by line, cut and counted")
    func noise() async throws {
        let bench = try Bench("noisy") { $0.bounds.errorLines = 50 }
        #expect(await bench.failure() == nil)
        await bench.driver.close()
        let lines = bench.logged.filter { $0.contains("complaint") }
        #expect(lines.count == 50)
        #expect(lines.first == "notice: shop: complaint 0")
        #expect(bench.logged.allSatisfy { $0.utf8.count < 8 << 10 })
    }

    @Test("whose end nobody would notice, because its own child holds the pipes, is noticed")
    func child() async throws {
        let bench = try Bench("child")
        for pid in bench.pids { kill(pid, SIGKILL) }
        let error = await bench.failure()
        #expect(error == nil || error?.code == .unreachable || error?.code == .noAnswer)
        #expect(await bench.recovers())
        await bench.driver.close()
        for pid in bench.pids { #expect(await isGone(pid)) }
    }
}
