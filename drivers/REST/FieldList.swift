import HubDriver

/// Fields as they are found, each once, as many as are bearable: descriptions refer to themselves.
struct FieldList {
    private(set) var all: [DiscoveredField] = []
    /// There were more than are taken.
    private(set) var isCut = false
    private var paths: Set<String> = []

    /// How deep in a document what stands in its members is told.
    static let mostDepth = 6
    static let most = 10_000

    mutating func add(_ field: DiscoveredField) {
        guard paths.insert(field.path).inserted else { return }
        isCut = all.count >= Self.most
        if !isCut { all.append(field) }
    }
}
