import HTTPApplication
package import HubDriver
import HubModel

/// Makes the driver `odoo`.
package enum OdooFactory: DriverFactory {
    package static let name = "odoo"

    package static let settings: [SettingDescription] = [
        SettingDescription("url", "the server's address: https://crm.example", isRequired: true),
        SettingDescription("key", "an API key of the hub's own user", isRequired: true, isSecret: true),
        SettingDescription("database", "the database's name, where the server has several"),
        SettingDescription("authorities", "a PEM file with the certificate authorities to trust, instead of the system's", isPath: true),
        SettingDescription("module", "the module name of the external ids that the hub gives (hub)"),
        SettingDescription("language", "the language of names and messages (en_US; rules are recognised in English only)"),
        SettingDescription("confirmOrders", "whether an order that the hub creates is confirmed at once (true)"),
        SettingDescription("orderLink", "an address that opens an order elsewhere: https://erp.example/sale/{x_hub_number}"),
        SettingDescription("partnerLink", "the same for partners: https://erp.example/party/{ref}"),
        SettingDescription("productLink", "the same for products: https://erp.example/product/{default_code}"),
        SettingDescription("settleMilliseconds", "after this time a call takes effect no more (120000, Odoo's own request limit)"),
        SettingDescription("answerMilliseconds", "how long the hub waits for an answer (15000)"),
        SettingDescription("pollMilliseconds", "between looks for changes where nothing was new (1000)"),
        SettingDescription("overlapSeconds", "how long a transaction in Odoo may take and still be captured (60)"),
        SettingDescription("sweepSeconds", "between comparisons of the lists of keys, which find deletions (30)"),
        SettingDescription("connections", "connections at once (8)"),
    ]

    package static let mappings: [BuiltinMapping] = [
        ("odoo-customer.yaml", PackageResources.odoo_customer_yaml), ("odoo-product.yaml", PackageResources.odoo_product_yaml),
        ("odoo-order.yaml", PackageResources.odoo_order_yaml), ("odoo-invoice.yaml", PackageResources.odoo_invoice_yaml),
        ("odoo-contact.yaml", PackageResources.odoo_contact_yaml), ("odoo-lead.yaml", PackageResources.odoo_lead_yaml),
        ("odoo-opportunity.yaml", PackageResources.odoo_opportunity_yaml),
        ("odoo-quotation.yaml", PackageResources.odoo_quotation_yaml), ("odoo-pricelist.yaml", PackageResources.odoo_pricelist_yaml),
    ].map { BuiltinMapping(fileName: $0.0, text: String(decoding: $0.1, as: UTF8.self)) }

    package static func make(_ settings: DriverSettings) throws(DriverError) -> any Driver {
        let application = settings.application
        var options = OdooDriver.Options(application: application)
        options.module = settings.text("module") ?? "hub"
        guard options.module.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }) else {
            throw DriverError(
                .configuration, "\(application): module has small letters, digits and underscores only, not \(options.module).")
        }
        switch settings.text("confirmOrders") ?? "true" {
        case "true": options.confirmsOrders = true
        case "false": options.confirmsOrders = false
        case let other: throw DriverError(.configuration, "\(application): confirmOrders is true or false, not \(other).")
        }
        for (type, setting) in [
            (NativeType.order, "orderLink"), (NativeType.partner, "partnerLink"), (NativeType.product, "productLink"),
        ] {
            if let template = settings.text(setting) { options.links[type.model] = try DocumentLink(template, setting: setting) }
        }
        let poll = Duration.milliseconds(try settings.number("pollMilliseconds", 1000, 1...600_000))
        options.overlap = .seconds(try settings.number("overlapSeconds", 60, 1...3600))
        options.sweep = .seconds(try settings.number("sweepSeconds", 30, 0...86_400))
        for (company, own) in settings.companies.sorted(by: { $0.key < $1.key }) {
            guard let id = Int64(own), id > 0 else {
                throw DriverError(.configuration, "\(application): company \(company) is a number in Odoo, not \(own).")
            }
            options.companies.append(id)
        }

        let answer = Duration.milliseconds(try settings.number("answerMilliseconds", 15_000, 100...600_000))
        let settle = Duration.milliseconds(try settings.number("settleMilliseconds", 120_000, 100...1_200_000))
        // A file with a key mostly ends with a line break, which a header cannot hold.
        let key = try settings.required("key").filter { !$0.isWhitespace }
        guard key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw DriverError(.configuration, "\(application): the key holds characters that a key of Odoo's never has.")
        }
        let http = try HTTPSettings(
            url: try settings.required("url"), connections: try settings.number("connections", 8, 1...64), maxAnswer: 64 << 20,
            connectTime: min(answer, .seconds(5)),
            authorities: settings.text("authorities"))
        let client = OdooClient(
            http: HTTPConnection(http), key: key, database: settings.text("database"), time: answer,
            language: settings.text("language") ?? "en_US")
        let manifest = OdooManifest.manifest(settle: settle, answer: answer, poll: poll, isPerCompany: !options.companies.isEmpty)
        return OdooDriver(manifest: manifest, client: client, options: options)
    }

    package static func signal(_ settings: DriverSettings) throws(DriverError) -> SignalMap? {
        SignalMap(settings: ["tables": String(decoding: PackageResources.signal_tables, as: UTF8.self)])
    }
}
