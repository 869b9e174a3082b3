import HubDriver
import HubModel

/// `sale.sale`: an order, taken through quote, confirm and process as far as the settings say.
///
/// The hub's reference is the name of a link among the sale's attachments: made with the sale, not copied when a person duplicates it,
/// and never printed. Its description says whether the hub has finished, and which line of the hub's each line is.
struct SaleType: DocumentType {
    let settings: TrytonSettings
    let manifest: EntityManifest
    let parts = ["lines.": "sale.line", "invoices.": "account.invoice"]
    let sources: [ChangeSource]

    static let transitions = [
        "draft": ["quotation", "cancelled"], "quotation": ["draft", "confirmed", "cancelled"], "confirmed": ["draft", "processing"],
        "processing": ["done"], "done": ["processing"], "cancelled": ["draft"],
    ]
    let writable: Set<String> = [
        "party", "reference", "sale_date", "shipping_date", "description", "comment", "payment_term", "lines", "state",
    ]
    private static let readable: Set<String> = [
        "id", "number", "company", "currency", "shipment_state", "invoice_state", "untaxed_amount", "tax_amount", "total_amount",
        "invoiced_amount", "invoices", "shipments", "failure",
    ]
    /// What can be changed at any time; Tryton leaves it to its client to keep the rest from changing after the draft.
    static let always: Set<String> = ["reference", "description", "comment"]

    init(settings: TrytonSettings) {
        self.settings = settings
        var sources = [
            ChangeSource(model: "sale.sale"), ChangeSource(model: "sale.line", link: "sale"),
            ChangeSource(model: "account.invoice", link: "sales", needs: "invoices"),
        ]
        if settings.series == .v8 {
            // Queued work fails long after the sale was confirmed, and what is filed of it does not name the sale.
            sources.append(
                ChangeSource(model: "ir.error", domain: [["origin", "like", "ir.queue,%"]], holders: [["state", "=", "confirmed"]]))
        }
        self.sources = sources
        // Tryton deletes what has not been confirmed, and nothing else.
        let isDeletable = settings.orders < .confirmed
        manifest = EntityManifest(
            native: "sale.sale", entity: "order", operations: isDeletable ? [.create, .update, .delete] : [.create, .update],
            createIsRepeatable: false, hasToken: true, hasStamp: true, tellsReference: true, delete: isDeletable ? .removes : .refuses,
            isPerCompany: !settings.companies.isEmpty, transitions: Self.transitions, rules: TrytonRules.sale)
    }

    func fields(_ profile: Profile) -> [String] {
        var fields = [
            "number", "reference", "party", "company", "state", "sale_date", "description", "comment", "payment_term.name",
            "currency.code", "shipment_state", "invoice_state", "untaxed_amount", "tax_amount", "total_amount", "_timestamp",
            "attachments.name", "attachments.type", "attachments.description", "lines.type", "lines.product", "lines.quantity",
            "lines.unit.name", "lines.unit_price", "lines.description", "lines.sequence", "lines.amount", "lines._timestamp",
            "invoices.number", "invoices.state", "invoices.total_amount", "invoices._timestamp",
        ]
        if profile.has("sale.sale", "shipping_date") { fields.append("shipping_date") }
        if profile.has("sale.sale", "shipments") { fields += ["shipments.number", "shipments.state"] }
        return fields
    }

    // MARK: Telling

    func told(_ record: Record, _ work: Work) -> Fields {
        let row = record.row
        var result: Fields = [
            "id": .id(row.id), "party": row["party"] ?? .null, "company": row["company"] ?? .null,
            "payment_term": row.one("payment_term")?["name"] ?? .null, "currency": row.one("currency")?["code"] ?? .null,
        ]
        for name in [
            "number", "reference", "state", "sale_date", "shipping_date", "description", "comment", "shipment_state", "invoice_state",
            "untaxed_amount", "tax_amount", "total_amount",
        ] {
            if let value = row[name] { result[name] = value }
        }
        result["failure"] = row["failure"] ?? .null
        let mark = mark(row)
        let lines = row.many("lines").filter { $0["type"]?.text == "line" }
        result["lines"] = .array(lines.map { .object(told($0, mark)) })
        let invoices = row.many("invoices")
        result["invoices"] = .array(invoices.map { Self.named($0, ["number", "state", "total_amount"]) })
        let posted = invoices.filter { ["posted", "paid"].contains($0["state"]?.text) }.compactMap { $0["total_amount"]?.number }
        result["invoiced_amount"] = Number.sum(posted, scale: 4).flatMap { $0.rounded(toScale: 2) }.map { .number($0) } ?? .null
        if row["shipments."] != nil {
            result["shipments"] = .array(row.many("shipments").map { Self.named($0, ["number", "state"]) })
        }
        return result
    }

    private func told(_ line: Fields, _ mark: OrderMark) -> Fields {
        var result: Fields = ["id": .id(line.id), "key": .string(key(of: line, mark)), "unit": line.one("unit")?["name"] ?? .null]
        for name in ["product", "quantity", "unit_price", "description", "amount"] { result[name] = line[name] ?? .null }
        return result
    }

    private static func named(_ row: Fields, _ names: [String]) -> Value {
        .object(Fields([("id", Value.id(row.id))] + names.map { ($0, row[$0] ?? .null) }))
    }

    func key(of line: Fields, _ mark: OrderMark) -> String {
        mark.lines.first { $0.value == line.id }?.key ?? "sale.line,\(line.id)"
    }

    func mark(_ row: Fields) -> OrderMark {
        attachment(row).flatMap { $0["description"]?.text }.flatMap { OrderMark($0) } ?? OrderMark()
    }

    func attachment(_ row: Fields) -> Fields? {
        row.many("attachments").first { OrderMark.isMark($0) }
    }

    func references(_ row: Fields) -> [CanonicalID] {
        row.many("attachments").filter { OrderMark.isMark($0) }.compactMap { $0["name"]?.text }.map { CanonicalID($0) }
    }

    func referring(to references: [CanonicalID]) -> [Value] {
        let names = Value.array(references.map { .string($0.rawValue) })
        return [["attachments", "where", [["name", "in", names], ["type", "=", "link"]]]]
    }

    func isDeleted(_ record: Record) -> Bool { false }

    /// False for a sale that the hub has made and not noted as finished, unless people have ended it meanwhile.
    func isWhole(_ record: Record, _ work: Work) -> Bool {
        !mark(record.row).isUnfinished || ["cancelled", "done"].contains(record.row["state"]?.text)
    }

    // MARK: Writing

    func check(_ fields: Fields, before: Fields?) throws(TrytonFailure) {
        try check(fields, readable: Self.readable, before: before)
    }

    func update(_ record: Record, _ fields: Fields, _ work: inout Work) async throws(TrytonFailure) -> Bool {
        let before = told(record, work)
        try check(fields, before: before)
        let mark = mark(record.row)
        var changes = fields.filter { writable.contains($0.name) && $0.value.keyText != before[$0.name]?.keyText }
        if let lines = fields["lines"] {
            changes["lines"] = try OrderLines.isSame(lines, before["lines"] ?? .null) ? nil : lines
        }
        changes = changes.filter { $0.value != (before[$0.name] ?? .null) }
        if changes.isEmpty { return false }
        let wanted = changes["state"]?.text
        changes["state"] = nil
        let state = before["state"]?.text ?? ""
        if let fixed = changes.names.first(where: { !Self.always.contains($0) }), state != "draft" {
            throw .refused(
                Rejection(
                    rule: "illegal-transition", field: fixed, text: "\(fixed) of a sale that is \(state) cannot be changed."))
        }
        // Before anything is written: what cannot be done as a whole is not begun.
        if let wanted { _ = try Self.steps(from: state, to: wanted) }
        var timestamps = record.timestamps(record.row.many("lines").map { ("sale.line", $0.id) })
        if !changes.isEmpty {
            try await write(changes, record, mark, timestamps, &work)
            timestamps = Fields()
        }
        if let wanted { try await move(record.id, from: state, to: wanted, timestamps, &work) }
        return true
    }

    func delete(_ record: Record, _ work: inout Work) async throws(TrytonFailure) {
        let id = Value.array([.id(record.id)])
        let state = record.row["state"]?.text ?? ""
        var timestamps = record.timestamps([])
        if ["draft", "quotation"].contains(state) {
            _ = try await work.write("sale.sale", "cancel", [id], timestamps: timestamps)
            timestamps = Fields()
        }
        _ = try await work.write("sale.sale", "delete", [id], timestamps: timestamps)
    }

    /// The buttons of Tryton's that lead from one state to another.
    private static func steps(from state: String, to wanted: String) throws(TrytonFailure) -> [String] {
        let ways: [String: [String]] = [
            "draft-quotation": ["quote"], "draft-confirmed": ["quote", "confirm"], "draft-processing": ["quote", "confirm", "process"],
            "quotation-confirmed": ["confirm"], "quotation-processing": ["confirm", "process"], "confirmed-processing": ["process"],
            "quotation-draft": ["draft"], "confirmed-draft": ["draft"], "cancelled-draft": ["draft"], "draft-cancelled": ["cancel"],
            "quotation-cancelled": ["cancel"], "confirmed-cancelled": ["draft", "cancel"],
        ]
        if let steps = ways["\(state)-\(wanted)"] { return steps }
        throw .refused(
            Rejection(rule: "illegal-transition", field: "state", text: "A sale that is \(state) cannot be made \(wanted)."))
    }

    /// Takes a sale from one state to another, step by step.
    func move(
        _ id: Int64, from state: String, to wanted: String, _ timestamps: Fields, _ work: inout Work
    ) async throws(TrytonFailure) {
        let steps = try Self.steps(from: state, to: wanted)
        var timestamps = timestamps
        var reached: String?
        for step in steps {
            if step == "process" {
                // Confirming lets Tryton process at once, or in its queue.
                reached = try await self.state(of: id, work)
                if reached != "confirmed" { break }
            }
            _ = try await work.write("sale.sale", step, [[.id(id)]], timestamps: timestamps)
            timestamps = Fields()
            reached = nil
        }
        // A null answer is not success: only the state is.
        if reached == nil { reached = try await self.state(of: id, work) }
        if reached == wanted || wanted == "processing" && reached == "done"
            || wanted == "confirmed" && (reached == "processing" || reached == "done")
        {
            return
        }
        let reason = try await failure(of: id, work)?.text ?? "it is \(reached ?? "gone")"
        throw .refused(Rejection(rule: "not-processed", field: "state", text: "The sale was not made \(wanted): \(reason)"))
    }

    private func state(of id: Int64, _ work: Work) async throws(TrytonFailure) -> String {
        try await work.rows("sale.sale", [["id", "=", .id(id)]], ["state"]).first?["state"]?.text ?? ""
    }
}
