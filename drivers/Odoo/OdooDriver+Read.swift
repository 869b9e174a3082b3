package import HubDriver
package import HubModel

extension OdooDriver {
    package func lookUp(_ references: [LookUp]) async throws(DriverError) -> [[NativeDocument]] {
        var found: [[NativeDocument]] = []
        for look in references {
            found.append(
                try await asked { () async throws(OdooFailure) in
                    guard let type = NativeType.named(look.native) else { return [] }
                    guard let document = try await document(type, carrying: look.reference, company: company(look.company)) else {
                        return []
                    }
                    return isHalfDone(type, document) ? [] : [document.told(type)]
                })
        }
        return found
    }

    /// An order that the hub created and could not confirm any more: it counts as not there, so that the create comes again and ends it.
    private func isHalfDone(_ type: NativeType, _ document: OdooDocument) -> Bool {
        type.model == NativeType.order.model && options.confirmsOrders && document.fields["state"] == .some("draft")
    }

    /// The document under a key. Of a partner that people have merged into another one, the one that is left.
    package func read(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?] {
        var found: [NativeDocument?] = []
        for request in references {
            found.append(
                try await asked { () async throws(OdooFailure) in
                    guard let type = NativeType.named(request.native), let id = Int64(request.key.rawValue) else { return nil }
                    let company = company(request.company)
                    if let document = try await documents(type, [id], company: company, references: true).first {
                        return document.told(type)
                    }
                    guard let left = try await survivor(type, id) else { return nil }
                    return try await documents(type, [left], company: company, references: true).first?.told(type)
                })
        }
        return found
    }

    /// As the feed tells them: what a type leaves out is left out, and partners are named by their own number as well.
    package func tell(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?] {
        var told = [NativeDocument?](repeating: nil, count: references.count)
        let groups = Dictionary(grouping: references.indices) { references[$0].native + "@" + (references[$0].company ?? "") }
        for places in groups.values {
            guard let first = places.first.map({ references[$0] }), let type = NativeType.named(first.native) else { continue }
            let ids = places.compactMap { Int64(references[$0].key.rawValue) }
            let documents = try await asked { () async throws(OdooFailure) in try await present(type, ids, company(first.company)) }
            for place in places { told[place] = Int64(references[place].key.rawValue).flatMap { documents[$0] }?.told(type) }
        }
        return told
    }

    /// Documents by the numbers that they were asked for: of merged partners, the one that is left.
    private func present(_ type: NativeType, _ ids: [Int64], _ company: Int64?) async throws(OdooFailure) -> [Int64: OdooDocument] {
        let domain = scope(type, company) + [["id", "in", OdooClient.keys(ids)]]
        let rows = try await client.search(type.model, domain, ["id"], order: "id", company: company)
        let there = rows.compactMap { $0["id"]?.integer }
        let merged = try await survivors(type, ids.filter { !there.contains($0) })
        let all = Set(there).union(merged.values).sorted()
        let documents = try await documents(type, all, company: company, references: true)
        try await mark(type, documents.filter { !(type.isArchived && $0.isArchived) }.map(\.id))
        var found = Dictionary(documents.map { ($0.id, $0) }) { first, _ in first }
        for (id, left) in merged { found[id] = found[left] }
        return found
    }

    /// By number, which never changes and only grows. What people archive is left out, as it counts as deleted.
    package func page(native: String, company name: String?, after cursor: String?, limit: Int) async throws(DriverError) -> Page {
        guard let type = NativeType.named(native) else { return Page(documents: [], next: nil) }
        guard let start = cursor.map({ Int64($0) }) ?? 0 else {
            throw DriverError(.configuration, "\(cursor ?? "") is no place in the pages of this application.")
        }
        let limit = max(1, min(limit, 1000))
        return try await asked { () async throws(OdooFailure) in
            let domain = scope(type, company(name)) + [["id", ">", .number(Number(start))]]
            let rows = try await client.search(
                type.model, domain, ["id"], order: "id", limit: limit, company: company(name), archived: !type.isArchived)
            let ids = rows.compactMap { $0["id"]?.integer }
            let documents = try await documents(type, ids, company: company(name), references: true)
            return Page(documents: documents.map { $0.told(type) }, next: ids.count < limit ? nil : ids.last.map(String.init))
        }
    }

    /// What belongs to a type, of one company or of all that the hub knows.
    func scope(_ type: NativeType, _ company: Int64?) -> [Value] {
        guard type.hasCompany else { return type.domain }
        let companies = company.map { [$0] } ?? options.companies
        return companies.isEmpty ? type.domain : type.domain + [["company_id", "in", OdooClient.keys(companies)]]
    }

    // MARK: Documents

    /// Documents by number, in that order, lines included; those that do not exist are left out.
    func documents(
        _ type: NativeType, _ ids: [Int64], company: Int64? = nil, references: Bool = false
    ) async throws(OdooFailure) -> [OdooDocument] {
        if ids.isEmpty { return [] }
        let model = try await catalogue.model(type)
        let rows = try await client.read(type.model, ids, model.members.map(\.name), company: company)
        var result: [OdooDocument] = []
        for row in rows {
            guard let id = row["id"]?.integer else { continue }
            var fields = try await told(row, model.members)
            fields["id"] = .number(Number(id))
            result.append(OdooDocument(id: id, fields: fields))
        }
        if let lines = type.lines { try await add(lines, model.lines, to: &result, company) }
        if references {
            let carried = try await self.references(type, result.map(\.id))
            for index in result.indices { result[index].reference = carried[result[index].id] }
        }
        let places = Dictionary(ids.enumerated().map { ($1, $0) }) { first, _ in first }
        return result.sorted { (places[$0.id] ?? 0) < (places[$1.id] ?? 0) }
    }

    private func add(
        _ lines: NativeType.Lines, _ members: [NativeMember], to documents: inout [OdooDocument], _ company: Int64?
    ) async throws(OdooFailure) {
        if documents.isEmpty { return }
        let domain = [[.string(lines.parent), "in", OdooClient.keys(documents.map(\.id))]] + lines.domain
        let rows = try await client.search(lines.model, domain, members.map(\.name) + [lines.parent], order: "id", company: company)
        var known: [Int64: [OdooDocument.Line]] = [:]
        for row in rows {
            guard let record = row["id"]?.integer, let parent = NativeMember(lines.parent, .key).told(row[lines.parent] ?? .null).integer
            else { continue }
            var fields = try await told(row, members)
            let id = fields[NativeType.lineMark]?.text ?? String(record)
            fields[NativeType.lineMark] = nil
            fields["id"] = .string(id)
            known[parent, default: []].append(OdooDocument.Line(record: record, id: id, fields: fields))
        }
        if lines.model == NativeType.pricelist.lines?.model { try await nameVariants(&known) }
        for index in documents.indices {
            let own = known[documents[index].id] ?? []
            documents[index].lines = own
            documents[index].fields[lines.name] = .array(own.map { .object($0.fields) })
        }
    }

    private func told(_ row: Fields, _ members: [NativeMember]) async throws(OdooFailure) -> Fields {
        var fields = Fields()
        fields.reserveCapacity(members.count)
        for member in members {
            guard let value = row[member.name].map({ member.told($0) }) else { continue }
            if case .code(let model, let by) = member.kind, let id = value.integer {
                // A line of the list that this user may not see is told by its number.
                fields[member.name] = .string(try await catalogue.code(id, model, by) ?? "#\(id)")
            } else {
                fields[member.name] = value
            }
        }
        return fields
    }

    // MARK: References

    /// The document that carries a reference; nil where there is none (any more).
    func document(_ type: NativeType, carrying reference: CanonicalID, company: Int64?) async throws(OdooFailure) -> OdooDocument? {
        let domain: [Value] = [
            ["module", "=", .string(options.module)], ["model", "=", .string(type.model)],
            ["name", "=", .string(ExternalID.name(of: reference))],
        ]
        let rows = try await client.search("ir.model.data", domain, ["res_id"], order: "id", limit: 1)
        guard let id = rows.first?["res_id"]?.integer else { return nil }
        guard var document = try await documents(type, [id], company: company).first else { return nil }
        document.reference = reference
        return document
    }

    /// The hub's references of documents. One that is left of a merge carries those of several: it tells none.
    func references(_ type: NativeType, _ ids: [Int64]) async throws(OdooFailure) -> [Int64: CanonicalID] {
        if ids.isEmpty { return [:] }
        let domain: [Value] = [
            ["module", "in", .array([.string(options.module), .string(markModule)])], ["model", "=", .string(type.model)],
            ["res_id", "in", OdooClient.keys(ids)],
        ]
        var references: [Int64: [CanonicalID]] = [:]
        var merged: Set<Int64> = []
        for row in try await client.search("ir.model.data", domain, ["module", "name", "res_id"], order: "id") {
            guard let id = row["res_id"]?.integer, let name = row["name"]?.text else { continue }
            if row["module"]?.text == markModule {
                if ExternalID.number(of: name) != id { merged.insert(id) }
            } else if let reference = ExternalID.reference(of: name) {
                references[id, default: []].append(reference)
            }
        }
        return references.compactMapValues { $0.count == 1 ? $0.first : nil }.filter { !merged.contains($0.key) }
    }

    // MARK: Merged partners

    /// Only partners are merged in Odoo.
    static func canMerge(_ type: NativeType) -> Bool { type.model == NativeType.partner.model }

    var markModule: String { options.module + "_key" }

    /// Names documents by their own number, so that a merge can be told from a deletion later.
    func mark(_ type: NativeType, _ ids: [Int64]) async throws(OdooFailure) {
        guard Self.canMerge(type), !ids.isEmpty else { return }
        let domain: [Value] = [
            ["module", "=", .string(markModule)], ["name", "in", OdooClient.texts(ids.map { ExternalID.mark(type.model, $0) })],
        ]
        let known = Set(
            try await client.search("ir.model.data", domain, ["name"], order: "id").compactMap {
                $0["name"]?.text.flatMap(ExternalID.number)
            })
        let missing = ids.filter { !known.contains($0) }
        if missing.isEmpty { return }
        let rows: [Value] = missing.map { id in
            [
                "module": .string(markModule), "name": .string(ExternalID.mark(type.model, id)), "model": .string(type.model),
                "res_id": .number(Number(id)), "noupdate": true,
            ]
        }
        do throws(OdooFailure) {
            _ = try await client.call("ir.model.data", "create", ["vals_list": .array(rows)])
        } catch .refused(let refusal) where refusal.rejection.rule == "duplicate" {
            // Someone else, another call of this driver, was faster; what is missing then follows with the next look.
        }
    }

    /// The document that is left of a merge which took this one; nil where it was deleted, or is there.
    func survivor(_ type: NativeType, _ id: Int64) async throws(OdooFailure) -> Int64? { try await survivors(type, [id])[id] }

    func survivors(_ type: NativeType, _ ids: [Int64]) async throws(OdooFailure) -> [Int64: Int64] {
        guard Self.canMerge(type), !ids.isEmpty else { return [:] }
        let domain: [Value] = [
            ["module", "=", .string(markModule)], ["model", "=", .string(type.model)],
            ["name", "in", OdooClient.texts(ids.map { ExternalID.mark(type.model, $0) })],
        ]
        var result: [Int64: Int64] = [:]
        for row in try await client.search("ir.model.data", domain, ["name", "res_id"], order: "id") {
            guard let id = row["name"]?.text.flatMap(ExternalID.number), let left = row["res_id"]?.integer, left != id else { continue }
            result[id] = left
        }
        return result
    }
}
