import HubDriver
import Odoo
import PostgreSQL
import ProcessDriver
import ReferenceCRM
import ReferenceERP
import Tryton

/// The drivers that this build has: one line each.
enum DriverCatalog {
    static let all: [any DriverFactory.Type] = [
        OdooFactory.self,
        PostgreSQLFactory.self,
        ProcessFactory.self,
        ReferenceCRMFactory.self,
        ReferenceERPFactory.self,
        TrytonFactory.self,
    ]
}
