package import HubDriver
import HubModel

extension OdooDriver {
    package func discover() async throws(DriverError) -> Discovery {
        let identity = try await probe()
        return try await asked { () async throws(OdooFailure) in
            // Asked anew: what was learnt before may be out of date.
            let lists = Catalogue(client: client)
            let labels = try await labels()
            var types: [DiscoveredType] = []
            for type in NativeType.all {
                do throws(OdooFailure) {
                    var found = DiscoveredType(native: type.model, label: labels[type.model], fields: [])
                    found.fields = try await fields(type.model, type.members, "", lists)
                    if let lines = type.lines {
                        found.fields += try await fields(lines.model, lines.members, "\(lines.name).", lists)
                    }
                    found.rights = try await rights(type)
                    types.append(found)
                } catch .refused(let refusal) where refusal.status == 403 || refusal.status == 404 {
                    // Not installed, or not this user's; `probe` says so.
                }
            }
            return Discovery(identity: identity, types: types, functions: try await functions())
        }
    }

    /// What people call the models; nothing where this user may not see it.
    private func labels() async throws(OdooFailure) -> [String: String] {
        let domain: [Value] = [["model", "in", OdooClient.texts(NativeType.all.map(\.model))]]
        do throws(OdooFailure) {
            let rows = try await client.search("ir.model", domain, ["model", "name"], order: "model")
            return Dictionary(rows.compactMap { row in row["model"]?.text.map { ($0, row["name"]?.text ?? $0) } }) { first, _ in first }
        } catch .refused(let refusal) where refusal.status == 403 {
            return [:]
        }
    }

    /// The members that the driver tells and takes, as this Odoo has them.
    private func fields(
        _ model: String, _ declared: [NativeMember], _ prefix: String, _ lists: Catalogue
    ) async throws(OdooFailure) -> [DiscoveredField] {
        let (members, _) = try await lists.members(model, declared)
        let attributes: Fields = ["attributes": ["type", "string", "required", "selection", "depends"]]
        guard let all = try await client.call(model, "fields_get", attributes).object else {
            throw .unusable("\(model): fields_get answers no object")
        }
        let required = all.filter { $0.value["required"]?.bool == true }.map { Value.string($0.name) }
        // What has a default, or is worked out from other members, need not be sent.
        let defaults = required.isEmpty ? nil : try await client.call(model, "default_get", ["fields": .array(required)]).object
        var found: [DiscoveredField] = []
        for member in members where member.name != NativeType.lineMark {
            guard let description = all[member.name] else { continue }
            var field = DiscoveredField(
                path: prefix + member.name, kind: member.kind.discovered, nativeKind: description["type"]?.text ?? "",
                label: description["string"]?.text,
                isRequired: description["required"]?.bool == true && defaults?[member.name] == nil
                    && description["depends"]?.array?.isEmpty != false, isReadOnly: member.isReadOnly)
            if let choices = description["selection"]?.array {
                field.kind = .code
                field.codes = choices.compactMap { $0.array?.first?.text }
            } else if case .code(let model, let by) = member.kind {
                field.codes = try await lists.codes(model, by)
            }
            found.append(field)
        }
        return found
    }

    private func rights(_ type: NativeType) async throws(OdooFailure) -> Set<DiscoveredType.Right> {
        var rights: Set<DiscoveredType.Right> = []
        for (right, operation) in [(DiscoveredType.Right.read, "read"), (.create, "create"), (.update, "write"), (.delete, "unlink")] {
            if try await client.call(type.model, "has_access", ["operation": .string(operation)]) == true { rights.insert(right) }
        }
        return rights
    }

    /// Functions whose modules are installed and open to this user.
    private func functions() async throws(OdooFailure) -> [String] {
        var names: [String] = []
        for (function, model) in [
            (FunctionManifest.price, NativeType.order.model), (.stock, "stock.warehouse"), (.credit, NativeType.invoice.model),
            (.validate, "base_import.import"),
        ] {
            do throws(OdooFailure) {
                if try await client.call(model, "has_access", ["operation": "read"]) == true { names.append(function.name) }
            } catch .refused(let refusal) where refusal.status == 404 {
                // The module is not installed.
            }
        }
        return names
    }
}

extension NativeMember.Kind {
    fileprivate var discovered: DiscoveredField.Kind {
        switch self {
        case .text: .text
        case .decimal, .integer: .number
        case .boolean: .boolean
        case .date: .date
        case .moment: .instant
        case .key: .reference
        case .code: .code
        }
    }
}
