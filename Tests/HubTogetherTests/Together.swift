import Files
import Foundation
import HubDriver
import HubModel
import PostgreSQL
import ProcessDriver
import REST
import ReferenceApplication
import ReferenceCRM

@testable import StandIns
@testable import TestHub

/// The CRM, and an application behind each of the other drivers, around one hub.
final class Together {
    let test: TestHub
    let crm: CRMApplication
    let drop: DropFolder
    let shop: Shop
    let workshop: WorkshopOffice
    /// nil where no server is there.
    let reports: ReportTables?

    private static let mappings = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/mappings"

    init() async throws {
        let catalog: [any DriverFactory.Type] = [
            ReferenceCRMFactory.self, FilesFactory.self, RESTFactory.self, ProcessFactory.self, PostgreSQLFactory.self,
        ]
        var environment = [Shop.secret: PlainService.client.secret, WorkshopOffice.token: Workshop.token]
        environment[ReportTables.address] = ReportTables.connection
        test = try TestHub(catalog, environment: environment)
        crm = try CRMApplication(path: test.folder + "/crm.db")
        drop = try DropFolder(test.folder + "/drop")
        shop = try await Shop()
        workshop = try WorkshopOffice()
        reports = try await ReportTables.open()
        try test.write(Shop.recipe, PlainRecipe.text)
        // The workshop's driver brings its own along.
        for name in ["crm", "drop", "shop"] + (reports == nil ? [] : ["reports"]) {
            try test.copy("\(Self.mappings)/\(name)", "mappings/\(name)")
        }
        try configure()
    }

    var peers: [any Peer] { [drop, shop, workshop] + (reports.map { [$0] } ?? []) }

    /// Writes the configuration.
    ///
    /// - Parameter others: more of `applications`.
    func configure(_ others: String = "") throws {
        let owners = peers.map { "\($0.own.canonical): \($0.name)" }.joined(separator: ", ")
        try test.write(
            "hub.yaml",
            """
            hub: t
            bus: { embedded: true, partitions: 2 }
            store: hub.db
            applications:
              crm: { driver: reference-crm, file: crm.db }
            \(peers.map(\.configuration).joined(separator: "\n"))
            \(others)
            entities:
              customer: { owner: crm, match: code, fields: { \(owners) } }
              product: { owner: crm, match: code }
            delivery: { attemptLimit: 3 }
            """)
    }

    /// An account of the CRM.
    func account(_ key: NativeKey) async throws -> Fields {
        try await crm.file.perform { try $0.existing("account", key).fields }
    }

    /// Waits until something holds in every application beside the CRM.
    func everywhere(_ what: String, _ holds: (any Peer) async throws -> Bool) async throws {
        for peer in peers { try await test.eventually("\(what) in \(peer.name)") { try await holds(peer) } }
    }
}
