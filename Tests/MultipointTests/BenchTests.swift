import Foundation
import HubDriver
import HubModel
import Testing

@Suite("multipoint bench")
struct BenchTests {
    /// Only that it measures: what it measures belongs to a quiet machine and a release build.
    @Test(
        "rest measures the driver beside bare clients, with versions and without; an application that nobody names is skipped and said so")
    func applications() throws {
        let program = try Program()
        let result = try program.run("bench", "--only", "rest,tryton,odoo", "--quick", "--runs", "1", "--json")
        let rows = try result.output.split(separator: "\n").map { try JSONText.fields(String($0)) }
        #expect(result.code == 0 || result.errors.contains("missed: rest"), "\(result.errors)")
        #expect(
            rows.compactMap { $0["measurement"]?.text }.filter { $0.hasPrefix("rest") }
                == ["rest", "rest, no versions"].flatMap { [$0, "\($0), CPU", "\($0), CPU of bare clients", "\($0), CPU added"] })
        let rates = try rows.filter { $0["unit"] == "updates/s" && $0["measurement"]?.text?.hasPrefix("rest") == true }.map { row in
            (rate: try double(row["value"]), bare: try double(row["baseline"]))
        }
        // Four calls at once at an application that takes 5 ms for a request: not faster than 800 requests a second.
        #expect(rates.count == 2 && rates.allSatisfy { $0.rate > 20 && $0.rate < 805 && $0.bare > 20 && $0.bare < 805 }, "\(rates)")
        for name in ["tryton", "odoo"] where ProcessInfo.processInfo.environment["MULTIPOINT_\(name.uppercased())_URL"] == nil {
            #expect(result.errors.contains("\(name): skipped, as MULTIPOINT_\(name.uppercased())_URL"), "\(result.errors)")
        }
    }

    private func double(_ value: Value?) throws -> Double { try #require(value?.number.flatMap { Double($0.description) }) }
}
