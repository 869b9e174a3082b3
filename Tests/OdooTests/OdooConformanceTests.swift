import Foundation
import HubTestKit
import Testing

@Suite(.serialized, .enabled(if: LiveOdoo.isThere, LiveOdoo.absence)) struct OdooConformanceTests {
    /// Checks that wait for a call's time-out and settling at every request.
    private static let waiting: Set<Check> = [.intentRecovery, .lateCompletion, .halfDone]

    @Test func theDriverKeepsTheContract() async throws {
        // A dozen orders at once take an Odoo on two cores some seconds.
        let report = try await run(Set(Check.allCases).subtracting(Self.waiting), answer: 5000, settle: 2000)
        #expect(report.hasPassed)
        // It has no version tokens, and says so.
        let tokens = report.results(.conditionalWrite)
        #expect(tokens.allSatisfy { if case .absent = $0 { true } else { false } })
    }

    @Test func whatGoesWrongHalfWayEndsWell() async throws {
        let report = try await run(Self.waiting, answer: 1200, settle: 1400)
        #expect(report.hasPassed)
    }

    private func run(_ checks: Set<Check>, answer: Int, settle: Int) async throws -> ConformanceReport {
        var options = ConformanceOptions()
        options.checks = checks
        options.captureTime = .seconds(15)
        // It takes minutes: what is known is said at once.
        options.progress = { FileHandle.standardError.write(Data("\($0.check.rawValue) \($0.subject): \($0.result)\n".utf8)) }
        let report = try await DriverConformance(OdooBench(answer: answer, settle: settle), options).run()
        report.print()
        return report
    }
}
