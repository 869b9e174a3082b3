import HubDriver
import HubModel

extension TrytonDriver: Discovering {
    /// What stands behind the members that the driver tells, as this installation has it, and what its user may do.
    func discover() async throws(DriverError) -> Discovery {
        let identity = try await probe()
        return try await asked { () throws(TrytonFailure) in
            let work = try await work(nil, patience: .seconds(60))
            var types: [DiscoveredType] = []
            for type in self.types where work.profile.has(type.model) {
                types.append(
                    DiscoveredType(
                        native: type.native, label: try await label(type.model, work), fields: try await fields(type, work),
                        rights: try await rights(type.model, work)))
            }
            let has = [
                "price": work.profile.has("sale.sale"), "stock": work.profile.has("product.product", "quantity"),
                "credit": work.profile.has("party.party", "credit_amount"), "validate": work.profile.has("sale.sale"),
            ]
            return Discovery(identity: identity, types: types, functions: manifest.functions.map(\.name).filter { has[$0] == true })
        }
    }

    private func fields(_ type: any DocumentType, _ work: Work) async throws(TrytonFailure) -> [DiscoveredField] {
        var definitions: [String: Fields] = [:]
        var defaults: [String: Fields] = [:]
        for (model, members) in Dictionary(grouping: type.members, by: \.model) {
            let names = Value.array(Set(members.map(\.field)).sorted().map { .string($0) })
            definitions[model] = try await optional { () throws(TrytonFailure) in
                try await work.call(model, "fields_get", [names]).object
            }
            defaults[model] = try await optional { () throws(TrytonFailure) in
                try await work.call(model, "default_get", [names]).object
            }
        }
        var fields: [DiscoveredField] = []
        for member in type.members {
            guard let definition = definitions[member.model]?[member.field]?.object else { continue }
            let native = definition["type"]?.text ?? ""
            let codes = try await codes(member, definition, work)
            // Only where nothing else gives a value: no default, no state of the record, and no other record that is made only when needed.
            let isRequired =
                definition["required"]?.bool == true && definition["states"]?.text == "{}" && member.model == type.model
                && defaults[member.model]?[member.field] == nil && type.takes(member)
            fields.append(
                DiscoveredField(
                    path: member.path, kind: member.kind ?? (codes == nil ? Self.kind(native) : .code), nativeKind: native,
                    label: definition["string"]?.text, isRequired: isRequired,
                    isReadOnly: definition["readonly"]?.bool == true && definition["states"]?.text == "{}" || !type.takes(member),
                    codes: codes))
        }
        return fields
    }

    /// Codes of a list, or what people call the records that may stand there.
    private func codes(_ member: Member, _ definition: Fields, _ work: Work) async throws(TrytonFailure) -> [String]? {
        if member.kind != nil { return nil }
        if let names = member.named {
            let rows = try await optional { () throws(TrytonFailure) in
                try await work.rows(names.model, [], [names.field], limit: 1000, order: [("id", "ASC")])
            }
            return rows.map { rows in Set(rows.compactMap { $0[names.field]?.text }).sorted() }.flatMap { $0.isEmpty ? nil : $0 }
        }
        // A selection that Tryton reckons by a method is a name, no list.
        guard definition["type"]?.text == "selection", let options = definition["selection"]?.array else { return nil }
        return options.compactMap { $0.array?.first?.text }.filter { !$0.isEmpty }
    }

    private func label(_ native: String, _ work: Work) async throws(TrytonFailure) -> String? {
        let (name, label) = settings.series == .v6 ? ("model", "name") : ("name", "string")
        return try await optional { () throws(TrytonFailure) in
            try await work.rows("ir.model", [[.string(name), "=", .string(native)]], [label], limit: 1).first?[label]?.text
        }
    }

    private func rights(_ native: String, _ work: Work) async throws(TrytonFailure) -> Set<DiscoveredType.Right>? {
        let told = try await optional { () throws(TrytonFailure) in
            try await work.call("ir.model.access", "get_access", [[.string(native)]])[native]?.object
        }
        guard let told else { return nil }
        let words: [(String, DiscoveredType.Right)] = [("read", .read), ("create", .create), ("write", .update), ("delete", .delete)]
        // Tryton says true and false, or 1 and 0.
        return Set(words.filter { told[$0.0]?.bool ?? ((told[$0.0]?.integer ?? 0) != 0) }.map(\.1))
    }

    /// Nil where the user may not ask.
    private func optional<T>(_ question: () async throws(TrytonFailure) -> T?) async throws(TrytonFailure) -> T? {
        do { return try await question() } catch {
            guard case .refused = error else { throw error }
            return nil
        }
    }

    static func kind(_ native: String) -> DiscoveredField.Kind {
        switch native {
        case "char", "text", "fulltext": .text
        case "integer", "bigint", "float", "numeric": .number
        case "boolean": .boolean
        case "date": .date
        case "timestamp", "datetime": .instant
        case "selection": .code
        case "many2one", "one2one", "reference": .reference
        case "one2many", "many2many", "multiselection": .list
        case "dict": .object
        case "binary": .binary
        default: .other
        }
    }
}
