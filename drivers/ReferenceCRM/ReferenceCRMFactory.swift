package import HubDriver
import ReferenceApplication

/// Makes the driver `reference-crm`: a small CRM on a SQLite file, for demonstrations and tests.
package enum ReferenceCRMFactory: DriverFactory {
    package static let name = "reference-crm"
    package static let settings = ReferenceDriver.settings

    package static let mappings: [BuiltinMapping] = [
        ("crm-customer.yaml", PackageResources.crm_customer_yaml), ("crm-product.yaml", PackageResources.crm_product_yaml),
        ("crm-order.yaml", PackageResources.crm_order_yaml), ("crm-invoice.yaml", PackageResources.crm_invoice_yaml),
    ].map { BuiltinMapping(fileName: $0.0, text: String(decoding: $0.1, as: UTF8.self)) }

    package static func make(_ settings: DriverSettings) throws(DriverError) -> any Driver {
        let rules = CRMRules()
        return try ReferenceDriver(settings, rules: rules) { settle, answer in
            Manifest(
                driver: name, version: "1.0", summary: "A small CRM on a SQLite file, for demonstrations and tests",
                entities: rules.entities, settleTime: settle, answerTime: answer, limits: Manifest.Limits(batch: 50, concurrentCalls: 4),
                window: """
                    There is no version token and the last writer wins. The hub reads before it writes, and a read tells the feed \
                    position of the document's last change; what a person changes between that read and the write's effect (at most \
                    the settle time) is covered in the members that the write names, and in no others. A create with the same \
                    reference answers the document that is there.
                    """)
        }
    }
}
