/// Finds out what its application holds: entities, fields, code lists, rights of its user.
public protocol Discovering: Driver {
    /// Looks at the application as it is now; reads only.
    func discover() async throws(DriverError) -> Discovery
}

/// What an application holds.
public struct Discovery: Sendable, Hashable {
    public var identity: ApplicationIdentity
    /// The types that the driver's user can see, whether a mapping is for them or not.
    public var types: [DiscoveredType]
    /// Functions that this very application answers, by name.
    public var functions: [String]

    public init(identity: ApplicationIdentity, types: [DiscoveredType], functions: [String] = []) {
        self.identity = identity
        self.types = types
        self.functions = functions
    }
}

/// A native type as found.
public struct DiscoveredType: Sendable, Hashable {
    public var native: String
    /// What people call it there; nil where the application says none.
    public var label: String?
    /// By path as mappings write it, `name`, `order_line.product_id`.
    public var fields: [DiscoveredField]
    /// What the driver's user may do; nil where the application does not tell.
    public var rights: Set<Right>?

    public enum Right: String, Sendable, Hashable, CaseIterable {
        case read, create, update, delete
    }

    public init(native: String, label: String? = nil, fields: [DiscoveredField], rights: Set<Right>? = nil) {
        self.native = native
        self.label = label
        self.fields = fields
        self.rights = rights
    }
}

/// A field as found.
public struct DiscoveredField: Sendable, Hashable {
    /// As mappings write it.
    public var path: String
    public var kind: Kind
    /// The application's own word for the type: `many2one`, `numeric(12,2)`.
    public var nativeKind: String
    public var label: String?
    /// A create without it is refused.
    public var isRequired: Bool
    /// The application computes it.
    public var isReadOnly: Bool
    /// The codes that the field may hold; nil where it is no list of codes.
    public var codes: [String]?

    /// Coarse on purpose: a change from one to another breaks a mapping.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case text, number, boolean, date, instant, code, reference, list, object, binary, other
    }

    public init(
        path: String, kind: Kind, nativeKind: String, label: String? = nil, isRequired: Bool = false, isReadOnly: Bool = false,
        codes: [String]? = nil
    ) {
        self.path = path
        self.kind = kind
        self.nativeKind = nativeKind
        self.label = label
        self.isRequired = isRequired
        self.isReadOnly = isReadOnly
        self.codes = codes
    }
}
