import Foundation
import HubDriver
import Testing

@testable import HubConfiguration

/// A folder with a configuration file, gone with the test.
final class Folder {
    let path: String

    init(_ files: [String: String]) throws {
        path = NSTemporaryDirectory() + "configuration-\(UUID().uuidString)"
        for (name, text) in files {
            let file = URL(fileURLWithPath: path + "/" + name)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func load(busCheck: ([Configuration.BusProperty]) -> [String] = { _ in [] }) throws(ConfigurationMistakes) -> Configuration {
        try Configuration.load(
            path + "/hub.yaml", catalog: [FakeCRM.self, FakeERP.self], environment: ["CRM_KEY": "k3y"], busCheck: busCheck)
    }

    /// The mistakes, without the folder; empty where there are none.
    func mistakes(busCheck: ([Configuration.BusProperty]) -> [String] = { _ in [] }) -> [String] {
        do throws(ConfigurationMistakes) {
            _ = try load(busCheck: busCheck)
            return []
        } catch {
            return error.mistakes.map { $0.description.replacingOccurrences(of: path + "/", with: "") }
        }
    }
}

/// A configuration without mistakes, to be spoilt.
let soundConfiguration = """
    hub: acme
    bus: { bootstrap.servers: "kafka:9092" }
    store: hub.db
    companies:
      fr: { currency: EUR, timeZone: Europe/Paris }
      us: { currency: USD, timeZone: America/New_York }
    applications:
      crm: { driver: fake-crm, url: "https://crm.example", key: { env: CRM_KEY }, file: data/crm.db }
      erp: { driver: fake-erp, password: { file: erp.key }, companies: { fr: 1, us: 3 } }
    entities:
      customer:
        owner: crm
        fields: { creditLimit: erp, billingAddress: crm }
        guarded: [creditLimit]
        create: { erp: approve }
        send: { erp: "customer.stage == 'customer'" }
        leave: { erp: freeze }
        match: [name]
        onRejected: { erp: { reason: $text } }
      product: { owner: latest, send: { crm: product.saleable } }
      order:
        owner: crm
        ownerAfter: { confirmed: erp, "status == 'sent' or status == 'done'": erp }
        creates: [crm]
        deletes: crm
      invoice: { owner: erp, perCompany: true }
    delivery: { attemptLimit: 3, recheck: 90s }

    """

let soundFiles = ["hub.yaml": soundConfiguration, "erp.key": "s3cret\n"]

/// The sound configuration with some text replaced; fails where the text is not there.
func spoilt(_ text: String, _ replacement: String, files: [String: String] = [:]) throws -> Folder {
    try #require(soundConfiguration.contains(text), "\(text) is not in the sound configuration")
    let spoilt = ["hub.yaml": soundConfiguration.replacingOccurrences(of: text, with: replacement)]
    return try Folder(soundFiles.merging(spoilt) { $1 }.merging(files) { $1 })
}
