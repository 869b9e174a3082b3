import HubCodec
import HubModel

extension GoldenRecord {
    /// The record as a store keeps it: JSON that a person can read; id and entity stand beside it.
    var stored: [UInt8] {
        var writer = JSONWriter(capacity: 2048)
        writer.beginObject()
        writer.name("version")
        writer.write(version.description)
        if company != .shared {
            writer.name("company")
            writer.write(company.rawValue)
        }
        if isDeleted {
            writer.name("deleted")
            writer.write(true)
        }
        writer.name("fields")
        writer.write(fields)
        if !provenance.isEmpty {
            // [[time, application, event, [names]], …]: most fields came with one and the same event.
            writer.name("provenance")
            writer.beginArray()
            for (origin, names) in origins {
                writer.beginArray()
                writer.write(origin.time.milliseconds)
                writer.write(origin.application.rawValue)
                writer.write(origin.event)
                writer.beginArray()
                for name in names { writer.write(name) }
                writer.endArray()
                writer.endArray()
            }
            writer.endArray()
        }
        writer.endObject()
        return writer.bytes
    }

    init(id: CanonicalID, entity: EntityName, stored bytes: [UInt8]) throws(StoreError) {
        let row = try StoredJSON("golden record \(id)", bytes)
        self.init(
            id: id, entity: entity, company: CompanyID(row.root["company"]?.string ?? ""), version: try row.version("version"),
            isDeleted: row.root["deleted"]?.bool ?? false, fields: row.fields("fields"))
        guard let origins = row.root["provenance"]?.elements else { return }
        for node in origins {
            var parts = node.elements
            guard let time = parts.next()?.exactInteger, let application = parts.next()?.string, let event = parts.next()?.string,
                let names = parts.next()
            else { throw row.unreadable("provenance") }
            let origin = Provenance(time: Instant(milliseconds: time), application: ApplicationID(application), event: event)
            for name in names.elements { provenance[name.string ?? ""] = origin }
        }
    }

    /// Fields by where they came from, in a fixed order.
    private var origins: [(Provenance, [String])] {
        var groups: [(origin: Provenance, names: [String])] = []
        for (name, origin) in provenance {
            if let index = groups.firstIndex(where: { $0.origin == origin }) {
                groups[index].names.append(name)
            } else {
                groups.append((origin, [name]))
            }
        }
        for index in groups.indices { groups[index].names.sort { $0.precedesInBytes($1) } }
        return groups.sorted { ($0.names.first ?? "").precedesInBytes($1.names.first ?? "") }
    }
}
