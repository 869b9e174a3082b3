import Foundation
package import HubModel
import HubSimulation
package import ReferenceApplication
package import ReferenceCRM
package import ReferenceERP

/// A folder with a hub's configuration and the files of both reference applications: where demonstrations and trials take place.
///
/// Several processes may have the same scenario open; one of them lays it out.
package struct Scenario: Sendable {
    /// Absolute.
    package let folder: String
    package let erp: ERPApplication
    package let crm: CRMApplication

    package static let erpID: ApplicationID = "erp"
    package static let crmID: ApplicationID = "crm"

    package var configurationFile: String { folder + "/hub.yaml" }

    /// False where another system stands in the place of the reference ERP, whose file is empty then.
    package let hasReferenceERP: Bool

    /// The reference applications' files by the applications' names.
    package var files: [ApplicationID: ApplicationFile] {
        hasReferenceERP ? [Self.erpID: erp.file, Self.crmID: crm.file] : [Self.crmID: crm.file]
    }

    /// What a new scenario's configuration says.
    package struct Layout: Sendable {
        /// Address of a Kafka broker (`host:port`); nil: the hub brings its own bus along.
        package var bootstrap: String?
        /// The hub's name, prefix of its topics and groups; inbound topics are named after the applications alone.
        package var hub: String
        package var partitions: Int
        /// The store: a file in the folder, or a PostgreSQL server's connection string, which is kept in a file of its own.
        package var store: String
        /// How long a call without an answer may still take effect.
        package var settle: Duration
        /// How long the hub waits for an answer.
        package var answer: Duration
        /// The configuration's line for another system in the place of the reference ERP.
        package var otherERP: String?
        /// Mappings of one's own, by their paths.
        package var mappings: [String: String] = [:]

        package init(
            bootstrap: String? = nil, hub: String = "acme", partitions: Int = 4, store: String = "hub.db",
            settle: Duration = .seconds(1), answer: Duration = .seconds(2)
        ) {
            self.bootstrap = bootstrap
            self.hub = hub
            self.partitions = partitions
            self.store = store
            self.settle = settle
            self.answer = answer
        }

        var yaml: String {
            let times = "settleMilliseconds: \(settle.milliseconds), answerMilliseconds: \(answer.milliseconds)"
            return """
                hub: \(hub)
                bus: { \(bootstrap.map { "bootstrap.servers: \"\($0)\"" } ?? "embedded: true"), partitions: \(partitions) }
                store: \(store.contains("://") ? "{ connection: { file: store.connection } }" : store)
                companies:
                  fr: { currency: EUR, timeZone: Europe/Paris }
                applications:
                  crm: { driver: reference-crm, file: crm.db, \(times) }
                  erp: \(otherERP ?? "{ driver: reference-erp, file: erp.db, \(times) }")
                entities:
                  customer:
                    fields: { creditLimit: erp,\(otherERP == nil ? " onHold: erp," : "") paymentTerms: erp, code: erp, segment: crm, territory: crm }
                    guarded: [creditLimit]
                  product: { owner: erp, creates: [erp] }
                  order:
                    owner: crm
                    fields: { status: erp, number: erp, total: erp, invoiced: erp }
                    onRejected: { erp: { status: refused, refusal: $text } }
                  invoice: { owner: erp, creates: [erp] }

                """
        }
    }

    /// Lays a scenario out: writes the configuration and makes the applications' files.
    package init(in folder: String, layout: Layout) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(layout.yaml.utf8).write(to: URL(fileURLWithPath: folder + "/hub.yaml"))
        for (path, text) in layout.mappings {
            let file = URL(fileURLWithPath: "\(folder)/mappings/\(path)")
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        if layout.store.contains("://") {
            // It may hold a password.
            let isWritten = FileManager.default.createFile(
                atPath: folder + "/store.connection", contents: Data(layout.store.utf8), attributes: [.posixPermissions: 0o600])
            if !isWritten { throw CocoaError(.fileWriteUnknown) }
        }
        try self.init(opening: folder, hasReferenceERP: layout.otherERP == nil)
    }

    /// Opens a scenario that has been laid out, possibly by another process.
    package init(opening folder: String, hasReferenceERP: Bool = true) throws {
        self.hasReferenceERP = hasReferenceERP
        self.folder = URL(fileURLWithPath: folder).standardizedFileURL.path
        erp = try ERPApplication(path: folder + "/erp.db")
        crm = try CRMApplication(path: folder + "/crm.db")
    }

    // MARK: What stands there at the beginning

    /// Products of the ERP that people may take off sale, as part of all.
    static let shyPart = 10

    /// Puts products and customers into the ERP, from where the hub brings them to the CRM. Every tenth customer has a small credit limit.
    package func seed(products: Int, customers: Int, seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        for number in 0..<products {
            _ = try await erp.createArticle([
                "code": .string("ART-\(10_000 + number)"), "name": .string(Words.product(&random, number)),
                "price": .decimal(Int64(100 + random.below(50_000)), scale: 2), "currency": "EUR",
                "unit": .string(random.pick(["PCE", "BOX", "KGM"])), "saleable": true,
                "stock": .decimal(Int64(1_000_000 + random.below(9_000_000)) * 1000, scale: 3),
            ])
        }
        for number in 0..<customers {
            _ = try await erp.createPartner(Words.partner(&random, name: Words.company(&random, "E\(number)")))
        }
    }

    /// Lets calls take effect that the applications hold back on purpose; whoever hosts the applications calls it now and then.
    package func completeLateCalls() async throws {
        for (_, file) in files { _ = try await file.completeLateCalls() }
    }

    package func close() {
        for (_, file) in files { try? file.close() }
    }
}
