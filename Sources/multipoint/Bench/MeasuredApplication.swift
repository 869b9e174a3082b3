import HubDriver
import HubModel

/// An application reached over HTTP, as it is measured.
protocol MeasuredApplication: Sendable {
    var name: String { get }
    /// The type whose documents are made and changed.
    var native: String { get }
    /// What an update takes, for people.
    var way: String { get }
    /// Updates of each document in a run.
    func updates(_ size: BenchSize) -> Int
    func makeDriver(calls: Int) throws -> any Driver
    func creation(_ mark: String) -> Fields
    func change(_ mark: String) -> Fields
    func makeBareClient(calls: Int) async throws -> any BareClient
}

extension MeasuredApplication {
    /// As many as a real application answers in some seconds.
    func updates(_ size: BenchSize) -> Int { size.isQuick ? 10 : 50 }
}

/// What somebody would write who needs just these updates: the requests that the application wants for one, and nothing around them.
protocol BareClient: Sendable {
    /// - Returns: the document's version afterwards, where the application has versions.
    func update(_ key: NativeKey, _ token: VersionToken?, _ mark: String) async throws -> VersionToken?
    func close() async
}
