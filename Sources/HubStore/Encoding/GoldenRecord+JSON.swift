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
            // name: [time, application, event]
            writer.name("provenance")
            writer.beginObject()
            for (name, origin) in provenance {
                writer.name(name)
                writer.beginArray()
                writer.write(origin.time.milliseconds)
                writer.write(origin.application.rawValue)
                if !origin.event.isEmpty { writer.write(origin.event) }
                writer.endArray()
            }
            writer.endObject()
        }
        writer.endObject()
        return writer.bytes
    }

    init(id: CanonicalID, entity: EntityName, stored bytes: [UInt8]) throws(StoreError) {
        let row = try StoredJSON("golden record \(id)", bytes)
        self.init(
            id: id, entity: entity, company: CompanyID(row.root["company"]?.string ?? ""), version: try row.version("version"),
            isDeleted: row.root["deleted"]?.bool ?? false, fields: row.fields("fields"))
        guard let members = row.root["provenance"]?.members else { return }
        for (name, node) in members {
            var parts = node.elements
            guard let time = parts.next()?.exactInteger, let application = parts.next()?.string else { throw row.unreadable("provenance") }
            provenance[name] = Provenance(
                time: Instant(milliseconds: time), application: ApplicationID(application), event: parts.next()?.string ?? "")
        }
    }
}
