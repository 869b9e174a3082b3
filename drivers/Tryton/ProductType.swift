import HubDriver
import HubModel

/// `product.product`: one variant with what its template holds of it: name, price, unit, whether it is sold.
///
/// The hub's reference is an identifier without a type, made with the product.
struct ProductType: DocumentType {
    let settings: TrytonSettings
    let manifest = EntityManifest(
        native: "product.product", entity: "product", createIsRepeatable: false, hasToken: true, hasStamp: true, tellsReference: true,
        delete: .archives, rules: TrytonRules.product)
    let identifiers: HubIdentifier? = HubIdentifier(model: "product.identifier", link: "product")
    let parts = [
        "template.": "product.template", "identifiers.": "product.identifier", "list_prices.": "product.list_price",
        "template.list_prices.": "product.list_price",
    ]
    /// Prices have no interface of their own: who changes one changes the product or its template.
    let sources = [
        ChangeSource(model: "product.product"), ChangeSource(model: "product.template", link: "products"),
        ChangeSource(model: "product.identifier", link: "product"),
    ]

    let writable: Set<String> = ["code", "name", "list_price", "unit", "salable", "active", "type", "description"]
    private static let readable: Set<String> = ["id", "currency", "template"]

    func fields(_ profile: Profile) -> [String] {
        var fields = [
            "code", "active", "description", "list_price", "_timestamp", "identifiers.type", "identifiers.code", "identifiers._timestamp",
            "template.name", "template.list_price", "template.type", "template.active", "template.default_uom.name",
            "template._timestamp",
        ]
        fields += ["suffix_code", "prefix_code", "list_price_used"].filter { profile.has("product.product", $0) }
        if profile.has("product.template", "salable") { fields.append("template.salable") }
        if profile.has("product.product", "list_prices") { fields.append("list_prices._timestamp") }
        if profile.has("product.template", "list_prices") { fields.append("template.list_prices._timestamp") }
        return fields
    }

    func told(_ record: Record, _ work: Work) -> Fields {
        let row = record.row
        let template = row.one("template") ?? Fields()
        var result: Fields = [
            "id": .id(row.id), "template": .id(template.id), "code": row["code"] ?? .null, "name": template["name"] ?? .null,
            "list_price": price(row), "unit": template.one("default_uom")?["name"] ?? .null, "active": .bool(row.isActive),
            "type": template["type"] ?? .null, "description": row["description"] ?? .null,
        ]
        if let salable = template["salable"] { result["salable"] = salable.isNull ? false : salable }
        if let company = work.company { result["currency"] = work.profile.currencies[company].map { .string($0) } ?? .null }
        return result
    }

    /// The variant's own price where it has one, else its template's.
    private func price(_ row: Fields) -> Value {
        for value in [row["list_price_used"], row["list_price"], row.one("template")?["list_price"]] {
            if let value, !value.isNull { return value }
        }
        return .null
    }

    func references(_ row: Fields) -> [CanonicalID] { HubIdentifier.references(row) }
    func referring(to references: [CanonicalID]) -> [Value] { HubIdentifier.referring(to: references) }

    // MARK: Writing

    func create(_ delivery: Delivery, _ work: inout Work) async throws(TrytonFailure) -> Int64 {
        try check(delivery.fields, readable: Self.readable, before: nil)
        var (product, template) = try await values(delivery.fields, nil, work)
        product["identifiers"] = [["create", [HubIdentifier.value(delivery.reference)]]]
        if template["default_uom"] == nil {
            template["default_uom"] = try await Given.named(
                .string(settings.unit), "unit", "product.uom", by: ["name", "symbol"], rule: "unknown-unit", work)
        }
        if work.profile.has("product.template", "sale_uom") { template["sale_uom"] = template["default_uom"] }
        if work.profile.has("product.template", "salable"), template["salable"] == nil { template["salable"] = true }
        if let category = settings.accountCategory {
            template["account_category"] = try await Given.named(
                .string(category), "account_category", "product.category", by: ["name"], rule: "unknown-category", work)
        }
        template["products"] = [["create", [.object(product)]]]
        let made = try await work.write("product.template", "create", [[.object(template)]])
        let id = made.array?.first?.integer ?? 0
        return try await work.rows("product.product", [["template", "=", .id(id)]], ["template"], limit: 1).first?.id ?? 0
    }

    func update(_ record: Record, _ fields: Fields, _ work: inout Work) async throws(TrytonFailure) -> Bool {
        let before = told(record, work)
        try check(fields, readable: Self.readable, before: before)
        let changes = fields.filter { $0.value != (before[$0.name] ?? .null) && writable.contains($0.name) }
        if changes.isEmpty { return false }
        var (product, template) = try await values(changes, record, work)
        let templateID = record.row.one("template")?.id ?? 0
        // In one call, so that a refusal leaves both as they were.
        var touched: [(model: String, id: Int64)] = []
        if !template.isEmpty { touched.append(("product.template", templateID)) }
        if template.isEmpty {
            _ = try await work.write(
                "product.product", "write", [[.id(record.id)], .object(product)], timestamps: record.timestamps(touched))
            return true
        }
        // The product too is written, if only with nothing: its version stands for the whole document.
        if product.isEmpty { product["description"] = record.row["description"] ?? .null }
        template["products"] = [["write", [.id(record.id)], .object(product)]]
        _ = try await work.write(
            "product.template", "write", [[.id(templateID)], .object(template)], timestamps: record.timestamps(touched))
        return true
    }

    func delete(_ record: Record, _ work: inout Work) async throws(TrytonFailure) {
        _ = try await work.write(
            "product.product", "write", [[.id(record.id)], ["active": false]], timestamps: record.timestamps([]))
    }

    private func values(
        _ fields: Fields, _ record: Record?, _ work: Work
    ) async throws(TrytonFailure) -> (product: Fields, template: Fields) {
        var product = Fields()
        var template = Fields()
        for (name, value) in fields {
            switch name {
            case "code":
                let text = try Given.text(value, name)
                if work.profile.has("product.product", "suffix_code") {
                    product["suffix_code"] = try suffix(text, record)
                } else {
                    product["code"] = text
                }
            case "description": product[name] = try Given.text(value, name)
            case "active": product[name] = try Given.bool(value, name)
            case "name", "type": template[name] = try Given.text(value, name)
            case "salable": template[name] = try Given.bool(value, name)
            case "unit":
                if value.isNull, record == nil { continue }
                template["default_uom"] = try await Given.named(
                    value, name, "product.uom", by: ["name", "symbol"], rule: "unknown-unit", work)
                if work.profile.has("product.template", "sale_uom") { template["sale_uom"] = template["default_uom"] }
            default:
                let price = try Given.decimal(value, name)
                if let own = record?.row["list_price"], !own.isNull, work.profile.has("product.product", "list_price_used") {
                    product["list_price"] = price
                } else {
                    template["list_price"] = price
                }
            }
        }
        return (product, template)
    }

    /// Tryton makes a variant's code of its template's code and a suffix of its own.
    private func suffix(_ code: Value, _ record: Record?) throws(TrytonFailure) -> Value {
        guard let prefix = record?.row["prefix_code"]?.text, !prefix.isEmpty, let text = code.text else { return code }
        guard text.hasPrefix(prefix) else {
            throw .refused(
                Rejection(rule: "not-allowed", field: "code", text: "The code begins with the template's, \(prefix), and \(text) does not.")
            )
        }
        let rest = String(text.dropFirst(prefix.count))
        return rest.isEmpty ? .null : .string(rest)
    }
}
