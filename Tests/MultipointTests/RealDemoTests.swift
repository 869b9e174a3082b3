import Foundation
import HubModel
import Testing

@testable import multipoint

@Suite("The demonstration on real systems")
struct RealDemoTests {
    private static let example = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("drivers/examples/real").path

    /// The example's folder, as `scripts/demo-real` lays it out, with addresses at which nothing answers.
    private func laidOut() throws -> Program {
        let program = try Program(files: ["odoo.key": "key"])
        for file in ["hub.yaml"]
            + ["odoo/customer", "odoo/order", "odoo/product", "tryton/order"].map({
                "mappings/\($0).yaml"
            })
        {
            try program.write(
                file, try String(contentsOfFile: "\(Self.example)/\(file)", encoding: .utf8))
        }
        return program
    }

    private func run(_ program: Program, _ arguments: String...) throws -> Int32 {
        let process = program.process(arguments)
        process.environment = ProcessInfo.processInfo.environment.merging([
            "MULTIPOINT_ODOO_URL": "http://127.0.0.1:1",
            "MULTIPOINT_TRYTON_URL": "http://127.0.0.1:1/none", "MULTIPOINT_TRYTON_PASSWORD": "x",
        ]) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    @Test("The example's configuration has no mistakes")
    func example() throws { #expect(try run(try laidOut(), "check") == 0) }

    @Test("Where an application does not answer, the demonstration breaks off and says so")
    func unreachable() throws { #expect(try run(try laidOut(), "demo-real") == 1) }

    @Test("Without an address of Tryton there is no swap")
    func noTryton() throws {
        #expect(throws: CommandFailure.self) { _ = try TrytonSwap([:]) }
        #expect(throws: CommandFailure.self) {
            _ = try TrytonSwap(["MULTIPOINT_TRYTON_URL": "nowhere"])
        }
    }

    @Test("Generations are read from ids, and from nothing else")
    func generations() {
        #expect(CanonicalGeneration.of("multipoint:customer-7-42") == 7)
        #expect(CanonicalGeneration.of("product-12-1") == 12)
        #expect(CanonicalGeneration.of("customer-42") == nil)
        #expect(CanonicalGeneration.of("a-b-c") == nil && CanonicalGeneration.of("a-0-1") == nil)
        #expect(CanonicalGeneration.of("kit-9223372036854775807-1") == nil)
    }

    @Test("One failed step is a failed demonstration, and so is none at all")
    func reports() {
        var report = RealDemoReport()
        #expect(!report.isWell)
        report.steps = [.init(title: "one", took: .milliseconds(1250), failure: nil)]
        #expect(report.isWell)
        #expect(report.lines.contains("1. one: passed, 1.3 s"))
        report.steps.append(.init(title: "two", took: .zero, failure: "nothing came"))
        #expect(!report.isWell)
        #expect(report.lines.contains("2. two: FAILED: nothing came, 0.0 s"))
        #expect(report.value["passed"] == 1)
    }
}
