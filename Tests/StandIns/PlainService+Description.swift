import HubModel

extension PlainService {
    /// The service's OpenAPI document, as its tables are.
    static func description(_ state: State) -> Value {
        let names = ["customers": "Customer", "products": "Product", "orders": "Order"]
        var schemas = Fields([("Line", line), ("Document", document)])
        for (table, name) in names {
            guard let columns = state.tables[table]?.columns else { continue }
            var properties = Fields(columns.map { ($0.name, schema($0)) })
            if table == "orders" { properties["version"] = ["type": "integer"] }
            let required = columns.filter(\.isRequired).map { Value.string($0.name) }
            let own: Value = ["type": "object", "required": .array(required), "properties": .object(properties)]
            schemas[name] = ["title": .string(name), "allOf": [["$ref": "#/components/schemas/Document"], own]]
        }
        return ["openapi": "3.1.0", "info": ["title": "Plain", "version": "7.2"], "components": ["schemas": .object(schemas)]]
    }

    /// What all documents have.
    private static let document: Value = [
        "type": "object",
        "properties": [
            "id": ["type": "string", "readOnly": true], "updated_at": ["type": "string", "format": "date-time", "readOnly": true],
        ],
    ]

    private static let line: Value = [
        "type": "object", "required": ["id"], "properties": ["id": ["type": "string"], "quantity": ["type": ["number", "null"]]],
    ]

    private static func schema(_ column: Table.Column) -> Value {
        var schema: Fields =
            switch column.kind {
            case .text(let most): ["type": "string", "maxLength": .number(Number(Int64(most)))]
            case .decimal: ["type": "number"]
            case .date: ["anyOf": [["type": "string", "format": "date"], ["type": "null"]]]
            case .boolean: ["type": "boolean"]
            case .integer: ["type": "integer"]
            case .list: ["type": "array", "items": ["$ref": "#/components/schemas/Line"]]
            case .reference: ["type": "string"]
            }
        if column.isReadOnly { schema["readOnly"] = true }
        return .object(schema)
    }
}
