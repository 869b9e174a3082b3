/// Where deliveries go: one document in one company of one application. Lanes, write log and intents are keyed by it.
public struct Target: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var application: ApplicationID
    public var company: CompanyID
    public var id: CanonicalID

    public init(_ application: ApplicationID, _ company: CompanyID = .shared, _ id: CanonicalID) {
        self.application = application
        self.company = company
        self.id = id
    }

    public static func < (a: Target, b: Target) -> Bool {
        (a.application, a.company, a.id) < (b.application, b.company, b.id)
    }

    public var description: String { company == .shared ? "\(application)/\(id)" : "\(application)/\(company)/\(id)" }
}

/// An application's document by its own name: application, company, entity and native key.
public struct NativeReference: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var application: ApplicationID
    public var company: CompanyID
    public var entity: EntityName
    public var key: NativeKey

    public init(_ application: ApplicationID, _ company: CompanyID = .shared, _ entity: EntityName, _ key: NativeKey) {
        self.application = application
        self.company = company
        self.entity = entity
        self.key = key
    }

    public static func < (a: Self, b: Self) -> Bool {
        (a.application, a.company, a.entity, a.key) < (b.application, b.company, b.entity, b.key)
    }

    public var description: String { "\(application)\(company == .shared ? "" : "/\(company)") \(entity) \(key)" }
}
