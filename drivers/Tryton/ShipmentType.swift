import HubDriver
import HubModel

/// `stock.shipment.out`: what leaves for a customer, read only. An order that leaves in two parts has two of them.
struct ShipmentType: ReadOnlyType {
    let manifest: EntityManifest
    let refusal = "Shipments are made, picked and done in Tryton and nowhere else."
    let parts = ["outgoing_moves.": "stock.move"]
    let sources = [
        ChangeSource(model: "stock.shipment.out"), ChangeSource(model: "stock.move", link: "shipment"),
    ]

    init(settings: TrytonSettings) {
        manifest = Self.manifest(
            "stock.shipment.out", "shipment", settings,
            transitions: [
                "draft": ["waiting", "cancelled"], "waiting": ["draft", "assigned", "cancelled"], "assigned": ["waiting", "picked"],
                "picked": ["packed", "assigned"], "packed": ["shipped", "done", "picked"], "shipped": ["done"], "done": [],
                "cancelled": ["draft"],
            ])
    }

    private static let own = ["number", "reference", "customer", "company", "state", "planned_date", "effective_date"]

    func fields(_ profile: Profile) -> [String] {
        Self.own + [
            "_timestamp", "outgoing_moves.product", "outgoing_moves.quantity", "outgoing_moves.\(Self.unit(profile)).name",
            "outgoing_moves.state",
            "outgoing_moves.origin", "outgoing_moves._timestamp",
        ] + (profile.has("stock.move", "sale") ? ["outgoing_moves.sale"] : [])
    }

    func told(_ record: Record, _ work: Work) -> Fields {
        let row = record.row
        let moves = row.many("outgoing_moves").filter { $0["state"]?.text != "cancelled" }
        var sales: [Value] = []
        for sale in moves.compactMap({ $0["sale"] }) where !sale.isNull && !sales.contains(sale) { sales.append(sale) }
        var result: Fields = ["id": .id(row.id), "sale": sales.first ?? .null, "sales": .array(sales)]
        for name in Self.own { if let value = row[name] { result[name] = value } }
        result["lines"] = .array(moves.map { .object(Self.told($0, Self.unit(work.profile))) })
        return result
    }

    /// Series 6.0 has another name for it.
    private static func unit(_ profile: Profile) -> String { profile.has("stock.move", "unit") ? "unit" : "uom" }

    private static func told(_ move: Fields, _ unit: String) -> Fields {
        var result: Fields = ["id": .id(move.id), "unit": move.one(unit)?["name"] ?? .null]
        for name in ["product", "quantity", "origin", "state"] { result[name] = move[name] ?? .null }
        return result
    }

    var members: [Member] {
        var members = Self.own.map { Member($0, native) }
        members += ["product", "quantity", "origin", "state"].map { (name: String) in Member("lines.\(name)", "stock.move", name) }
        members += [
            Member("lines", native, "outgoing_moves"), Member("lines.id", "stock.move", "id"),
            Member("lines.unit", "stock.move", "unit", named: .unit), Member("sale", "stock.move"),
            Member("sales", "stock.move", "sale", kind: .list),
        ]
        return members
    }
}
