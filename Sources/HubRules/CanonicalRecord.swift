import HubCodec
package import HubModel
package import HubStore

/// The form of the hub's own records: CloudEvents in binary mode, so that any consumer can read them without a library.
package enum CanonicalRecord {
    /// A record of a canonical topic: key = canonical id, value = the full document with its version and what changed.
    package static func record(
        _ golden: GoldenRecord, topic: String, hub: String, changed: [String], addressee: ApplicationID?, event: String,
        causeTime: Int64? = nil, time: Instant
    ) -> Record {
        var writer = JSONWriter(capacity: 1024)
        write(golden, changed: changed, addressee: addressee, to: &writer)
        return Record(
            topic: topic, partition: -1, timestamp: time.milliseconds, key: Array(golden.id.rawValue.utf8), value: writer.bytes,
            headers: headers(
                id: "\(golden.id)/\(golden.version)", type: "\(hub).\(golden.entity).\(golden.isDeleted ? "deleted" : "changed")",
                hub: hub, subject: golden.id.rawValue, cause: event, causeTime: causeTime, time: time))
    }

    /// A record of the outcomes topic: key = target, so that one document's outcomes stay in order.
    package static func record(_ outcome: Outcome, topic: String, hub: String) -> Record {
        var members: Fields = [
            "outcome": .string(outcome.kind.rawValue), "application": .string(outcome.target.application.rawValue),
            "entity": .string(outcome.entity.rawValue), "id": .string(outcome.target.id.rawValue),
            "version": .string(outcome.version.description),
        ]
        if outcome.target.company != .shared { members["company"] = .string(outcome.target.company.rawValue) }
        if outcome.first != outcome.version.number { members["firstVersion"] = .number(Number(Int64(outcome.first))) }
        if let key = outcome.key { members["key"] = .string(key.rawValue) }
        if let reason = outcome.reason { members["reason"] = .string(reason) }
        if let rejection = outcome.rejection {
            var told: Fields = ["rule": .string(rejection.rule), "text": .string(rejection.text)]
            if let field = rejection.field { told["field"] = .string(field) }
            members["rejection"] = .object(told)
        }
        var writer = JSONWriter()
        writer.write(members)
        return Record(
            topic: topic, partition: -1, timestamp: outcome.time.milliseconds, key: Array(outcome.target.description.utf8),
            value: writer.bytes,
            headers: headers(
                id: "\(outcome.target)/\(outcome.version)/\(outcome.kind.rawValue)", type: "\(hub).outcome.\(outcome.kind.rawValue)",
                hub: hub, subject: outcome.target.description, cause: "", causeTime: nil, time: outcome.time))
    }

    /// Members in the order of their names, as everywhere.
    private static func write(_ golden: GoldenRecord, changed: [String], addressee: ApplicationID?, to writer: inout JSONWriter) {
        writer.beginObject()
        if let addressee {
            writer.name("addressee")
            writer.write(addressee.rawValue)
        }
        writer.name("changed")
        writer.beginArray()
        for name in changed { writer.write(name) }
        writer.endArray()
        if golden.company != .shared {
            writer.name("company")
            writer.write(golden.company.rawValue)
        }
        writer.name("deleted")
        writer.write(golden.isDeleted)
        writer.name("entity")
        writer.write(golden.entity.rawValue)
        writer.name("fields")
        writer.write(nested: golden.fields)
        writer.name("id")
        writer.write(golden.id.rawValue)
        writer.name("version")
        writer.write(golden.version.description)
        writer.endObject()
    }

    /// The inbound record's own time in milliseconds since 1970: from when on a delivery's duration counts.
    package static let causeTimeHeader = "ce_causetime"

    private static func headers(
        id: String, type: String, hub: String, subject: String, cause: String, causeTime: Int64?, time: Instant
    ) -> [Record.Header] {
        var headers: [Record.Header] = [
            .init("content-type", "application/json"), .init("ce_specversion", "1.0"), .init("ce_id", id), .init("ce_type", type),
            .init("ce_source", "/multipoint/\(hub)"), .init("ce_subject", subject), .init("ce_time", time.rfc3339Text),
        ]
        if !cause.isEmpty { headers.append(.init("ce_cause", cause)) }
        if let causeTime { headers.append(.init(causeTimeHeader, "\(causeTime)")) }
        return headers
    }
}
