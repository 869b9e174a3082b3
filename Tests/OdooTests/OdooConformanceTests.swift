import HubTestKit
import Testing

@Suite(.serialized, .enabled(if: LiveOdoo.isThere, LiveOdoo.absence)) struct OdooConformanceTests {
    @Test func theDriverKeepsTheContract() async throws {
        var options = ConformanceOptions()
        options.progress = { print($0.subject, $0.check.rawValue, $0.result) }
        let report = try await DriverConformance(OdooBench(), options).run()
        report.print()
        #expect(report.hasPassed)
        // It has no version tokens, and says so.
        #expect(report.results(.conditionalWrite).allSatisfy { if case .absent = $0 { true } else { false } })
    }
}
