package import HubDriver

/// Makes the driver `tryton`.
package enum TrytonFactory: DriverFactory {
    package static let name = "tryton"
    package static var settings: [SettingDescription] { TrytonSettings.descriptions }

    package static let mappings: [BuiltinMapping] = [
        ("tryton-customer.yaml", PackageResources.tryton_customer_yaml), ("tryton-product.yaml", PackageResources.tryton_product_yaml),
        ("tryton-order.yaml", PackageResources.tryton_order_yaml), ("tryton-invoice.yaml", PackageResources.tryton_invoice_yaml),
        ("tryton-shipment.yaml", PackageResources.tryton_shipment_yaml), ("tryton-account.yaml", PackageResources.tryton_account_yaml),
    ].map { BuiltinMapping(fileName: $0.0, text: String(decoding: $0.1, as: UTF8.self)) }

    package static func make(_ settings: DriverSettings) throws(DriverError) -> any Driver {
        TrytonDriver(try TrytonSettings(settings))
    }
}
