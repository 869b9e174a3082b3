import HubModel

/// A Debezium message, with or without the wrapper of `schema` and `payload`.
struct DebeziumPayload {
    enum Kind {
        case change
        /// Says only that the connector lives.
        case heartbeat
        /// The begin or end of a source transaction.
        case transaction
        /// The source's schema changed.
        case schemaChange
    }

    let node: JSONNode
    let kind: Kind

    /// Nil where the value has none of the shapes.
    init?(_ root: JSONNode) {
        guard root.kind == .object else { return nil }
        var node = root
        if let payload = root["payload"], root["schema"] != nil, payload.kind == .object { node = payload }
        if node["op"]?.kind == .string, node["source"] != nil || node["after"] != nil || node["before"] != nil {
            kind = .change
        } else if node["ddl"] != nil, node["source"]?.kind == .object {
            kind = .schemaChange
        } else if let status = node["status"]?.string, status == "BEGIN" || status == "END", node["id"] != nil {
            kind = .transaction
        } else if let time = node["ts_ms"], time.kind == .number,
            node.members.allSatisfy({ ["ts_ms", "ts_us", "ts_ns"].contains($0.name) })
        {
            kind = .heartbeat
        } else {
            return nil
        }
        self.node = node
    }
}

extension EnvelopeDecoder {
    func decode(_ payload: DebeziumPayload, _ record: Record, _ declaration: EnvelopeDeclaration) throws(EnvelopeError) -> DecodedRecord {
        switch payload.kind {
        case .heartbeat: return .ignored(reason: "a heartbeat of the Debezium connector")
        case .transaction: return .ignored(reason: "a mark of a transaction's begin or end")
        case .schemaChange: return .ignored(reason: "a change of the source's schema")
        case .change: break
        }
        let node = payload.node
        let source = node["source"]
        guard let type = declaration.type ?? source?["table"]?.string ?? source?["collection"]?.string else {
            throw EnvelopeError(.missingAttribute, "the source names no table, and no native type is declared for the topic")
        }
        var event = ChangeEvent(type: type, operation: .upsert)
        switch node["op"]?.string ?? "" {
        case "c", "u": if Self.isSnapshot(source?["snapshot"]) { event.operation = .snapshot }
        case "r": event.operation = .snapshot
        case "d": event.operation = .delete
        case "t": throw EnvelopeError(.truncated, "the table \(type) was emptied at once: which documents are gone has to be compared")
        case "m": return .ignored(reason: "a message that was written to the source's log, no change")
        case let other: throw EnvelopeError(.unknownOperation, "Debezium's operation \"\(other)\" is not known")
        }
        event.key = try recordKey(record)
        event.position = source.flatMap(Self.position)
        let time = source?["ts_ms"]?.integer ?? node["ts_ms"]?.integer
        event.time = time.map { Instant(milliseconds: $0) }
        var data = event.operation == .delete ? node["before"] : node["after"]
        // MongoDB's connector gives documents as text.
        if let text = data?.string { data = try Self.parse(Array(text.utf8), limits).root }
        guard let data, data.kind == .object else {
            if event.operation == .delete { return .change(DecodedEvent(event: event, data: nil, kind: .debezium)) }
            throw EnvelopeError(.missingData, "there is no object in \"after\"")
        }
        return .change(DecodedEvent(event: event, data: try withoutUnavailable(data), kind: .debezium))
    }

    private static func isSnapshot(_ node: JSONNode?) -> Bool {
        guard let node else { return false }
        return node.bool ?? (node.string.map { $0 != "false" } ?? false)
    }

    /// The place in the source's log; nil where it does not order the changes of one transaction: there the record's offset does.
    private static func position(_ source: JSONNode) -> SourcePosition? {
        switch source["connector"]?.string {
        case "mysql", "mariadb":
            guard let file = source["file"]?.string, let place = source["pos"]?.integer,
                let number = file.split(separator: ".").last.flatMap({ Int64($0) })
            else { return nil }
            return SourcePosition(major: number, minor: place)
        // Transactions come in the order of their commits, so over all documents this is not quite rising; for one document it is,
        // because its second writer waits for the first one's commit. Unlike `sequence` it is there after every restart.
        case "postgresql", nil: return source["lsn"]?.integer.map { SourcePosition(minor: $0) }
        default: return nil
        }
    }

    /// What Debezium writes where the source's log does not hold a large value that did not change.
    private static let unavailable = "__debezium_unavailable_value"
    /// The same as bytes.
    private static let unavailableBytes = "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="

    /// The data without members that are said to be unavailable: absent means unchanged.
    private func withoutUnavailable(_ data: JSONNode) throws(EnvelopeError) -> JSONNode {
        guard data.members.contains(where: { Self.isUnavailable($0.node) }) else { return data }
        var writer = JSONWriter(capacity: data.rawBytes.count)
        writer.beginObject()
        for (name, node) in data.members where !Self.isUnavailable(node) {
            writer.name(name)
            writer.write(node)
        }
        writer.endObject()
        return try Self.parse(writer.bytes, limits).root
    }

    private static func isUnavailable(_ node: JSONNode) -> Bool {
        if node.kind == .array {
            var elements = node.elements
            return elements.next()?.isText(unavailable) == true && elements.next() == nil
        }
        return node.isText(unavailable) || node.isText(unavailableBytes)
    }
}
