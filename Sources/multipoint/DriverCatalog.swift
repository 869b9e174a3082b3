import HubDriver
import PostgreSQL
import ReferenceCRM
import ReferenceERP

/// The drivers that this build has: one line each.
enum DriverCatalog {
    static let all: [any DriverFactory.Type] = [
        PostgreSQLFactory.self,
        ReferenceCRMFactory.self,
        ReferenceERPFactory.self,
    ]
}
