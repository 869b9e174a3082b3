import HubDriver

/// Where a member of a document stands in Tryton.
struct Member: Sendable, Hashable {
    /// As mappings write it: `address.street`.
    var path: String
    var model: String
    var field: String
    /// The model whose records the member tells by what people call them, and the field with that; nil: Tryton's own value.
    var named: Names?
    /// What the member is, where the driver tells something else than Tryton's own value.
    var kind: DiscoveredField.Kind?

    struct Names: Sendable, Hashable {
        var model: String
        var field: String
    }

    init(_ path: String, _ model: String, _ field: String? = nil, named: Names? = nil, kind: DiscoveredField.Kind? = nil) {
        self.path = path
        self.model = model
        self.field = field ?? path
        self.named = named
        self.kind = kind
    }
}

extension DocumentType {
    /// The hub may write it.
    func takes(_ member: Member) -> Bool {
        let name = String(member.path.prefix { $0 != "." })
        return !manifest.operations.isEmpty && writable.contains(name)
    }
}
