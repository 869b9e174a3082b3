public import HubDriver

/// What the author of a driver tells the kit, so that it can try the driver on its live application.
///
/// ```swift
/// struct WarehouseBench: DriverBench {
///     let proxy: TCPProxy
///     var faults: any FaultInjector { proxy }
///
///     func makeDriver() async throws -> any Driver {
///         try WarehouseFactory.make(DriverSettings(application: "kit", values: ["url": "http://127.0.0.1:\(proxy.port)"]))
///     }
///
///     var samples: [Sample] {
///         [
///             Sample("item", create: { mark in ["code": .string(mark), "name": "Kit"] }, change: { mark in ["name": .string(mark)] })
///                 .with([.text("name"), .decimal("price", scale: 2)])
///                 .with([Breach("missing-field") { delivery, _ in delivery.fields["name"] = .null }])
///         ]
///     }
/// }
///
/// let report = try await DriverConformance(WarehouseBench(proxy: TCPProxy(to: "127.0.0.1", 8080))).run()
/// report.print()
/// #expect(report.hasPassed)
/// ```
public protocol DriverBench: Sendable {
    /// What stands between driver and application: a ``TCPProxy`` before the live application's address, or something of the bench's own.
    var faults: any FaultInjector { get }

    /// A new driver that reaches the application through ``faults`` only, and knows nothing of drivers made before it.
    ///
    /// Settings with short answer and settle times make a run short: it waits for them often.
    func makeDriver() async throws -> any Driver

    /// One sample for each native type that the driver writes.
    var samples: [Sample] { get async throws }

    /// One for each function of the manifest; those without one are reported absent.
    var questions: [QuestionSample] { get async throws }
}

extension DriverBench {
    public var questions: [QuestionSample] { [] }
}
