import HubDriver
import ProcessDriver
import ReferenceCRM
import ReferenceERP

/// The drivers that this build has: one line each.
enum DriverCatalog {
    static let all: [any DriverFactory.Type] = [
        ProcessFactory.self,
        ReferenceCRMFactory.self,
        ReferenceERPFactory.self,
    ]
}
