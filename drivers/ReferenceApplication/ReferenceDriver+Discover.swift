package import HubDriver
import HubModel

extension ReferenceDriver: Discovering {
    /// The types with their members, and the codes of lists as they are now.
    package func discover() async throws(DriverError) -> Discovery {
        let identity = try await probe()
        let rules = file.rules
        let types = try await ask { work in
            try manifest.entities.compactMap { entity -> DiscoveredType? in
                guard let shape = rules.shape(entity.native) else { return nil }
                let fields = try shape.members.flatMap { try $0.discovered(rules.lines, in: work) }
                let rights = entity.operations.compactMap { DiscoveredType.Right(rawValue: $0.rawValue) }
                return DiscoveredType(native: entity.native, fields: fields, rights: Set(rights + [.read]))
            }
        }
        return Discovery(identity: identity, types: types, functions: manifest.functions.map(\.name))
    }
}

extension Member {
    /// The member as discovered, and where it is a list, what its elements hold.
    func discovered(_ names: OrderLine.Names, in work: Work) throws -> [DiscoveredField] {
        var field = DiscoveredField(
            path: name, kind: .text, nativeKind: "text", isRequired: isRequired && writers != .workflow, isReadOnly: !admits(.hub))
        switch kind {
        case .text, .trimmed, .code: break
        case .boolean: (field.kind, field.nativeKind) = (.boolean, "boolean")
        case .decimal(let scale): (field.kind, field.nativeKind) = (.number, "decimal(18,\(scale))")
        case .date: (field.kind, field.nativeKind) = (.date, "date")
        case .key: (field.kind, field.nativeKind) = (.reference, "key")
        case .listed(let list, _): (field.kind, field.nativeKind, field.codes) = (.code, "code of \(list)", try work.codes(of: list))
        case .lines:
            (field.kind, field.nativeKind) = (.list, "lines")
            return [
                field, DiscoveredField(path: "\(name).\(names.id)", kind: .text, nativeKind: "text"),
                DiscoveredField(path: "\(name).\(names.subject)", kind: .reference, nativeKind: "key", isRequired: true),
                DiscoveredField(path: "\(name).quantity", kind: .number, nativeKind: "decimal(18,3)", isRequired: true),
                DiscoveredField(path: "\(name).unit_price", kind: .number, nativeKind: "decimal(18,4)"),
            ]
        }
        return [field]
    }
}
