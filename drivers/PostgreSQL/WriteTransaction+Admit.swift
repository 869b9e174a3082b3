import HubDriver
import HubModel
import PostgresClient

/// Before the database is asked: what cannot be written is answered, the others are put with those that one statement writes.
extension WriteTransaction {
    mutating func admit(_ place: Int) throws(PostgresError) {
        let delivery = deliveries[place]
        if let updates, isAsBefore(delivery, updates) { return take(place, delivery.fields, updates.group) }
        func refuse(_ rule: String, _ field: String? = nil, _ text: String) {
            answers[place] = .rejected(Rejection(rule: rule, field: field, text: text))
        }
        if shapes[delivery.native] == nil { shapes[delivery.native] = try driver.shape(delivery.native, on: connection) }
        guard let shape = shapes[delivery.native] else {
            return refuse("unknown-type", nil, "No table is declared for \(delivery.native).")
        }
        let declaration = shape.declaration
        var fields = delivery.fields
        for (name, value) in delivery.fields {
            guard let column = shape.columns[name] else {
                return refuse("unknown-field", name, "\(declaration.table) has no column \(name).")
            }
            if column.isGenerated || column.isOwn { return refuse("read-only", name, "\(name) is not for a mapping to set.") }
            if name == shape.key.name, let key = delivery.key {
                if value.keyText != key.rawValue { return refuse("read-only", name, "A row's key does not change.") }
                fields[name] = nil
            }
        }
        var names = fields.names
        if delivery.operation == .create {
            if let reference = declaration.reference { fields[reference] = .string(delivery.reference.rawValue) }
            if let company = declaration.company, let name = delivery.company { fields[company] = .string(name) }
            if fields[shape.key.name] == nil && shape.newKeys == nil {
                // A text key that nobody gives is the hub's own reference.
                guard shape.key.type.hasPrefix("text") || shape.key.type.hasPrefix("character varying") else {
                    return refuse("missing-key", shape.key.name, "\(declaration.table) needs \(shape.key.name), and nothing gives it.")
                }
                fields[shape.key.name] = .string(delivery.reference.rawValue)
            }
            names = fields[shape.key.name] == nil ? (fields.names + [shape.key.name]).sorted { $0.precedesInBytes($1) } : fields.names
        } else {
            if delivery.key == nil { return refuse("missing-key", nil, "An update and a deletion need the row's key.") }
            if delivery.operation == .delete && declaration.refusesDelete {
                return refuse("no-delete", nil, "Rows of \(declaration.table) are not deleted.")
            }
            if declaration.version != nil && delivery.expected?.token == nil {
                return refuse("missing-token", nil, "A write has to name the version that it is meant for.")
            }
            if delivery.operation == .delete {
                fields = Fields()
                names = []
            }
        }
        let group = Group(native: delivery.native, operation: delivery.operation, columns: names)
        if group.operation == .update { updates = Updates(group: group, needsToken: declaration.version != nil) }
        take(place, fields, group)
    }

    /// Updates mostly name the same columns, one after the other: those have been looked at.
    private func isAsBefore(_ delivery: Delivery, _ updates: Updates) -> Bool {
        delivery.operation == .update && delivery.native == updates.group.native && delivery.key != nil
            && (!updates.needsToken || delivery.expected?.token != nil)
            && updates.group.columns.elementsEqual(delivery.fields) { $0 == $1.name }
    }

    private mutating func take(_ place: Int, _ fields: Fields, _ group: Group) {
        let delivery = deliveries[place]
        let digest = WriteLog.digest(delivery, JSONText.bytes(.object(delivery.fields)))
        groups[group, default: []].append(Item(place: place, fields: fields, digest: digest, key: delivery.key))
    }
}
