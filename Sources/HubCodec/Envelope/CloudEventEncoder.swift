package import HubModel

/// Puts change events into CloudEvents for Kafka: what the hub publishes for applications that it captures, and of its own.
package struct CloudEventEncoder: Sendable {
    /// CloudEvents' `source` of every event: a URI reference that says who publishes.
    package var source: String
    package var mode: CloudEventMode
    /// What stands before the native name in types, without the dot behind it; empty for none.
    package var typePrefix: String

    package init(source: String, mode: CloudEventMode = .binary, typePrefix: String = "") {
        self.source = source
        self.mode = mode
        self.typePrefix = typePrefix
    }

    package func encode(_ event: ChangeEvent, data: Value?, topic: String) throws(EnvelopeError) -> Record {
        try encode(event, json: data?.json, topic: topic)
    }

    /// The record of an event: keyed by the native key, so that all changes of one document keep their order.
    ///
    /// - Parameter json: the data as one JSON value; nil for an event without data.
    /// - Throws: where the event lacks an id, or a text holds what no attribute can.
    package func encode(_ event: ChangeEvent, json: [UInt8]?, topic: String) throws(EnvelopeError) -> Record {
        let attributes = try attributes(of: event)
        var record = Record(topic: topic, timestamp: event.time?.milliseconds, key: event.key.map { Array($0.rawValue.utf8) })
        switch mode {
        case .binary:
            record.headers = attributes.map { Record.Header("ce_" + $0.name, $0.text) }
            if json != nil { record.headers.append(Record.Header("content-type", "application/json")) }
            record.value = json
        case .structured:
            var writer = JSONWriter(capacity: (json?.count ?? 0) + 400)
            writer.beginObject()
            for (name, text) in attributes {
                writer.name(name)
                writer.write(text)
            }
            if let json {
                writer.name("datacontenttype")
                writer.write("application/json")
                writer.name("data")
                writer.write(raw: json)
            }
            writer.endObject()
            record.headers = [Record.Header("content-type", "application/cloudevents+json; charset=UTF-8")]
            record.value = writer.bytes
        }
        return record
    }

    private func attributes(of event: ChangeEvent) throws(EnvelopeError) -> [(name: String, text: String)] {
        let verb =
            switch event.operation {
            case .upsert: "updated"
            case .delete: "deleted"
            case .snapshot: "snapshot"
            }
        let all: [(name: String, text: String?)] = [
            ("specversion", "1.0"), ("id", event.id), ("source", source),
            ("type", (typePrefix.isEmpty ? "" : typePrefix + ".") + event.type + "." + verb),
            ("subject", event.key?.rawValue), ("time", event.time?.rfc3339Text), ("sequence", event.position?.description),
            ("mptoken", event.token?.rawValue), ("mpref", event.reference?.rawValue), ("mpcompany", event.company),
        ]
        var result: [(name: String, text: String)] = []
        for (name, text) in all {
            guard let text else { continue }
            if text.isEmpty { throw EnvelopeError(.missingAttribute, "the event's \(name) is empty") }
            guard !CloudEvent.holdsControls(text) else {
                throw EnvelopeError(.badAttribute, "the event's \(name) holds control characters")
            }
            result.append((name, text))
        }
        return result
    }
}
