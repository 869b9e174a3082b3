import HTTPApplication
import HubDriver
import HubModel

/// What the application's own description says of the recipe's types; what their documents are like in truth, nobody but it can know.
extension RESTDriver {
    /// One that the description does not have is left out. Rights of the user are in no such description.
    func discover() async throws(DriverError) -> Discovery {
        guard let source = recipe.discovery else {
            throw DriverError(.configuration, "the recipe names nothing that describes its types")
        }
        let identity = try await probe()
        let reply = try await asked(nil) { (permit) async throws(CallFailure) in
            let company = companies.first.map { ["company": $0] } ?? [:]
            let path = try client.path(source.path, company)
            let media = source.form == .edmx ? "application/xml" : "application/json"
            return try await client.ask(.init(method: "GET", path: path, headers: [.init("Accept", media)]), permit)
        }
        let types: [DiscoveredType]
        switch source.form {
        case .edmx:
            let model: ODataModel
            do throws(MarkupMistake) { model = try ODataModel(reply.body) } catch {
                throw DriverError(.protocolViolation, "\(source.path.source) is no description of OData: \(error.text)")
            }
            types = try self.types { type in
                model.type(type.schema).map { (label: model.label($0), fields: model.fields($0, expanded: type.expanded)) }
            }
        case .schemas:
            let document = SchemaDocument(root: try reply.json())
            types = try self.types { type in
                document.schema(type.schema).map { (label: document.label($0), fields: document.fields($0)) }
            }
        }
        return Discovery(identity: identity, types: types, functions: manifest.functions.map(\.name))
    }

    private func types(_ find: (EntityRecipe) -> (label: String?, fields: FieldList)?) throws(DriverError) -> [DiscoveredType] {
        var types: [DiscoveredType] = []
        for type in recipe.entities {
            guard let found = find(type) else { continue }
            guard !found.fields.isCut else {
                throw DriverError(.protocolViolation, "\(type.native) has more than \(FieldList.most) fields in its description")
            }
            let fields = found.fields.all.filter { field in !recipe.hidden.contains { field.path.hasPrefix($0) } }.map { type.told($0) }
            types.append(DiscoveredType(native: type.native, label: found.label, fields: fields))
        }
        return types
    }
}

extension EntityRecipe {
    /// A field with what the recipe knows better: what is not written, and what the driver gives by itself.
    fileprivate func told(_ field: DiscoveredField) -> DiscoveredField {
        var field = field
        if readOnly.contains(field.path) { field.isReadOnly = true }
        let given = [reference?.path.joined(separator: "."), key.path.joined(separator: ".")].contains(field.path)
        if given || field.isReadOnly || create?.constants[path: field.path.split(separator: ".").map(String.init)] != nil {
            field.isRequired = false
        }
        return field
    }
}
