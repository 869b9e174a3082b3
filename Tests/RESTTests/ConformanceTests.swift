import Foundation
import HubDriver
import HubModel
import HubTestKit
import Testing

@testable import REST
@testable import StandIns

/// Each report is held against what its driver is known to lack: one that loses a capability still passes.
@Suite("REST: the driver contract", .serialized)
struct ConformanceTests {
    private func run(_ bench: some DriverBench, _ checks: Set<Check> = Set(Check.allCases)) async throws -> ConformanceReport {
        var options = ConformanceOptions()
        options.checks = checks
        options.captureTime = .seconds(4)
        options.progress = { entry in
            if case .failed = entry.result { print(entry) }
        }
        let report = try await DriverConformance(bench, options).run()
        report.print()
        return report
    }

    @Test("A plain REST interface: tokens in ETag and body, upsert by reference, three ways of paging")
    func plain() async throws {
        let report = try await run(try await PlainBench())
        #expect(report.hasPassed)
        #expect(
            report.absent == [
                "conditional-write product",
                "discovery customer rights",
                "discovery order rights",
                "discovery product rights",
                "functions price",
                "retryable-and-final order for the moment",
                "rules customer refused",
                "rules order refused",
                "rules product refused",
            ])
    }

    @Test("A limit of requests a minute is kept")
    func limit() async throws {
        let recipe = PlainRecipe.text.replacingOccurrences(of: "limits: { calls: 4 }", with: "limits: { calls: 4, perMinute: 40 }")
        let report = try await run(try await PlainBench(recipe), [.rateLimit])
        #expect(report.hasPassed)
    }

    @Test("Business Central's recipe: OData with conditions, expanded lines, batches")
    func businessCentral() async throws {
        let report = try await run(try await BusinessCentralBench())
        #expect(report.hasPassed)
        #expect(
            report.absent == [
                "discovery customer rights",
                "discovery item rights",
                "discovery salesOrder rights",
                "functions credit",
                "functions stock",
                "rules customer refused",
                "rules customer unknown-reference",
                "rules item refused",
                "rules item unknown-reference",
                "rules salesOrder refused",
            ])
    }

    @Test("The SData recipe")
    func sdata() async throws {
        let report = try await run(try await SDataBench())
        #expect(report.hasPassed)
        #expect(
            report.absent == [
                "discovery",
                "discovery account fields",
                "discovery account rights",
                "discovery product fields",
                "discovery product rights",
                "discovery salesOrder fields",
                "discovery salesOrder rights",
                "rules account refused",
                "rules product refused",
                "rules salesOrder refused",
            ])
    }
}
