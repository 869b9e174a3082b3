import Files
import HubDriver
import Odoo
import PostgreSQL
import ProcessDriver
import REST
import ReferenceCRM
import ReferenceERP
import Tryton

/// The drivers that this build has: one line each.
enum DriverCatalog {
    static let all: [any DriverFactory.Type] = [
        FilesFactory.self,
        OdooFactory.self,
        PostgreSQLFactory.self,
        ProcessFactory.self,
        RESTFactory.self,
        ReferenceCRMFactory.self,
        ReferenceERPFactory.self,
        TrytonFactory.self,
    ]
}
