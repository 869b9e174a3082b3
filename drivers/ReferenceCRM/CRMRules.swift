package import HubDriver
import HubModel
package import ReferenceApplication

/// What the CRM holds and enforces.
package struct CRMRules: Rules {
    package init() {}

    package let codes: [(list: String, code: String, days: Int)] = []

    static let lineNames = OrderLine.Names(id: "id", subject: "item")
    private static let stages = ["opportunity", "quote", "accepted"]

    package let entities = [
        EntityManifest(
            native: "account", entity: "customer", createIsRepeatable: true, hasToken: false, hasStamp: true, tellsReference: false,
            rules: ["missing-field", "invalid-field", "read-only", "territory", "in-use"]),
        EntityManifest(
            native: "item", entity: "product", createIsRepeatable: true, hasToken: false, hasStamp: true, tellsReference: false,
            rules: ["missing-field", "invalid-field", "duplicate-code", "in-use"]),
        EntityManifest(
            native: "deal", entity: "order", createIsRepeatable: true, hasToken: false, hasStamp: true, tellsReference: false,
            transitions: ["opportunity": ["quote", "accepted"], "quote": ["accepted"], "accepted": []],
            rules: [
                "missing-field", "invalid-field", "read-only", "stage-order", "item-not-saleable", "unknown-item", "unknown-account",
                "territory", "in-use",
            ]),
        EntityManifest(
            native: "bill", entity: "invoice", createIsRepeatable: true, hasToken: false, hasStamp: true, tellsReference: false,
            rules: ["missing-field", "invalid-field", "read-only", "unknown-deal"]),
    ]

    private static let shapes = [
        "account": Shape([
            Member("name", isRequired: true), Member("vat"), Member("email", .trimmed), Member("phone"), Member("segment"),
            Member("territory"), Member("owner"), Member("street"), Member("zip"), Member("city"), Member("country"),
            Member("credit_limit", .decimal(scale: 2), writers: .hub), Member("on_hold", .boolean(false), writers: .hub),
            Member("payment_terms", writers: .hub), Member("erp_code", writers: .hub),
        ]),
        "item": Shape([
            Member("code", isRequired: true), Member("name", isRequired: true), Member("price", .decimal(scale: 2)), Member("currency"),
            Member("unit"), Member("saleable", .boolean(true)),
        ]),
        "deal": Shape([
            Member("stage"), Member("account", .key, isRequired: true), Member("po_reference"), Member("close_date", .date),
            Member("order_date", .date), Member("sales_person"), Member("shipping_method"), Member("payment_terms"),
            Member("lines", .lines), Member("order_number", writers: .hub), Member("order_status", writers: .hub),
            Member("refusal", writers: .hub), Member("updated_on", writers: .workflow),
        ]),
        "bill": Shape([
            Member("number", isRequired: true, writers: .hub), Member("deal", .key, writers: .hub), Member("date", .date, writers: .hub),
            Member("due_date", .date, writers: .hub), Member("total", .decimal(scale: 2), writers: .hub),
            Member("paid", .decimal(scale: 2), writers: .hub), Member("status", writers: .hub),
        ]),
    ]

    package func shape(_ native: String) -> Shape? { Self.shapes[native] }
    package var lines: OrderLine.Names { Self.lineNames }

    package func admit(_ draft: inout Draft, in work: Work) throws {
        guard let shape = Self.shapes[draft.native] else { throw Refused("invalid-field", nil, "The CRM has no \(draft.native).") }
        if draft.native == "deal" { try completeDeal(&draft, work) }
        try shape.admit(&draft, in: work)
        switch draft.native {
        case "account":
            try admitTerritory(draft.before?["territory"] ?? draft["territory"], draft.actor)
            try admitTerritory(draft["territory"], draft.actor)
        case "item": draft.code = draft["code"].text
        case "deal": try admitDeal(&draft, work)
        default:
            guard !draft["deal"].isNull else { return }
            guard let deal = try draft["deal"].keyText.flatMap({ try work.document("deal", NativeKey($0)) }) else {
                throw Refused("unknown-deal", "deal", "There is no deal \(draft["deal"].keyText ?? "").")
            }
            draft.uses = [Use(of: deal.id)]
        }
    }

    package func admitRemoval(of document: StoredDocument, by actor: Actor, in work: Work) throws {
        switch document.native {
        case "account": try admitTerritory(document.fields["territory"] ?? .null, actor)
        case "deal":
            if let account = try document.fields["account"]?.keyText.flatMap({ try work.document("account", NativeKey($0)) }) {
                try admitTerritory(account.fields["territory"] ?? .null, actor)
            }
            if actor != .hub, document.fields["order_number"]?.text != nil {
                throw Refused("in-use", nil, "The deal has become an order.")
            }
        case "bill" where actor != .hub: throw Refused("read-only", nil, "Bills come from the ERP.")
        default: break
        }
        if try work.isInUse(document) {
            throw Refused("in-use", nil, "Other documents refer to \(document.native) \(document.key).")
        }
    }

    private func admitTerritory(_ territory: Value, _ actor: Actor) throws {
        guard case .person(let name, let own?) = actor, territory.text != own else { return }
        throw Refused("territory", "territory", "\(name) works in \(own) only.")
    }

    /// A deal of the hub's is an order already; people begin with an opportunity.
    private func completeDeal(_ draft: inout Draft, _ work: Work) throws {
        if draft["stage"].isNull { draft["stage"] = draft.before?["stage"] ?? (draft.actor == .hub ? "accepted" : "opportunity") }
        if draft["stage"] == "accepted", draft["order_date"].isNull, draft.actor != .hub {
            draft["order_date"] = .string(CalendarDate(work.now).description)
        }
    }

    private func admitDeal(_ draft: inout Draft, _ work: Work) throws {
        let stage = draft["stage"].text ?? ""
        guard let place = Self.stages.firstIndex(of: stage) else { throw Refused("invalid-field", "stage", "A deal is never \(stage).") }
        if let old = draft.before?["stage"]?.text, place < Self.stages.firstIndex(of: old) ?? 0 {
            throw Refused("stage-order", "stage", "A deal does not go back from \(old) to \(stage).")
        }
        guard let account = try draft["account"].keyText.flatMap({ try work.document("account", NativeKey($0)) }) else {
            throw Refused("unknown-account", "account", "There is no account \(draft["account"].keyText ?? "").")
        }
        try admitTerritory(account.fields["territory"] ?? .null, draft.actor)
        draft.uses = [Use(of: account.id)]

        let old = try draft.before.map { try OrderLine.lines($0["lines"] ?? .null, Self.lineNames) } ?? []
        var lines = try OrderLine.lines(draft["lines"], Self.lineNames)
        if lines.isEmpty, stage == "accepted" { throw Refused("missing-field", "lines", "An accepted deal needs lines.") }
        for index in lines.indices {
            guard let item = try work.document("item", lines[index].subject) else {
                throw Refused("unknown-item", "lines", "There is no item \(lines[index].subject).")
            }
            let known = old.contains { $0.subject == lines[index].subject }
            // What the ERP has sold may be shown, whether or not it is still for sale.
            if item.fields["saleable"] != true, draft.actor != .hub, !known || draft.changes("stage") {
                throw Refused("item-not-saleable", "lines", "Item \(item.fields["code"]?.text ?? "") is not for sale.")
            }
            lines[index].price = lines[index].price ?? item.fields["price"]?.units(scale: 4) ?? 0
            _ = try lines[index].cents()
            draft.uses.append(Use(of: item.id))
        }
        draft["lines"] = .array(lines.map { $0.value(Self.lineNames) })
        if draft.fields != draft.before { draft["updated_on"] = .string(CalendarDate.text(work.now)) }
    }
}
