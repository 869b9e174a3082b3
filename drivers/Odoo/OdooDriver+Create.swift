import HubDriver
import HubModel

extension OdooDriver {
    /// Creates a document under the hub's reference, or answers the one that carries it: the reference is unique in Odoo's own tables.
    func create(
        _ type: NativeType, _ delivery: Delivery, _ company: Int64?, _ progress: inout Progress
    ) async throws(ApplyFailure) -> Answer {
        if let known = try await carrying(type, delivery, company) {
            if type.isArchived, known.isArchived { return .gone }
            return try await resumed(type, known, delivery, company, &progress)
        }
        let rows = try await rows(type, delivery.fields, reference: delivery.reference, company)
        let id: Int64
        do throws(OdooFailure) {
            id = try await load(type, rows, company)
        } catch {
            // The same create, sent before, was faster: its document is the answer.
            guard case .refused(let refusal) = error, refusal.rejection.rule == "duplicate",
                let known = try await carrying(type, delivery, company)
            else { throw .odoo(error) }
            return try await resumed(type, known, delivery, company, &progress)
        }
        progress.hasEffect = true
        pace.made(id, type.model)
        do throws(OdooFailure) { try await mark(type, [id]) } catch { throw .odoo(error) }
        if isToBeConfirmed(type, delivery) { try await confirm(id, delivery, company, &progress) }
        var document = try await readBack(type, id, company)
        document.reference = delivery.reference
        return .written(document.told(type))
    }

    private func carrying(_ type: NativeType, _ delivery: Delivery, _ company: Int64?) async throws(ApplyFailure) -> OdooDocument? {
        do throws(OdooFailure) { return try await document(type, carrying: delivery.reference, company: company) } catch {
            throw .question(error)
        }
    }

    /// A create that came before: finished where it stopped half-way, otherwise left as it is, whatever people have made of it since.
    private func resumed(
        _ type: NativeType, _ known: OdooDocument, _ delivery: Delivery, _ company: Int64?, _ progress: inout Progress
    ) async throws(ApplyFailure) -> Answer {
        do throws(OdooFailure) { try await mark(type, [known.id]) } catch { throw .odoo(error) }
        guard isToBeConfirmed(type, delivery), known.fields["state"] == .some("draft") else {
            return .unchanged(known.told(type))
        }
        try await confirm(known.id, delivery, company, &progress)
        var document = try await readBack(type, known.id, company)
        document.reference = delivery.reference
        return .written(document.told(type))
    }

    // MARK: Orders

    /// What the hub creates is an order, unless the settings or the mapping (`state: draft`) say that it is a quotation.
    private func isToBeConfirmed(_ type: NativeType, _ delivery: Delivery) -> Bool {
        guard type.model == NativeType.order.model else { return false }
        return options.confirmsOrders && delivery.fields[NativeType.stateMember] != .some("draft")
    }

    /// An order of the hub's is an order already: takes it through Odoo's own confirmation. Where that is refused, nothing is left.
    private func confirm(
        _ id: Int64, _ delivery: Delivery, _ company: Int64?, _ progress: inout Progress
    ) async throws(ApplyFailure) {
        let ids: Fields = ["ids": OdooClient.keys([id])]
        do throws(OdooFailure) {
            _ = try await client.call("sale.order", "action_confirm", ids, company: company)
        } catch {
            guard case .refused(let refusal) = error else { throw .odoo(error) }
            do throws(OdooFailure) { _ = try await client.call("sale.order", "unlink", ids, company: company) } catch { throw .odoo(error) }
            progress.hasEffect = false
            throw .broken(Broken(refusal.rejection.rule, refusal.rejection.field, refusal.message))
        }
        // Whatever goes wrong from here on, the order is one.
        progress.hasEffect = true
        let document = try await readBack(.order, id, company)
        guard document.fields["state"] == .some("sale") else {
            throw .odoo(.noAnswer("sale.order \(id) is \(document.fields["state"]?.text ?? "nothing") after its confirmation"))
        }
        // Odoo dates an order with its confirmation.
        guard let date = delivery.fields["date_order"], !date.isNull, document.fields["date_order"] != .some(date) else { return }
        do throws(OdooFailure) { try await client.write("sale.order", id, ["date_order": date], company: company) } catch {
            throw .odoo(error)
        }
    }

    // MARK: load

    /// Columns and rows for Odoo's `load`.
    struct Rows: Sendable {
        var columns: [String]
        var rows: [[String]]
    }

    /// - Parameter reference: nil for a document that is only tried.
    func rows(
        _ type: NativeType, _ wanted: Fields, reference: CanonicalID?, _ company: Int64?
    ) async throws(ApplyFailure) -> Rows {
        let model = try await known(type)
        var columns: [String] = []
        var first: [String] = []
        if let reference {
            columns.append("id")
            first.append("\(options.module).\(ExternalID.name(of: reference))")
        }
        var fields = wanted
        // The hub's customers are companies, unless a mapping says otherwise.
        if type.model == NativeType.partner.model, fields["is_company"] == nil, model.member("is_company") != nil {
            fields["is_company"] = true
        }
        // A new document is a draft whether it is said or not.
        if type.model == NativeType.order.model, fields[NativeType.stateMember] == .some("draft") { fields[NativeType.stateMember] = nil }
        for (name, value) in fields where name != type.lines?.name {
            guard let member = model.member(name) else { throw unknown(name, type) }
            try checked(member, value)
            if value.isNull { continue }
            if member.isReadOnly { throw .broken(Broken("read-only", name, "\(name) is Odoo's own and not written from outside.")) }
            columns.append(member.column)
            first.append(member.loaded(value, code: try await code(member, value)))
        }
        if type.hasCompany, let company {
            columns.append("company_id/.id")
            first.append(String(company))
        }
        guard let lines = type.lines, let wanted = fields[lines.name] else { return Rows(columns: columns, rows: [first]) }
        return try await laidOut(lines, model, try elements(lines, wanted), columns, first)
    }

    /// The head stands in the first row, one line in each.
    private func laidOut(
        _ lines: NativeType.Lines, _ model: Catalogue.Model, _ elements: [(id: String, fields: Fields)], _ columns: [String],
        _ head: [String]
    ) async throws(ApplyFailure) -> Rows {
        if elements.isEmpty { return Rows(columns: columns, rows: [head]) }
        guard model.hasLineMark else { throw .broken(Self.unprepared(lines)) }
        var names: [String] = []
        for (_, fields) in elements {
            for (name, value) in fields where name != "id" && !value.isNull && !names.contains(name) { names.append(name) }
        }
        let defaults = try await lines.mayLack ? defaults(lines, names) : Fields()
        var rows: [[String]] = []
        for (place, element) in elements.enumerated() {
            var row = place == 0 ? head : Array(repeating: "", count: head.count)
            row.append(element.id)
            for name in names {
                guard let value = element.fields[name], !value.isNull else {
                    if lines.mayLack {
                        row.append(try lineMember(lines, model, name, .null).loaded(defaults[name] ?? .null, code: nil))
                        continue
                    }
                    throw .broken(
                        Broken("invalid-value", "\(lines.name).\(name)", "Line \(element.id) has no \(name), but others have: all or none.")
                    )
                }
                let member = try lineMember(lines, model, name, value)
                if member.isReadOnly { throw .broken(Broken("read-only", "\(lines.name).\(name)", "\(name) of a line is Odoo's own.")) }
                row.append(member.loaded(value, code: try await code(member, value)))
            }
            rows.append(row)
        }
        let more = try names.map { name throws(ApplyFailure) in
            "\(lines.name)/\(try lineMember(lines, model, name, .null).column)"
        }
        return Rows(columns: columns + ["\(lines.name)/\(NativeType.lineMark)"] + more, rows: rows)
    }

    /// What Odoo gives a line's members that nobody names; an empty cell would be nothing instead.
    private func defaults(_ lines: NativeType.Lines, _ names: [String]) async throws(ApplyFailure) -> Fields {
        do throws(OdooFailure) {
            return try await client.call(lines.model, "default_get", ["fields": OdooClient.texts(names)]).object ?? Fields()
        } catch { throw .question(error) }
    }

    /// Loads a document that is not there yet. `noupdate` and `update` together leave one alone that is.
    private func load(_ type: NativeType, _ rows: Rows, _ company: Int64?) async throws(OdooFailure) -> Int64 {
        let result = try await client.call(
            type.model, "load",
            ["fields": OdooClient.texts(rows.columns), "data": .array(rows.rows.map { OdooClient.texts($0) })], company: company,
            context: ["mode": "update", "noupdate": true, "module": .string(options.module)])
        if let id = result["ids"]?.array?.first?.integer { return id }
        let message = result["messages"]?.array?.first { $0["type"] == .some("error") } ?? result["messages"]?.array?.first
        let text = message?["message"]?.text ?? "load created nothing and said nothing"
        if ["could not serialize", "deadlock detected", "could not obtain lock"].contains(where: { text.contains($0) }) {
            throw .busy(after: .milliseconds(200), "\(type.model).load: \(text)")
        }
        throw .refused(
            OdooRefusal(status: 422, name: "odoo.exceptions.ValidationError", message: text, field: message?["field"]?.text))
    }
}
