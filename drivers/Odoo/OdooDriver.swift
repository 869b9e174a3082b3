import HTTPApplication
package import HubDriver
import HubModel

/// The driver of an Odoo: everything through its JSON-2 interface and with its own rules, in the rights of one user.
package struct OdooDriver: Driver, LookingUp, Reading, Paging, Capturing, Answering, Discovering {
    package let manifest: Manifest
    let client: OdooClient
    let catalogue: Catalogue
    let options: Options
    let pace = Pace()

    /// What the configuration decides besides address and key.
    struct Options: Sendable {
        var application: ApplicationID
        /// Odoo's module name under which documents carry the hub's reference.
        var module = "hub"
        /// Whether an order that the hub creates is confirmed at once.
        var confirmsOrders = true
        /// Between looks for changes where nothing was new.
        /// How long a transaction in Odoo may take to commit and still be seen by capture.
        var overlap = Duration.seconds(60)
        /// Between comparisons of the lists of keys, which find deletions.
        var sweep = Duration.seconds(30)
        /// By model: addresses that open its documents in another application.
        var links: [String: DocumentLink] = [:]
        /// Odoo's ids of the companies; empty: the user's own.
        var companies: [Int64] = []
    }

    init(manifest: Manifest, client: OdooClient, options: Options) {
        self.manifest = manifest
        self.client = client
        self.options = options
        catalogue = Catalogue(client: client)
    }

    package func probe() async throws(DriverError) -> ApplicationIdentity {
        try await asked { () async throws(OdooFailure) in
            let base = try await client.search("ir.module.module", [["name", "=", "base"]], ["latest_version"], order: "id", limit: 1)
            var details: [String] = []
            var instance = try await databaseID()
            if instance == nil {
                // The first user's making is as old as the database, but a copy has it too.
                let first = try await client.search("res.users", [], ["create_date"], order: "id", limit: 1)
                instance = "made \(first.first?["create_date"]?.text ?? "at an unknown time")"
                details.append("the database's own id is for administrators only, so that a copy of it is not noticed")
            }
            for type in NativeType.all {
                do throws(OdooFailure) {
                    let model = try await catalogue.model(type)
                    if !model.absent.isEmpty { details.append("\(type.model) lacks \(model.absent.joined(separator: ", "))") }
                    if type.lines != nil, !model.hasLineMark {
                        details.append("\(type.model) lacks \(NativeType.lineMark) on its lines: the hub cannot add lines")
                    }
                } catch .refused(let refusal) where refusal.status == 403 || refusal.status == 404 {
                    details.append("\(type.model) is not there, or not for this user: \(refusal.message)")
                }
            }
            return ApplicationIdentity(instance: instance ?? "", version: base.first?["latest_version"]?.text ?? "", details: details)
        }
    }

    /// The database's own id; nil where this user may not see it.
    private func databaseID() async throws(OdooFailure) -> String? {
        do throws(OdooFailure) {
            return try await client.call("ir.config_parameter", "get_param", ["key": "database.uuid"]).text
        } catch .refused(let refusal) where refusal.status == 403 {
            return nil
        }
    }

    package func close() async { await client.http.close() }

    /// A question, of which nothing can have had an effect.
    func asked<T: Sendable>(_ body: () async throws(OdooFailure) -> T) async throws(DriverError) -> T {
        do throws(OdooFailure) { return try await body() } catch { throw error.driverError }
    }

    func company(_ name: String?) -> Int64? { name.flatMap { Int64($0) } }
}
