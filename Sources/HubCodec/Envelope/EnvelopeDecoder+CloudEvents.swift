import HubModel

/// CloudEvents as change events.
///
/// A type is the native name, a dot and a verb: `sale.order.updated`. Everything before the last dot is the native name, a declared
/// prefix taken off. The hub's own extensions: `mpkey` (native key, else `subject` is), `mptoken` (version token), `mpref` (the hub's
/// reference), `mpcompany` (the application's name of the company). The official extension `sequence` is the source position where it
/// is a whole number, alone or behind its log's number and a slash.
extension EnvelopeDecoder {
    func decodeCloudEvent(_ record: Record, _ mode: CloudEventMode, _ declaration: EnvelopeDeclaration) throws(EnvelopeError)
        -> DecodedRecord
    {
        let cloudEvent: CloudEvent
        switch mode {
        case .structured:
            guard let value = record.value else { throw EnvelopeError(.empty, "a structured CloudEvent without a value") }
            cloudEvent = try CloudEvent(structured: value, limits: limits)
        case .binary:
            let headers = record.headers.map { header in
                (name: header.name, value: header.value.flatMap { String(validating: $0, as: UTF8.self) })
            }
            cloudEvent = try CloudEvent(headers: headers, prefix: "ce_", body: record.value, limits: limits)
        }
        let event = try change(cloudEvent, declaration)
        let kind: DecodedEvent.Kind = mode == .structured ? .structuredCloudEvent : .binaryCloudEvent
        if let data = cloudEvent.data, data.kind == .object { return .change(DecodedEvent(event: event, data: data, kind: kind)) }
        if cloudEvent.bytes != nil {
            throw EnvelopeError(
                .unsupported, "data of type \(cloudEvent["datacontenttype"] ?? "unknown"): only JSON is read", attribute: "datacontenttype")
        }
        guard cloudEvent.data == nil else { throw EnvelopeError(.missingData, "the data is no object", attribute: "data") }
        guard event.operation == .delete else { throw EnvelopeError(.missingData, "the event has no data", attribute: "data") }
        return .change(DecodedEvent(event: event, data: nil, kind: kind))
    }

    private func change(_ cloudEvent: CloudEvent, _ declaration: EnvelopeDeclaration) throws(EnvelopeError) -> ChangeEvent {
        let type = cloudEvent.type
        guard let dot = type.utf8.lastIndex(of: 0x2E), let operation = Self.operations[String(type[type.utf8.index(after: dot)...])] else {
            let verbs = Self.operations.keys.sorted().joined(separator: ", ")
            throw EnvelopeError(.unknownOperation, "the type \"\(type)\" does not end in one of \(verbs)", attribute: "type")
        }
        var native = String(type[..<dot])
        if !declaration.typePrefix.isEmpty {
            let prefix = declaration.typePrefix + "."
            if native.hasPrefix(prefix) { native = String(native.dropFirst(prefix.count)) }
        }
        guard !native.isEmpty else { throw EnvelopeError(.badAttribute, "the type \"\(type)\" names no document", attribute: "type") }
        return ChangeEvent(
            id: cloudEvent.id, type: declaration.type ?? native, operation: operation,
            key: try (cloudEvent["mpkey"] ?? cloudEvent["subject"]).map(Self.key) ?? nil,
            position: cloudEvent["sequence"].flatMap(Self.position),
            token: cloudEvent["mptoken"].map { VersionToken($0) },
            time: cloudEvent["time"].flatMap { Instant(rfc3339: $0) },
            reference: cloudEvent["mpref"].map { CanonicalID($0) },
            company: cloudEvent["mpcompany"])
    }

    private static let operations: [String: ChangeEvent.Operation] = [
        "created": .upsert, "updated": .upsert, "changed": .upsert, "deleted": .delete, "snapshot": .snapshot,
    ]
}
