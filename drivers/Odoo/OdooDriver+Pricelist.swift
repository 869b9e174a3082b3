import HubModel

extension OdooDriver {
    /// Of products with one variant only, people give prices to the product as a whole: that is the variant, which is what the hub knows.
    /// Of several variants none is named; `applied_on` then says that the rule is for a product.
    func nameVariants(_ known: inout [Int64: [OdooDocument.Line]]) async throws(OdooFailure) {
        let templates = Set(known.values.joined().compactMap(Self.wholeProduct))
        if templates.isEmpty { return }
        let domain: [Value] = [["product_tmpl_id", "in", OdooClient.keys(templates.sorted())]]
        var variants: [Int64: [Int64]] = [:]
        for row in try await client.search(NativeType.product.model, domain, ["product_tmpl_id"], order: "id", archived: false) {
            guard let id = row["id"]?.integer, let template = row["product_tmpl_id"]?.integer else { continue }
            variants[template, default: []].append(id)
        }
        known = known.mapValues { lines in
            lines.map { line in
                guard let template = Self.wholeProduct(line), let only = variants[template], only.count == 1 else { return line }
                var line = line
                line.fields["product_id"] = .number(Number(only[0]))
                return line
            }
        }
    }

    /// The product as a whole that a rule is for; nil for other rules.
    private static func wholeProduct(_ line: OdooDocument.Line) -> Int64? {
        guard line.fields["applied_on"] == .some("1_product"), line.fields["product_id"]?.isNull ?? true else { return nil }
        return line.fields["product_tmpl_id"]?.integer
    }
}
