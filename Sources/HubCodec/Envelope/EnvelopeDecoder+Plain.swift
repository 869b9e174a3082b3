import HubModel

extension EnvelopeDecoder {
    /// A document whose shape is declared.
    func decode(_ document: JSONDocument, _ shape: PlainShape, _ record: Record) throws(EnvelopeError) -> DecodedEvent {
        let root = document.root
        var event = ChangeEvent(type: shape.type, operation: .upsert)
        if let path = shape.operationPath { event.operation = try operation(root[path: path], path, shape) }
        if let path = shape.keyPath {
            guard let text = root[path: path]?.keyText, let key = try Self.key(text) else {
                throw EnvelopeError(.missingAttribute, "no key at \(Self.words(path))")
            }
            event.key = key
        } else {
            event.key = try recordKey(record)
        }
        if let path = shape.timePath { event.time = try time(root[path: path], path) }
        if let path = shape.positionPath, let node = root[path: path], !node.isNull {
            guard let position = node.keyText.flatMap(Self.position) else {
                throw EnvelopeError(.badAttribute, "what stands at \(Self.words(path)) is no source position")
            }
            event.position = position
        }
        event.token = shape.tokenPath.flatMap { root[path: $0]?.keyText }.map { VersionToken($0) }
        event.reference = shape.referencePath.flatMap { root[path: $0]?.keyText }.map { CanonicalID($0) }
        event.company = shape.companyPath.flatMap { root[path: $0]?.keyText }
        let data = root[path: shape.dataPath]
        guard let data, data.kind == .object else {
            if event.operation == .delete { return DecodedEvent(event: event, data: nil, kind: .plain) }
            throw EnvelopeError(
                .missingData, "there is no object \(shape.dataPath.isEmpty ? "in the value" : "at \(Self.words(shape.dataPath))")")
        }
        return DecodedEvent(event: event, data: data, kind: .plain)
    }

    private func operation(_ node: JSONNode?, _ path: [String], _ shape: PlainShape) throws(EnvelopeError) -> ChangeEvent.Operation {
        guard let node, let word = node.keyText ?? node.bool.map(String.init) else {
            throw EnvelopeError(.unknownOperation, "no operation at \(Self.words(path))")
        }
        guard let operation = shape.operations[word] else {
            throw EnvelopeError(.unknownOperation, "the operation \"\(word)\" at \(Self.words(path)) is not declared")
        }
        return operation
    }

    private func time(_ node: JSONNode?, _ path: [String]) throws(EnvelopeError) -> Instant? {
        guard let node, !node.isNull else { return nil }
        if let milliseconds = node.integer { return Instant(milliseconds: milliseconds) }
        guard let instant = node.string.flatMap({ Instant(rfc3339: $0) }) else {
            throw EnvelopeError(.badAttribute, "what stands at \(Self.words(path)) is no time")
        }
        return instant
    }

    private static func words(_ path: [String]) -> String { path.joined(separator: ".") }
}
