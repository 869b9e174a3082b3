import HubDriver
import HubModel

extension SaleType {
    func create(_ delivery: Delivery, _ work: inout Work) async throws(TrytonFailure) -> Int64 {
        try check(delivery.fields, before: nil)
        let lines = try OrderLines(delivery.fields["lines"] ?? [])
        let wanted = try state(delivery.fields["state"])
        var values = try await values(delivery.fields, nil, work)
        values["lines"] = [["create", .array(try await self.values(of: lines.lines, values, after: 0, work))]]
        var mark = OrderMark()
        mark.isUnfinished = true
        values["attachments"] = [
            ["create", [["name": .string(delivery.reference.rawValue), "type": "link", "description": .string(mark.text)]]]
        ]
        let made = try await work.write("sale.sale", "create", [[.object(values)]])
        let id = made.array?.first?.integer ?? 0
        try await finish(id, from: "draft", to: wanted, lines.lines.map(\.key), &work)
        return id
    }

    func resume(_ record: Record, _ delivery: Delivery, _ work: inout Work) async throws(TrytonFailure) {
        let lines = try OrderLines(delivery.fields["lines"] ?? [])
        let wanted = try state(delivery.fields["state"])
        let state = record.row["state"]?.text ?? ""
        // People, or Tryton itself, may have taken it further meanwhile: nothing is taken back for that.
        let isReached = state == "done" || TrytonSettings.OrderState(rawValue: state).map { $0 >= wanted } ?? false
        try await finish(record.id, from: state, to: isReached ? nil : wanted, lines.lines.map(\.key), &work)
    }

    /// How far this order is taken.
    func state(_ value: Value?) throws(TrytonFailure) -> TrytonSettings.OrderState {
        guard let value, !value.isNull else { return settings.orders }
        guard let state = value.text.flatMap(TrytonSettings.OrderState.init(rawValue:)) else {
            throw .refused(
                Rejection(rule: "illegal-transition", field: "state", text: "A new sale cannot be \(JSONText.text(value))."))
        }
        return state
    }

    /// Takes a draft through its workflow and notes that it is done; where Tryton refuses a step, the sale is taken away again, so that
    /// a refused order leaves nothing behind.
    ///
    /// - Parameter wanted: nil where it has come so far already.
    private func finish(
        _ id: Int64, from state: String, to wanted: TrytonSettings.OrderState?, _ keys: [String?], _ work: inout Work
    ) async throws(TrytonFailure) {
        do {
            if let wanted, state != wanted.rawValue { try await move(id, from: state, to: wanted.rawValue, Fields(), &work) }
        } catch {
            switch error {
            case .refused: try await takeBack(id, &work)
            case .asked:
                // It waits for a person's word in Tryton; until it is finished nobody is told of it, as if it were not there.
                work.undone()
            default: break
            }
            throw error
        }
        let rows = try await work.rows("sale.sale", [["id", "=", .id(id)]], fields(work.profile))
        guard let row = rows.first, let attachment = attachment(row) else { return }
        var mark = OrderMark()
        for (key, line) in zip(keys, row.many("lines").filter { $0["type"]?.text == "line" }) {
            if let key { mark.lines[key] = line.id }
        }
        try await note(mark, id, attachment, &work)
    }

    /// Writes the note through the sale, whose version rises with it: only then the sale is told.
    private func note(_ mark: OrderMark, _ id: Int64, _ attachment: Fields, _ work: inout Work) async throws(TrytonFailure) {
        let command: Value = ["write", [.id(attachment.id)], ["description": .string(mark.text)]]
        _ = try await work.write("sale.sale", "write", [[.id(id)], ["attachments": [command]]])
    }

    private func takeBack(_ id: Int64, _ work: inout Work) async throws(TrytonFailure) {
        do {
            let state = try await work.rows("sale.sale", [["id", "=", .id(id)]], ["state"]).first?["state"]?.text
            if state == "confirmed" { _ = try await work.write("sale.sale", "draft", [[.id(id)]]) }
            if state != "cancelled" { _ = try await work.write("sale.sale", "cancel", [[.id(id)]]) }
            _ = try await work.write("sale.sale", "delete", [[.id(id)]])
            work.undone()
        } catch {
            throw .driver(DriverError(.noAnswer, "A refused sale, \(id), could not be taken back: \(error)"))
        }
    }

    // MARK: Changing a draft

    func write(
        _ changes: Fields, _ record: Record, _ mark: OrderMark, _ timestamps: Fields, _ work: inout Work
    ) async throws(TrytonFailure) {
        var values = try await values(changes, record, work)
        var fresh: [String?] = []
        if let given = changes["lines"] {
            let lines = try OrderLines(given).lines
            let rows = record.row.many("lines").filter { $0["type"]?.text == "line" }
            let held = Dictionary(rows.map { (key(of: $0, mark), $0) }) { first, _ in first }
            var commands: [Value] = []
            for line in lines {
                guard let row = line.key.flatMap({ held[$0] }), !line.isSame(row) else { continue }
                let isOther = row["product"]?.integer != line.product
                let value = isOther ? try await self.values(of: [line], context(record), after: 0, work).first ?? .null : changed(line)
                var fields = value.object ?? Fields()
                for name in ["sequence", "type"] { fields[name] = nil }
                commands.append(["write", [.id(row.id)], .object(fields)])
            }
            let kept = Set(lines.compactMap(\.key))
            let gone = rows.filter { !kept.contains(key(of: $0, mark)) }.map { Value.id($0.id) }
            if !gone.isEmpty { commands.append(["delete", .array(gone)]) }
            let new = lines.filter { line in line.key.map { held[$0] == nil } ?? true }
            if !new.isEmpty {
                let last = rows.compactMap { $0["sequence"]?.integer }.max() ?? Int64(rows.count)
                commands.append(["create", .array(try await self.values(of: new, context(record), after: last, work))])
                fresh = new.map(\.key)
            }
            values["lines"] = .array(commands)
        }
        _ = try await work.write("sale.sale", "write", [[.id(record.id)], .object(values)], timestamps: timestamps)
        if !fresh.isEmpty { try await noteFresh(fresh, record, mark, &work) }
    }

    /// Notes the keys of lines that an update made.
    private func noteFresh(_ keys: [String?], _ record: Record, _ mark: OrderMark, _ work: inout Work) async throws(TrytonFailure) {
        let known = Set(record.row.many("lines").map(\.id))
        let rows = try await work.rows("sale.sale", [["id", "=", .id(record.id)]], fields(work.profile))
        guard let row = rows.first, let attachment = attachment(row) else { return }
        var mark = mark
        let there = row.many("lines").filter { $0["type"]?.text == "line" }
        mark.lines = mark.lines.filter { line in there.contains { $0.id == line.value } }
        for (key, line) in zip(keys, there.filter { !known.contains($0.id) }) {
            if let key { mark.lines[key] = line.id }
        }
        try await note(mark, record.id, attachment, &work)
    }

    private func changed(_ line: OrderLines.Line) -> Value {
        var fields: Fields = ["quantity": line.quantity]
        if let price = line.price { fields["unit_price"] = price }
        if let description = line.description { fields["description"] = description }
        return .object(fields)
    }

    private func context(_ record: Record) -> Fields {
        record.row.filter { ["party", "company", "currency", "sale_date"].contains($0.name) }
    }

    // MARK: Values as Tryton completes them

    /// The sale's own values; those that follow from the customer are Tryton's to say.
    func values(_ fields: Fields, _ record: Record?, _ work: Work) async throws(TrytonFailure) -> Fields {
        var values = Fields()
        if fields["party"] != nil || record == nil {
            let party = try Given.key(fields["party"] ?? .null, "party", rule: "unknown-customer")
            var given: Fields = ["party": .id(party), "lines": []]
            if let company = work.company {
                given["company"] = .id(company)
                values["company"] = .id(company)
            }
            let known = try await work.count("party.party", [["id", "=", .id(party)], ["active", "=", true]])
            guard known == 1 else {
                throw .refused(Rejection(rule: "unknown-customer", field: "party", text: "There is no active party \(party)."))
            }
            for (name, value) in try await work.completed("sale.sale", given, after: ["party"])
            where !name.hasSuffix(".") && name != "lines" { values[name] = value }
            values["party"] = .id(party)
        }
        for (name, value) in fields {
            guard let told = try await self.value(name, value, isNew: record == nil, work) else { continue }
            values[name] = told
        }
        return values
    }

    /// One member as Tryton takes it; nil where it stands for nothing by itself.
    func value(_ name: String, _ value: Value, isNew: Bool, _ work: Work) async throws(TrytonFailure) -> Value? {
        switch name {
        case "reference", "description", "comment": return try Given.text(value, name)
        case "sale_date", "shipping_date": return try Given.date(value, name)
        case "payment_term":
            // None given: what the customer has.
            if value.isNull, isNew { return nil }
            return try await Given.named(
                value, name, "account.invoice.payment_term", by: ["name"], rule: "unknown-payment-terms", work)
        default: return nil
        }
    }

    /// New lines, completed by Tryton: unit, taxes, and the price where none is given.
    private func values(
        of lines: [OrderLines.Line], _ sale: Fields, after sequence: Int64, _ work: Work
    ) async throws(TrytonFailure) -> [Value] {
        if lines.isEmpty { return [] }
        try await known(Set(lines.map(\.product)), work)
        var completed: [String: Fields] = [:]
        var result: [Value] = []
        for (index, line) in lines.enumerated() {
            // The quantity matters only where the price is Tryton's.
            let place = "\(line.product)/" + (line.price == nil ? JSONText.text(line.quantity) : "")
            if completed[place] == nil { completed[place] = try await complete(line, sale, work) }
            var fields = completed[place] ?? Fields()
            fields["type"] = "line"
            fields["product"] = .id(line.product)
            fields["quantity"] = line.quantity
            fields["sequence"] = .id(sequence + Int64(index) + 1)
            if let price = line.price { fields["unit_price"] = price }
            if let description = line.description { fields["description"] = description }
            result.append(.object(fields))
        }
        return result
    }

    /// Refuses products that are not there or not active.
    func known(_ products: Set<Int64>, _ work: Work) async throws(TrytonFailure) {
        let active = try await work.keys(
            "product.product", [["id", "in", .array(products.sorted().map { .id($0) })], ["active", "=", true]], limit: products.count)
        guard let unknown = products.subtracting(active).min() else { return }
        throw .refused(Rejection(rule: "unknown-product", field: "lines", text: "There is no active product \(unknown)."))
    }

    private func complete(_ line: OrderLines.Line, _ sale: Fields, _ work: Work) async throws(TrytonFailure) -> Fields {
        let answer = try await typedIn(line, sale, work)
        var result = Fields()
        if let unit = answer["unit"] { result["unit"] = unit }
        if let price = answer["unit_price"]?.number { result["unit_price"] = Wire.decimal(price) }
        let taxes = (answer["taxes"]?["add"]?.array ?? []).compactMap { $0.array?.last?["id"] }
        if !taxes.isEmpty { result["taxes"] = [["add", .array(taxes)]] }
        return result
    }

    /// A line as Tryton's client shows it to somebody who has just typed in product, quantity and perhaps a unit.
    func typedIn(_ line: OrderLines.Line, unit: Value? = nil, _ sale: Fields, _ work: Work) async throws(TrytonFailure) -> Fields {
        var given: Fields = ["type": "line", "product": .id(line.product), "quantity": line.quantity, "sale": .null]
        if let unit { given["unit"] = unit }
        for (name, value) in sale where ["party", "company", "currency", "sale_date", "price_list", "warehouse"].contains(name) {
            given["_parent_sale." + name] = name == "sale_date" ? value.text.flatMap(Wire.date) ?? value : value
        }
        for name in ["company", "currency"] { if let value = sale[name] { given[name] = value } }
        return try await work.completed("sale.line", given, after: ["product", "quantity"])
    }
}
