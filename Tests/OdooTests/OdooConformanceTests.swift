import Foundation
import HubModel
import HubTestKit
import Testing

/// The conformance kit on the live Odoo, in three parts: what waits for time-outs at every request of a call needs short times, everything
/// else long ones, so that a busy machine breaks nothing.
@Suite(.serialized, .enabled(if: LiveOdoo.isThere, LiveOdoo.absence)) struct OdooConformanceTests {
    /// Checks that end a call at each of its requests; the driver notices at once, and only the settle time is waited for.
    private static let interrupting: Set<Check> = [.intentRecovery, .halfDone]

    @Test func theDriverKeepsTheContract() async throws {
        let others = Set(Check.allCases).subtracting(Self.interrupting).subtracting([.lateCompletion])
        let report = try await run(others, answer: 8000, settle: 3000)
        #expect(report.hasPassed)
        // It has no version tokens, and says so.
        let tokens = report.results(.conditionalWrite)
        #expect(tokens.allSatisfy { if case .absent = $0 { true } else { false } })
    }

    @Test func whatIsInterruptedEndsWell() async throws {
        // A request that was lost never arrives, and one whose answer was lost has ended: nothing settles any more.
        let reports = try await ofEachType(Self.interrupting, answer: 8000, settle: 500)
        #expect(reports.allSatisfy { $0.hasPassed })
    }

    @Test func whatArrivesLateEndsWell() async throws {
        // Several times as long as the slowest call takes here and now.
        let answer = max(1000, try await OdooBench.pace().milliseconds * 6)
        let reports = try await ofEachType([.lateCompletion], answer: Int(answer), settle: Int(answer * 14 / 10))
        #expect(reports.allSatisfy { $0.hasPassed })
    }

    /// Each type with a driver and a proxy of its own, at once: they wait most of the time.
    private func ofEachType(_ checks: Set<Check>, answer: Int, settle: Int) async throws -> [ConformanceReport] {
        try await withThrowingTaskGroup(of: ConformanceReport.self) { group in
            for native in OdooBench.natives {
                group.addTask { try await run(checks, answer: answer, settle: settle, only: native) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    private func run(_ checks: Set<Check>, answer: Int, settle: Int, only native: String? = nil) async throws -> ConformanceReport {
        var options = ConformanceOptions()
        options.checks = checks
        options.captureTime = .seconds(60)
        options.patience = .seconds(15)
        // It takes minutes: what is known is said at once.
        options.progress = { entry in
            let text = "\(entry.duration) \(entry.check.rawValue) \(entry.subject): \(entry.result)\n"
            FileHandle.standardError.write(Data(text.utf8))
        }
        let report = try await DriverConformance(OdooBench(answer: answer, settle: settle, only: native), options).run()
        report.print()
        return report
    }
}
