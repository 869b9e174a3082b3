import Foundation
import Testing

@testable import HubConfiguration

@Suite("Mistakes in a configuration")
struct MistakesTests {
    /// What is written instead of what, and what has to be said about it.
    struct Case: CustomTestStringConvertible, Sendable {
        var text: String
        var replacement: String
        var said: String
        var testDescription: String { said }

        init(_ text: String, _ replacement: String, _ said: String) {
            self.text = text
            self.replacement = replacement
            self.said = said
        }
    }

    static let cases = [
        Case("erp: { driver:", "erp: { drvier:", "hub.yaml:9:10: applications.erp.drvier: unknown key"),
        Case("erp: { driver:", "erp: { drvier:", "applications.erp.driver: missing"),
        Case("crm: { driver: fake-crm, url:", "crm: { driver: fake-crm, Url:", "applications.crm.Url: unknown key; did you mean \"url\"?"),
        Case("store: hub.db", "stoer: hub.db", "hub.yaml:3:1: stoer: unknown key; did you mean \"store\"?"),
        Case("store: hub.db", "store: \"postgres://db/hub\"", "hub.yaml:3:8: store: a store at postgres:// is not supported"),
        Case("hub: acme", "hub: a.b", "hub.yaml:1:6: hub: \"a.b\" cannot be a name"),
        Case("hub: acme", "hub: crm", "applications.crm: an application must not be named as the hub"),
        Case(
            "currency: EUR", "currency: EURO", "companies.fr.currency: no currency in use has the ISO 4217 code EURO; did you mean \"EUR\"?"
        ),
        Case("Europe/Paris", "Europe/Pariss", "there is no time zone Europe/Pariss; did you mean \"Europe/Paris\"?"),
        Case("Europe/Paris", "CET", "there is no time zone CET"),
        Case("driver: fake-crm", "driver: fake-crn", "there is no driver fake-crn; did you mean \"fake-crm\"?"),
        Case(
            "{ env: CRM_KEY }", "abc123",
            "hub.yaml:8:61: applications.crm.key: a secret must not stand in the configuration; write { env: NAME }"),
        Case(
            "{ env: CRM_KEY }", "{ env: CRMKEY }",
            "the environment has no variable CRMKEY; set it before starting the hub; did you mean CRM_KEY?"),
        Case("{ file: erp.key }", "{ file: erp.kye }", "erp.kye cannot be read"),
        Case("url: \"https://crm.example\", ", "", "applications.crm.url: missing: the address; write url: …"),
        Case("fr: 1, us: 3", "fr: 1, uk: 3", "applications.erp.companies.uk: there is no company uk"),
        Case("fr: 1, us: 3", "fr: 1, us: 1", "1 stands for fr already"),
        Case("companies: { fr: 1, us: 3 }", "topics: { partner: a b }", "a b cannot be a topic"),
        Case(
            "companies: { fr: 1, us: 3 }", "topics: { partners: ab }",
            "no mapping of erp is for the native type partners; did you mean \"partner\"?"),
        Case("companies: { fr: 1, us: 3 }", "topics: { partner: crm.partner }", "topic crm.partner is read for crm already"),
        Case("companies: { fr: 1, us: 3 }", "limits: { batch: 11 }", "expected a whole number from 1 to 10"),
        Case("companies: { fr: 1, us: 3 } ", "", "erp keeps invoice per company, but none of its companies is named"),
        Case("  product: {", "  prodcut: {", "hub.yaml:20:3: entities.prodcut: no application holds prodcut; did you mean \"product\"?"),
        Case("owner: latest", "owner: newest", "entities.product.owner: there is no application newest"),
        Case("owner: erp, perC", "owner: crm, perC", "crm does not hold invoice; those that do: erp"),
        Case("{ creditLimit: erp,", "{ creditlimit: erp,", "no application maps customer.creditlimit; did you mean \"creditLimit\"?"),
        Case("creditLimit: erp, b", "creditLimit: [erp, crm], b", "entities.customer.fields.creditLimit: a field has one owner"),
        Case(
            "creditLimit: erp, b", "billingAddress.city: erp, b",
            "billingAddress.city has an owner already: erp, through billingAddress.city"),
        Case("creditLimit: erp, b", "creditLimit: erp, creditLimit: crm, b", "creditLimit: stands twice in one map"),
        Case("create: { erp: approve }", "create: { erp: aprove }", "aprove has no meaning here; did you mean \"approve\"?"),
        Case(
            "\"customer.stage == 'customer'\"", "\"customer.stage = 'customer'\"",
            "hub.yaml:16:34: entities.customer.send.erp: the condition is wrong at character 16: write `==`"),
        Case(
            "\"customer.stage == 'customer'\"", "\"customer.stag == 'customer'\"",
            "no application maps customer.stag; did you mean \"stage\"?"),
        Case("\"status == 'sent' or", "\"status == 'sent' oder", "hub.yaml:23:53: entities.order.ownerAfter"),
        Case("leave: { erp: freeze }", "leave: { crm: freeze }", "entities.customer.leave.crm: says nothing without a condition to leave"),
        Case("reason: $text", "reason: $txt", "$txt has no meaning here; did you mean \"$text\"?"),
        Case("match: [name]", "delete: archive", "erp has no archive: deleting a partner there removes it; write delete: remove"),
        Case("match: [name]", "delete: remove", "crm only archives a partner"),
        Case("match: [name]", "match: { name: 1 }", "expected a text, found a map"),
        Case("perCompany: true", "shared: true", "entities.invoice.shared: erp keeps invoice per company"),
        Case("perCompany: true", "perCompany: false", "entities.invoice.perCompany: erp keeps invoice per company"),
        Case("perCompany: true", "perCompany: true, shared: true", "it cannot be true together with shared: true"),
        Case("match: [name]", "shared: false", "entities.customer.shared: no application keeps customer per company; leave it out"),
        Case("recheck: 90s", "recheck: 90", "delivery.recheck: expected a time with its unit; write 30s"),
        Case("attemptLimit: 3", "attemptLimit: three", "expected a whole number from 1"),
        Case("hub: acme", "hub: [acme", "hub.yaml:2:4: not readable as YAML"),
        Case(
            "us: 3 }", "us: 3 }, envelope: debezum", "applications.erp.envelope: there is no envelope debezum; did you mean \"debezium\"?"),
        Case("us: 3 }", "us: 3 }, envelope: { format: debezium, key: id }", "envelope.key: says something only of format: plain"),
        Case("us: 3 }", "us: 3 }, topics: { partner: a, bill: a }, envelope: plain", "topic a carries bill and partner, and nothing"),
        Case("us: 3 }", "us: 3 }, envelope: { format: plain, operations: { D: remove } }", "envelope.operation: missing"),
    ]

    @Test("are named with their place and what to write", arguments: cases)
    func named(_ mistake: Case) throws {
        let found = try spoilt(mistake.text, mistake.replacement).mistakes()
        #expect(found.contains { $0.contains(mistake.said) }, "\(found.joined(separator: "\n"))")
    }

    @Test("come all at once, in the order of the file")
    func allAtOnce() throws {
        let files = [
            "hub.yaml": soundConfiguration.replacingOccurrences(of: "EUR", with: "EURO")
                .replacingOccurrences(of: "fake-erp", with: "fake-epr").replacingOccurrences(of: "approve", with: "aprove")
        ]
        let found = try Folder(files).mistakes()
        #expect(found.count == 3, "\(found.joined(separator: "\n"))")
        #expect(found.first?.hasPrefix("hub.yaml:5:") == true)
        #expect(found.last?.hasPrefix("hub.yaml:15:") == true)
    }

    @Test("of a missing file are one")
    func missing() throws {
        #expect(try Folder([:]).mistakes() == ["hub.yaml: cannot be read; check that the file exists, is UTF-8 and may be read"])
    }

    @Test("of mapping files stand in those files")
    func mappingFiles() throws {
        let files = [
            "mappings/crm/customer.yaml": "extends: builtin\nfields:\n  name: { path: name, scael: 2 }\n",
            "mappings/crm/custmer.yaml": "native: partner\nfields: { name: name }\n",
            "mappings/cmr/customer.yaml": "extends: builtin\n",
        ]
        let found = try Folder(soundFiles.merging(files) { $1 }).mistakes()
        #expect(found.contains { $0.hasPrefix("mappings/crm/customer.yaml:3:") && $0.contains("scale") })
        #expect(found.contains { $0.hasPrefix("mappings/crm/custmer.yaml: there is no entity custmer; did you mean customer.yaml?") })
        #expect(found.contains { $0.hasPrefix("mappings/cmr: there is no application cmr; did you mean mappings/crm?") })
        #expect(found.count == 3, "\(found.joined(separator: "\n"))")
    }

    @Test("of references: a circle is named, and what would wait for ever")
    func references() throws {
        let circle = [
            "mappings/crm/customer.yaml": "extends: builtin\nfields:\n  lastOrder: { path: last_order, ref: order }\n"
        ]
        let found = try Folder(soundFiles.merging(circle) { $1 }).mistakes()
        #expect(found.contains { $0.contains("customer → order → customer") }, "\(found.joined(separator: "\n"))")
        let lost = try spoilt(
            "  invoice: { owner: erp, perCompany: true }\n", "",
            files: [
                "mappings/crm/product.yaml": "extends: builtin\nfields:\n  bill: { path: bill, ref: invoice }\n"
            ]
        ).mistakes()
        #expect(lost.contains { $0.contains("crm's mapping of product refers to invoice, which the hub does not exchange") })
        let soft = try Folder(
            soundFiles.merging(circle.mapValues { $0.replacingOccurrences(of: "ref: order", with: "ref: order, soft: true") }) { $1 })
        #expect(soft.mistakes() == [])
    }

    @Test("of the owner: one that is only ever told a field cannot own it")
    func direction() throws {
        let files = [
            "mappings/erp/customer.yaml": "extends: builtin\nfields:\n  creditLimit: { path: credit_limit, direction: out }\n"
        ]
        let found = try Folder(soundFiles.merging(files) { $1 }).mistakes()
        #expect(found.count == 1)
        #expect(found.first?.contains("erp cannot own creditLimit, as it is only ever told it") == true)
    }

    @Test("of the same native type under the same conditions")
    func sameNative() throws {
        let files = ["mappings/crm/product.yaml": "extends: builtin\nnative: partner\n"]
        let found = try Folder(soundFiles.merging(files) { $1 }).mistakes()
        #expect(found.contains { $0.contains("partner is mapped as customer and as product under the same conditions") })
    }

    @Test("of the bus stand at the property")
    func bus() throws {
        let folder = try spoilt("\"kafka:9092\" }", "\"kafka:9092\", acks: 1 }")
        let found = folder.mistakes { properties in
            properties.contains { $0.name == "acks" } ? ["acks: the hub sets this property itself"] : []
        }
        #expect(found == ["hub.yaml:2:41: bus.acks: the hub sets this property itself"])
        #expect(
            try spoilt("{ bootstrap.servers: \"kafka:9092\" }", "{}").mistakes().first?.contains("bus.bootstrap.servers: missing") == true)
    }
}
