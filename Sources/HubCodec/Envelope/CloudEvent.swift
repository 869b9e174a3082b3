import HubModel

/// How a CloudEvent is laid out over headers and body.
package enum CloudEventMode: Sendable, Hashable {
    /// Everything in the body.
    case structured
    /// Attributes in headers, data as the body.
    case binary

    /// What a content type (nil where there is none) and the presence of a `specversion` header say; nil for what is no CloudEvent.
    package init?(contentType: String?, hasVersionHeader: Bool) throws(EnvelopeError) {
        let media = contentType.map(CloudEvent.mediaType) ?? ""
        if media == "application/cloudevents+json" {
            self = .structured
        } else if media.hasPrefix("application/cloudevents-batch") {
            throw EnvelopeError(.unsupported, "a batch of CloudEvents: over Kafka there is one event per record")
        } else if media.hasPrefix("application/cloudevents") {
            throw EnvelopeError(.unsupported, "a CloudEvent as \(media): only JSON is read")
        } else if hasVersionHeader {
            self = .binary
        } else {
            return nil
        }
    }

    /// What a record's headers say.
    init?(_ record: Record) throws(EnvelopeError) {
        try self.init(
            contentType: record.header("content-type"), hasVersionHeader: record.headers.contains { $0.name == "ce_specversion" })
    }
}

/// A CloudEvent (CloudEvents 1.0) with its attributes as text.
package struct CloudEvent: Sendable {
    /// All attributes that are there, extensions too, by their lower-case names.
    package private(set) var attributes: [String: String]
    /// JSON data; nil where there is none, or where it is not JSON.
    package private(set) var data: JSONNode?
    /// Data that is not JSON; nil where there is none.
    package private(set) var bytes: [UInt8]?

    /// An attribute's text; nil where it is absent.
    package subscript(name: String) -> String? { attributes[name] }
    package var id: String { attributes["id"] ?? "" }
    package var source: String { attributes["source"] ?? "" }
    package var type: String { attributes["type"] ?? "" }

    /// Binary mode: attributes from headers, data from the body.
    ///
    /// - Parameters:
    ///   - headers: all headers; a nil value stands for one without a value or one that is not UTF-8.
    ///   - prefix: what marks attributes among the headers: `ce_` in Kafka, `ce-` in HTTP (there in any case, and percent-encoded).
    package init(
        headers: [(name: String, value: String?)], prefix: String, body: [UInt8]?, limits: JSONLimits = .init()
    ) throws(EnvelopeError) {
        let isHTTP = prefix == "ce-"
        attributes = [:]
        for (header, value) in headers {
            let name = isHTTP ? header.lowercased() : header
            let attribute: String
            if name == "content-type" {
                attribute = "datacontenttype"
            } else if name.utf8.starts(with: prefix.utf8) {
                attribute = String(decoding: name.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
                // In binary mode the content type has a header of its own.
                if attribute == "datacontenttype" {
                    throw EnvelopeError(.badAttribute, "\(name) as a header; content-type is where it belongs")
                }
            } else {
                continue
            }
            guard var text = value else { throw EnvelopeError(.badAttribute, "the header \(name) has no text") }
            if isHTTP, attribute != "datacontenttype" {
                guard let decoded = URIReference.percentDecoded(text) else {
                    throw EnvelopeError(.badAttribute, "the header \(name) is badly encoded", attribute: attribute)
                }
                text = decoded
            }
            if let before = attributes[attribute], before != text {
                throw EnvelopeError(.ambiguous, "the header \(name) stands twice, with different values", attribute: attribute)
            }
            try set(attribute, text)
        }
        try checkRequired()
        if let body, !body.isEmpty { try setData(body, limits) }
    }

    /// Structured mode: everything in one JSON object.
    package init(structured body: [UInt8], limits: JSONLimits = .init()) throws(EnvelopeError) {
        let root = try EnvelopeDecoder.parse(body, limits).root
        guard root.kind == .object else { throw EnvelopeError(.unknownEnvelope, "a structured CloudEvent is an object") }
        attributes = [:]
        var encoded: JSONNode?
        for (name, node) in root.members {
            switch name {
            case "data": data = node.isNull ? nil : node
            case "data_base64": encoded = node.isNull ? nil : node
            default:
                // Null means absent (JSON format, section 2.2).
                if node.isNull { continue }
                guard let text = node.string ?? node.bool.map(String.init) ?? node.integer.map(String.init) else {
                    throw EnvelopeError(
                        .badAttribute, "the attribute \(name) is neither text, true, false nor a whole number", attribute: name)
                }
                try set(name, text)
            }
        }
        try checkRequired()
        guard let encoded else {
            if let text = data?.string, let media = attributes["datacontenttype"], !Self.isJSON(media) {
                data = nil
                bytes = Array(text.utf8)
            }
            return
        }
        guard data == nil else { throw EnvelopeError(.ambiguous, "both data and data_base64 are there") }
        guard let text = encoded.string, let decoded = Base64.decode(text) else {
            throw EnvelopeError(.badAttribute, "data_base64 is not Base64", attribute: "data_base64")
        }
        try setData(decoded, limits)
    }

    private mutating func set(_ name: String, _ text: String) throws(EnvelopeError) {
        guard Self.isName(name) else {
            throw EnvelopeError(.badAttribute, "\"\(name)\" cannot be an attribute's name: only lower-case letters and digits can")
        }
        guard !Self.holdsControls(text) else {
            throw EnvelopeError(.badAttribute, "the attribute \(name) holds control characters", attribute: name)
        }
        attributes[name] = text
    }

    private func checkRequired() throws(EnvelopeError) {
        for name in ["specversion", "id", "source", "type"] {
            guard let text = attributes[name] else {
                throw EnvelopeError(.missingAttribute, "the CloudEvent has no \(name)", attribute: name)
            }
            guard !text.isEmpty else { throw EnvelopeError(.badAttribute, "the CloudEvent's \(name) is empty", attribute: name) }
        }
        guard attributes["specversion"] == "1.0" else {
            throw EnvelopeError(.unsupported, "CloudEvents \(attributes["specversion"] ?? ""): only 1.0 is read", attribute: "specversion")
        }
        if attributes["subject"] == "" { throw EnvelopeError(.badAttribute, "the CloudEvent's subject is empty", attribute: "subject") }
        if let time = attributes["time"], Instant(rfc3339: time) == nil {
            throw EnvelopeError(.badAttribute, "the CloudEvent's time \"\(time)\" is not as RFC 3339 has it", attribute: "time")
        }
    }

    private mutating func setData(_ body: [UInt8], _ limits: JSONLimits) throws(EnvelopeError) {
        if Self.isJSON(attributes["datacontenttype"] ?? "application/json") {
            data = try EnvelopeDecoder.parse(body, limits).root
        } else {
            bytes = body
        }
    }

    /// Lower-case ASCII letters and digits (CloudEvents, section 3.1).
    static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { $0 &- 0x61 < 26 || $0 &- 0x30 < 10 }
    }

    /// Whether a text holds what no attribute may: control characters and non-characters (CloudEvents, section 3.1, String).
    static func holdsControls(_ text: String) -> Bool {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return false }
        return text.unicodeScalars.contains { scalar in
            scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.properties.isNoncharacterCodePoint
        }
    }

    /// A content type without parameters, in lower case.
    package static func mediaType(_ contentType: String) -> String {
        let media = contentType.utf8.prefix { $0 != 0x3B }.drop { $0 == 0x20 || $0 == 0x09 }.prefix { $0 != 0x20 && $0 != 0x09 }
        return String(decoding: media.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// Whether data of that content type is JSON: the subtype says so.
    static func isJSON(_ contentType: String) -> Bool {
        let media = mediaType(contentType)
        return media.hasSuffix("/json") || media.hasSuffix("+json")
    }
}

extension CloudEvent {
    /// The events of a batch (JSON batch format), each an element of the list.
    package static func batch(_ body: [UInt8], limits: JSONLimits = .init()) throws(EnvelopeError) -> JSONNode {
        let root = try EnvelopeDecoder.parse(body, limits).root
        guard root.kind == .array else { throw EnvelopeError(.unknownEnvelope, "a batch of CloudEvents is a list") }
        return root
    }
}
