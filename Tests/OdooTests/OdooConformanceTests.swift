import Foundation
import HubTestKit
import Testing

@Suite(.serialized, .enabled(if: LiveOdoo.isThere, LiveOdoo.absence)) struct OdooConformanceTests {
    @Test func theDriverKeepsTheContract() async throws {
        var options = ConformanceOptions()
        if let names = ProcessInfo.processInfo.environment["MULTIPOINT_CHECKS"] {
            options.checks = Set(names.split(separator: ",").compactMap { Check(rawValue: String($0)) })
        }
        // It takes minutes: what is known is said at once.
        options.progress = { FileHandle.standardError.write(Data("\($0.check.rawValue) \($0.subject): \($0.result)\n".utf8)) }
        let report = try await DriverConformance(OdooBench(), options).run()
        report.print()
        #expect(report.hasPassed)
        // It has no version tokens, and says so.
        let tokens = report.results(.conditionalWrite)
        #expect(tokens.allSatisfy { if case .absent = $0 { true } else { false } })
    }
}
