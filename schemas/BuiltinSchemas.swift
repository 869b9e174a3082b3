/// JSON Schemas of the ready-made applications' native types, as the bytes of their files.
package enum BuiltinSchemas {
    /// The schema of a native type; nil where there is none.
    package static func schema(driver: String, native: String) -> [UInt8]? {
        switch (driver, native) {
        case ("reference-erp", "partner"): PackageResources.partner_schema_json
        case ("reference-erp", "article"): PackageResources.article_schema_json
        case ("reference-erp", "sales_order"): PackageResources.sales_order_schema_json
        case ("reference-erp", "invoice"): PackageResources.invoice_schema_json
        case ("reference-crm", "account"): PackageResources.account_schema_json
        case ("reference-crm", "item"): PackageResources.item_schema_json
        case ("reference-crm", "deal"): PackageResources.deal_schema_json
        case ("reference-crm", "bill"): PackageResources.bill_schema_json
        case ("tryton", "party.party"): PackageResources.party_party_schema_json
        case ("tryton", "product.product"): PackageResources.product_product_schema_json
        case ("tryton", "sale.sale"): PackageResources.sale_sale_schema_json
        case ("tryton", "account.invoice"): PackageResources.account_invoice_schema_json
        case ("tryton", "party.account"): PackageResources.party_account_schema_json
        case ("tryton", "stock.shipment.out"): PackageResources.stock_shipment_out_schema_json
        case ("odoo", "res.partner"): PackageResources.res_partner_schema_json
        case ("odoo", "product.product"): PackageResources.product_variant_schema_json
        case ("odoo", "sale.order"): PackageResources.sale_order_schema_json
        case ("odoo", "account.move"): PackageResources.account_move_schema_json
        case ("odoo", "crm.lead"): PackageResources.crm_lead_schema_json
        case ("odoo", "product.pricelist"): PackageResources.product_pricelist_schema_json
        default: nil
        }
    }
}
