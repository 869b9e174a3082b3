import HubDriver
import HubModel

/// An application beside the CRM, as its own people see it and work with it: past its driver.
protocol Peer: Sendable {
    var name: ApplicationID { get }
    /// Its section of the configuration's `applications`.
    var configuration: String { get }
    /// What of a customer is decided here: the application's own name of it, the canonical one, and the CRM's.
    var own: (native: String, canonical: String, crm: String) { get }
    /// Its customers or products, those that are gone apart, by their code.
    func documents(_ kind: DocumentKind) async throws -> [String: Fields]
    /// Somebody changes a customer here.
    func edit(_ code: String, _ fields: Fields) async throws
}

enum DocumentKind {
    case customers, products
}

extension Peer {
    func customer(_ code: String) async throws -> Fields? { try await documents(.customers)[code] }
    func product(_ code: String) async throws -> Fields? { try await documents(.products)[code] }
}
