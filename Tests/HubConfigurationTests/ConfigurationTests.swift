import Foundation
import HubCodec
import HubDriver
import HubModel
import HubRules
import Testing

@testable import HubConfiguration

@Suite("A configuration without mistakes")
struct ConfigurationTests {
    @Test("becomes what a person wrote")
    func loads() throws {
        let folder = try Folder(soundFiles)
        let configuration = try folder.load()
        #expect(configuration.hub == "acme")
        #expect(configuration.bus.properties == [.init(name: "bootstrap.servers", value: "kafka:9092")])
        #expect(configuration.storePath == folder.path + "/hub.db")
        #expect(configuration.companies["us"]?.currency == "USD")
        #expect(configuration.companies["fr"]?.timeZone.identifier == "Europe/Paris")
        #expect(configuration.applications.map(\.id) == ["crm", "erp"])
        let crm = try #require(configuration.application("crm"))
        #expect(crm.settings.values == ["url": "https://crm.example", "key": "k3y", "file": folder.path + "/data/crm.db"])
        #expect(crm.inboundTopics == ["crm.article", "crm.partner", "crm.sales_order"])
        let erp = try #require(configuration.application("erp"))
        #expect(erp.settings.values == ["password": "s3cret"])
        #expect(erp.settings.companies == ["fr": "1", "us": "3"])
    }

    @Test("compiles into the plan")
    func plan() throws {
        let folder = try Folder(soundFiles)
        let plan = try folder.load().plan()
        #expect(plan.attemptLimit == 3)
        #expect(plan.recheckTime == .seconds(90))
        #expect(plan.correctionLimit == 5)
        #expect(plan.timeZone("us")?.identifier == "America/New_York")
        #expect(plan.holders(of: "invoice") == ["erp"])
        #expect(plan.holders(of: "order") == ["crm", "erp"])
        let customer = plan.policy("customer")
        #expect(customer.owner == "crm")
        #expect(customer.fieldOwners == ["creditLimit": "erp", "billingAddress.city": "crm", "billingAddress.street": "crm"])
        #expect(customer.guarded == ["creditLimit"])
        #expect(customer.creation == ["erp": .approve])
        #expect(customer.leaving == ["erp": .freeze])
        #expect(customer.onRejected == ["erp": ["reason": "$text"]])
        #expect(customer.sends(["stage": "customer"], to: "erp"))
        #expect(!customer.sends(["stage": "lead"], to: "erp"))
        #expect(customer.ranks == ["crm": 2, "erp": 1])
        let order = plan.policy("order")
        #expect(order.owner(of: "total", in: ["status": "draft"]) == "crm")
        #expect(order.owner(of: "total", in: ["status": "confirmed"]) == "erp")
        #expect(order.owner(of: "total", in: ["status": "done"]) == "erp")
        #expect(order.creators == ["crm"])
        #expect(order.deleters == ["crm"])
        #expect(plan.policy("product").owner == nil)
        #expect(plan.dependencyOrder().firstIndex(of: "customer") ?? 9 < plan.dependencyOrder().firstIndex(of: "order") ?? 0)
    }

    @Test("takes mappings from beside it, over the driver's own")
    func mappings() throws {
        let folder = try spoilt(
            "  invoice: { owner: erp, perCompany: true }", "",
            files: ["mappings/erp/customer.yaml": "extends: builtin\nfields: { vatNumber: vat, reason: null }\n"])
        let configuration = try folder.load()
        let mapping = try #require(configuration.plan().binding("erp", "customer")?.mapping)
        #expect(mapping.field(named: "vatNumber")?.path == ["vat"])
        #expect(mapping.field(named: "reason") == nil)
        #expect(mapping.field(named: "name") != nil)
        #expect(configuration.plan().binding("erp", "invoice") == nil, "an entity that is not named is not exchanged")
    }

    @Test("names topics and limits of its own")
    func topicsAndLimits() throws {
        let folder = try spoilt(
            "file: data/crm.db }", "topics: { sales_order: orders-of-crm }, limits: { batch: 2, callsPerMinute: 60 } }")
        let crm = try #require(try folder.load().application("crm"))
        #expect(crm.topics["sales_order"] == "orders-of-crm")
        #expect(crm.topics["partner"] == "crm.partner")
        #expect(crm.manifest.limits.batch == 2)
        #expect(crm.manifest.limits.concurrentCalls == 4)
        #expect(crm.manifest.limits.callsPerMinute == 60)
    }

    @Test("says how records are wrapped, by application and by topic")
    func envelopes() throws {
        let folder = try spoilt(
            "file: data/crm.db }",
            "envelope: { format: cloudevents, typePrefix: com.acme }, topics: { article: { topic: items, envelope: { format: plain, "
                + "key: meta.id, operation: op, operations: { D: delete }, tombstone: delete } } } }")
        let crm = try #require(try folder.load().application("crm"))
        #expect(crm.envelopes["crm.partner"] == EnvelopeDeclaration(.cloudEvents, typePrefix: "com.acme"))
        let shape = PlainShape(type: "article", keyPath: ["meta", "id"], operationPath: ["op"], operations: ["D": .delete])
        #expect(crm.envelopes["items"] == EnvelopeDeclaration(.plain(shape), type: "article", tombstone: .delete))
        #expect(crm.inboundTopics == ["crm.partner", "crm.sales_order", "items"])
    }

    @Test("may bring its own bus")
    func embedded() throws {
        let folder = try spoilt("{ bootstrap.servers: \"kafka:9092\" }", "{ embedded: true, partitions: 2 }")
        let bus = try folder.load().bus
        #expect(bus.isEmbedded)
        #expect(bus.partitions == 2)
    }
}
