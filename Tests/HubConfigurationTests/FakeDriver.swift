import HubDriver
import HubModel

/// A driver that does nothing but describe itself.
struct FakeDriver: Driver, LookingUp, Reading {
    var manifest: Manifest

    func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] { batch.map { _ in .changed } }
    func probe() async throws(DriverError) -> ApplicationIdentity { ApplicationIdentity(instance: "fake", version: "1") }
    func lookUp(_ references: [LookUp]) async throws(DriverError) -> [[NativeDocument]] { references.map { _ in [] } }
    func read(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?] { references.map { _ in nil } }
    func close() async {}

    static func entity(_ native: String, _ entity: EntityName, delete: EntityManifest.DeleteMeaning = .archives) -> EntityManifest {
        EntityManifest(
            native: native, entity: entity, createIsRepeatable: true, hasToken: true, tellsReference: true, delete: delete,
            isPerCompany: entity == "invoice")
    }

    static func make(_ name: String, delete: EntityManifest.DeleteMeaning) -> FakeDriver {
        FakeDriver(
            manifest: Manifest(
                driver: name, version: "1", summary: "a fake",
                entities: [
                    entity("partner", "customer", delete: delete), entity("article", "product", delete: delete),
                    entity("sales_order", "order", delete: delete), entity("bill", "invoice", delete: delete),
                ],
                settleTime: .seconds(1), answerTime: .seconds(1),
                limits: Manifest.Limits(batch: 10, concurrentCalls: 4, callsPerMinute: nil), window: "none"))
    }

    static func mapping(_ entity: String, _ native: String, _ fields: String) -> BuiltinMapping {
        BuiltinMapping(fileName: "\(entity).yaml", text: "entity: \(entity)\nnative: \(native)\nfields:\n" + fields)
    }

    static let customer = mapping(
        "customer", "partner",
        "  name: name\n  stage: stage\n  status: state\n  creditLimit: credit_limit\n"
            + "  billingAddress: { city: city, street: street }\n  reason: reason\n")
    static let product = mapping("product", "article", "  name: name\n  saleable: saleable\n")
    static let order = mapping(
        "order", "sales_order", "  customer: { path: partner, ref: customer }\n  status: { path: state, direction: in }\n")
}

enum FakeCRM: DriverFactory {
    static let name = "fake-crm"
    static let settings = [
        SettingDescription("url", "the address", isRequired: true),
        SettingDescription("key", "the access key", isRequired: true, isSecret: true),
        SettingDescription("file", "a file", isPath: true),
    ]
    static let mappings = [FakeDriver.customer, FakeDriver.product, FakeDriver.order]
    static func make(_ settings: DriverSettings) throws(DriverError) -> any Driver { FakeDriver.make(name, delete: .archives) }
}

enum FakeERP: DriverFactory {
    static let name = "fake-erp"
    static let settings = [SettingDescription("password", "the password", isSecret: true)]
    static let mappings = [
        FakeDriver.customer, FakeDriver.product, FakeDriver.order,
        FakeDriver.mapping("invoice", "bill", "  customer: { path: partner, ref: customer }\n  total: total\n"),
    ]
    static func make(_ settings: DriverSettings) throws(DriverError) -> any Driver {
        if settings.values["password"] == "refuse me" { throw DriverError(.configuration, "no such password") }
        var driver = FakeDriver.make(name, delete: .removes)
        if settings.values["password"] == "contradict yourself" {
            driver.manifest.limits.batch = 0
            driver.manifest.entities[0].transitions = ["new": ["old"]]
        }
        return driver
    }
}
