import HTTPTypes
import HubCodec
import HubConfiguration
import HubModel

/// An event of a publisher on its way to the record that Kafka is given.
struct HTTPEvent: Sendable {
    /// By what a repetition is recognised.
    var identity: EventIdentity
    var record: Record
}

/// CloudEvents' own identity of an event: no two events have the same source and id.
struct EventIdentity: Sendable, Hashable {
    /// Source and id; neither can hold a line break.
    let text: String

    init(source: String, id: String) { text = "\(source)\n\(id)" }
    init(text: String) { self.text = text }

    /// Longer ones are refused: they are kept for as long as the window.
    static let longest = 1024
}

/// Reads the events of one application out of HTTP requests, in each of CloudEvents' three modes, and checks their envelopes.
struct EventReader: Sendable {
    let application: ApplicationConfiguration
    let decoder: EnvelopeDecoder
    /// Events of one batch.
    static let batchLimit = 1000

    /// The events of a request, in their order.
    func events(_ headers: HTTPFields, _ body: [UInt8]) throws(Problem) -> [HTTPEvent] {
        let contentType = headers[.contentType]
        if contentType.map(CloudEvent.mediaType) == "application/cloudevents-batch+json" { return try batch(body) }
        let hasVersion = headers.contains { $0.name.canonicalName == "ce-specversion" }
        do throws(EnvelopeError) {
            switch try CloudEventMode(contentType: contentType, hasVersionHeader: hasVersion) {
            case .structured: return [try structured(body)]
            case .binary: return [try binary(headers, body)]
            case nil: break
            }
        } catch {
            throw Problem(error, in: "")
        }
        throw Problem(
            .unsupportedMediaType, "no CloudEvent",
            "send application/cloudevents+json, application/cloudevents-batch+json, or the attributes as headers ce-specversion, ce-id, …")
    }

    private func batch(_ body: [UInt8]) throws(Problem) -> [HTTPEvent] {
        let root: JSONNode
        do throws(EnvelopeError) { root = try CloudEvent.batch(body) } catch { throw Problem(error, in: "") }
        var events: [HTTPEvent] = []
        for element in root.elements {
            guard events.count < Self.batchLimit else {
                throw Problem(.contentTooLarge, "too many events", "a batch may have \(Self.batchLimit) events")
            }
            do throws(EnvelopeError) {
                events.append(try structured(Array(element.rawBytes)))
            } catch {
                throw Problem(error, in: "[\(events.count)]")
            }
        }
        return events
    }

    /// One event in the body; it goes to Kafka as it is, byte for byte.
    private func structured(_ body: [UInt8]) throws(EnvelopeError) -> HTTPEvent {
        let header = Record.Header("content-type", "application/cloudevents+json; charset=UTF-8")
        return try event(try CloudEvent(structured: body), Record(topic: "", value: body, headers: [header]))
    }

    /// Attributes in headers; the data goes to Kafka as it is, byte for byte.
    private func binary(_ headers: HTTPFields, _ body: [UInt8]) throws(EnvelopeError) -> HTTPEvent {
        let fields = headers.map { (name: $0.name.rawName, value: Optional($0.value)) }
        let cloudEvent = try CloudEvent(headers: fields, prefix: "ce-", body: body)
        let attributes = cloudEvent.attributes.sorted { $0.key < $1.key }
        let kafka = attributes.map { name, text in Record.Header(name == "datacontenttype" ? "content-type" : "ce_" + name, text) }
        return try event(cloudEvent, Record(topic: "", value: body.isEmpty ? nil : body, headers: kafka))
    }

    private func event(_ cloudEvent: CloudEvent, _ draft: Record) throws(EnvelopeError) -> HTTPEvent {
        let identity = EventIdentity(source: cloudEvent.source, id: cloudEvent.id)
        guard identity.text.utf8.count <= EventIdentity.longest else {
            throw EnvelopeError(
                .badAttribute, "source and id have \(identity.text.utf8.count) bytes, \(EventIdentity.longest) are allowed", attribute: "id"
            )
        }
        guard let (native, topic) = destination(of: cloudEvent.type) else {
            let known = application.topics.keys.sorted().joined(separator: ", ")
            throw EnvelopeError(
                .unknownOperation,
                "\(cloudEvent.type) is no type of \(application.id): it takes \(known), each with a dot and a verb behind",
                attribute: "type")
        }
        var record = draft
        record.topic = topic
        record.partition = -1
        // What mediation could not read is refused here, where its sender hears of it.
        guard case .change(let change) = try decoder.decode(record) else {
            throw EnvelopeError(.missingData, "the event tells no change", attribute: "data")
        }
        let mapping = application.mappings.first { $0.natives.contains(native) }
        guard let key = change.event.key ?? change.data.flatMap({ mapping?.key(of: $0) }), !key.rawValue.isEmpty else {
            throw EnvelopeError(
                .missingAttribute, "nothing says which document it is: the key belongs into subject or mpkey", attribute: "subject")
        }
        // As capture keys them: one document's events stay in one partition, whichever way they come.
        record.key = Array("\(native)/\(key)".utf8)
        return HTTPEvent(identity: identity, record: record)
    }

    /// The native type that a CloudEvents type names, and its topic.
    private func destination(of type: String) -> (native: String, topic: String)? {
        guard let dot = type.lastIndex(of: ".") else { return nil }
        let name = type[..<dot]
        for (native, topic) in application.topics.sorted(by: { $0.key < $1.key }) {
            let prefix = application.envelopes[topic]?.typePrefix ?? ""
            if name == native || !prefix.isEmpty && name == "\(prefix).\(native)" { return (native, topic) }
        }
        return nil
    }
}

extension Problem {
    /// - Parameter place: of the event in a batch: `[3]`; empty elsewhere.
    init(_ error: EnvelopeError, in place: String) {
        let member = error.attribute.map { place.isEmpty ? $0 : "\(place).\($0)" } ?? (place.isEmpty ? nil : place)
        let status: HTTPResponse.Status =
            switch error.code {
            case .tooLarge: .contentTooLarge
            case .brokenJSON, .empty: .badRequest
            default: .unprocessableContent
            }
        self.init(status, "bad event", error.message, member: member)
    }
}
