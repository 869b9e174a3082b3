package import HubDriver
import ReferenceApplication

/// Makes the driver `reference-erp`: a small ERP on a SQLite file, for demonstrations and tests.
package enum ReferenceERPFactory: DriverFactory {
    package static let name = "reference-erp"
    package static let settings = ReferenceDriver.settings

    package static let mappings: [BuiltinMapping] = [
        ("erp-customer.yaml", PackageResources.erp_customer_yaml), ("erp-product.yaml", PackageResources.erp_product_yaml),
        ("erp-order.yaml", PackageResources.erp_order_yaml), ("erp-invoice.yaml", PackageResources.erp_invoice_yaml),
    ].map { BuiltinMapping(fileName: $0.0, text: String(decoding: $0.1, as: UTF8.self)) }

    package static func make(_ settings: DriverSettings) throws(DriverError) -> any Driver {
        let rules = ERPRules()
        return try ReferenceDriver(settings, rules: rules) { settle, answer in
            Manifest(
                driver: name, version: "1.0", summary: "A small ERP on a SQLite file, for demonstrations and tests",
                entities: rules.entities, settleTime: settle, answerTime: answer, limits: Manifest.Limits(batch: 50, concurrentCalls: 4),
                window: """
                    Updates and deletions name the version that they are meant for: none covers a change that the hub has not heard. A \
                    create is not repeatable: a second one makes a second document, so it is sent again only after a look-up by the \
                    hub's reference that began after the settle time.
                    """, functions: ERPRules.functions)
        }
    }
}
