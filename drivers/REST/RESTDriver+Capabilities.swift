import HubDriver
import HubModel

/// A driver whose recipe allows more than every recipe does: the hub finds capabilities by the protocols of a driver's type.
protocol RecipeDriver: LookingUp, Reading, Paging, Answering {
    var base: RESTDriver { get }
}

extension RecipeDriver {
    var manifest: Manifest { base.manifest }
    func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] { try await base.apply(batch) }
    func probe() async throws(DriverError) -> ApplicationIdentity { try await base.probe() }
    func close() async { await base.close() }
    func lookUp(_ references: [LookUp]) async throws(DriverError) -> [[NativeDocument]] { try await base.lookUp(references) }
    func read(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?] { try await base.read(references) }
    func page(native: String, company: String?, after cursor: String?, limit: Int) async throws(DriverError) -> Page {
        try await base.page(native: native, company: company, after: cursor, limit: limit)
    }
    func answer(_ question: Question) async throws(DriverError) -> FunctionReply { try await base.answer(question) }
    func capture(after position: String?, limit: Int) async throws(DriverError) -> CapturedBatch {
        try await base.capture(after: position, limit: limit)
    }
    func discover() async throws(DriverError) -> Discovery { try await base.discover() }
}

struct CapturingRecipeDriver: RecipeDriver, Capturing { let base: RESTDriver }
struct DiscoveringRecipeDriver: RecipeDriver, Discovering { let base: RESTDriver }
struct WholeRecipeDriver: RecipeDriver, Capturing, Discovering { let base: RESTDriver }

extension RESTDriver {
    /// This with the capabilities that its recipe declares: `changes` of any type, `discovery`.
    var capable: any Driver {
        let captures = recipe.entities.contains { $0.changes != nil }
        switch (captures, recipe.discovery != nil) {
        case (true, true): return WholeRecipeDriver(base: self)
        case (true, false): return CapturingRecipeDriver(base: self)
        case (false, true): return DiscoveringRecipeDriver(base: self)
        case (false, false): return self
        }
    }
}
