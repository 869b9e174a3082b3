import HubDriver
import HubModel
import HubTestKit

/// A bench that says nothing that it need not say.
struct BareBench: DriverBench {
    static let rules = ["missing-name", "duplicate-code", "negative-price", "in-use", "territory"]

    let faults: any FaultInjector
    private let full = WarehouseBench()

    init(faults: (any FaultInjector)? = nil) { self.faults = faults ?? full.faults }

    func makeDriver() async throws -> any Driver { try await full.makeDriver() }

    var samples: [Sample] { [Sample("item", create: { ["name": .string($0)] }, change: { ["city": .string($0)] })] }
}
