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

    /// Tables and columns are named alike in both series.
    package static func signal(_ settings: DriverSettings) throws(DriverError) -> SignalMap? {
        let own = try TrytonSettings(settings)
        let companies: [String?] = own.companies.isEmpty ? [nil] : own.companies.values.sorted().map { String($0) }
        // An account has no table of its own: it is a party's terms, and those tables tell of the party.
        let accounts = companies.map { SignalMap.Companion(native: AccountType.native, of: "party.party", company: $0) }
        return SignalMap(
            settings: ["tables": String(decoding: PackageResources.signal_tables, as: UTF8.self)],
            companions: own.hasAccounts ? accounts : [])
    }
}
