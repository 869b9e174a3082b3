package import HubModel

/// Takes envelopes off inbound records.
///
/// CloudEvents are told by `content-type` and `ce_…` headers, Debezium by its shape, anything else has to be declared for its topic.
package struct EnvelopeDecoder: Sendable {
    private let topics: [String: EnvelopeDeclaration]
    private let otherwise: EnvelopeDeclaration
    let limits: JSONLimits

    /// - Parameters:
    ///   - topics: what is declared, by topic.
    ///   - otherwise: what holds for all other topics.
    ///   - limits: what is refused before or while reading.
    package init(
        topics: [String: EnvelopeDeclaration] = [:], otherwise: EnvelopeDeclaration = .init(), limits: JSONLimits = .init()
    ) {
        self.topics = topics
        self.otherwise = otherwise
        self.limits = limits
    }

    package func decode(_ record: Record) throws(EnvelopeError) -> DecodedRecord {
        let declaration = topics[record.topic] ?? otherwise
        if let size = record.value?.count, size > limits.maxBytes {
            throw EnvelopeError(.tooLarge, "the value has \(size) bytes, \(limits.maxBytes) are allowed")
        }
        switch declaration.format {
        case .auto:
            if let mode = try CloudEventMode(record) { return try decodeCloudEvent(record, mode, declaration) }
            guard let value = record.value else { return try tombstone(record, declaration) }
            let document = try Self.parse(value, limits)
            guard let payload = DebeziumPayload(document.root) else {
                throw EnvelopeError(
                    .unknownEnvelope, "neither a CloudEvent nor a Debezium event, and no plain shape is declared for the topic")
            }
            return try decode(payload, record, declaration)
        case .cloudEvents:
            guard let mode = try CloudEventMode(record) else {
                if record.value == nil { return try tombstone(record, declaration) }
                throw EnvelopeError(.unknownEnvelope, "no CloudEvent: neither its content type nor ce_specversion is among the headers")
            }
            return try decodeCloudEvent(record, mode, declaration)
        case .debezium:
            guard let value = record.value else { return try tombstone(record, declaration) }
            let document = try Self.parse(value, limits)
            guard let payload = DebeziumPayload(document.root) else {
                throw EnvelopeError(.unknownEnvelope, "no Debezium event: there is no \"op\"")
            }
            return try decode(payload, record, declaration)
        case .plain(let shape):
            guard let value = record.value else { return try tombstone(record, declaration) }
            return .change(try decode(try Self.parse(value, limits), shape, record))
        }
    }

    /// A record without a value, of which no header says more.
    private func tombstone(_ record: Record, _ declaration: EnvelopeDeclaration) throws(EnvelopeError) -> DecodedRecord {
        guard declaration.tombstone == .delete else { return .ignored(reason: "a tombstone: the delete before it has said it") }
        var type = declaration.type
        if type == nil, case .plain(let shape) = declaration.format { type = shape.type }
        guard let type else {
            throw EnvelopeError(.missingAttribute, "a tombstone means a delete here, and no native type is declared for the topic")
        }
        guard let key = try recordKey(record) else {
            throw EnvelopeError(.missingAttribute, "a tombstone means a delete here, and the record has no key")
        }
        return .change(DecodedEvent(event: ChangeEvent(type: type, operation: .delete, key: key), data: nil, kind: .tombstone))
    }

    // MARK: Parts that all envelopes share

    /// Reads JSON and refuses what is ambiguous or cannot be kept.
    static func parse(_ bytes: [UInt8], _ limits: JSONLimits) throws(EnvelopeError) -> JSONDocument {
        if bytes.isEmpty { throw EnvelopeError(.empty, "the value is empty") }
        if bytes.count > limits.maxBytes {
            throw EnvelopeError(.tooLarge, "the value has \(bytes.count) bytes, \(limits.maxBytes) are allowed")
        }
        let document: JSONDocument
        do {
            document = try JSONDocument.parse(bytes, limits: limits)
        } catch {
            throw EnvelopeError(.brokenJSON, error.reason)
        }
        if let name = document.duplicateNames.first {
            throw EnvelopeError(.ambiguous, "the member \(name) stands more than once")
        }
        if holdsNUL(bytes) { throw EnvelopeError(.nulCharacter, "a text holds the character NUL") }
        return document
    }

    /// Whether a checked JSON document holds `\u0000`; raw NULs the reader has refused.
    private static func holdsNUL(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { source in
            var at = 0
            while at < source.count {
                // Eight bytes at a time past what holds no backslash: a byte that is zero after the exclusive or sets its top bit.
                while at + 8 <= source.count, let base = source.baseAddress {
                    let part = UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self) ^ 0x5C5C_5C5C_5C5C_5C5C
                    if (part &- 0x0101_0101_0101_0101) & ~part & 0x8080_8080_8080_8080 != 0 { break }
                    at += 8
                }
                guard at < source.count else { break }
                if source[at] != 0x5C {
                    at += 1
                    continue
                }
                // An escape takes the next byte with it, so that an escaped backslash is no beginning.
                if at + 5 < source.count, source[at + 1] == 0x75, source[at + 2] == 0x30, source[at + 3] == 0x30, source[at + 4] == 0x30,
                    source[at + 5] == 0x30
                {
                    return true
                }
                at += 2
            }
            return false
        }
    }

    /// The record's key as a native key: JSON keys by their values, anything else as text; nil where there is none.
    func recordKey(_ record: Record) throws(EnvelopeError) -> NativeKey? {
        guard let bytes = record.key, !bytes.isEmpty else { return nil }
        guard let first = bytes.first(where: { $0 > 0x20 }), first == 0x7B || first == 0x22 else {
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw EnvelopeError(.badAttribute, "the record's key is not UTF-8")
            }
            return try Self.key(text)
        }
        guard let document = try? JSONDocument.parse(bytes, limits: limits) else {
            // Happens to begin like JSON.
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw EnvelopeError(.badAttribute, "the record's key is not UTF-8")
            }
            return try Self.key(text)
        }
        var root = document.root
        if root["schema"] != nil, let payload = root["payload"] { root = payload }
        if root.kind != .object { return try root.keyText.map(Self.key) ?? nil }
        guard document.duplicateNames.isEmpty else { throw EnvelopeError(.ambiguous, "a member of the record's key stands more than once") }
        var parts: [String] = []
        for (name, node) in root.members {
            guard let text = node.keyText ?? node.bool.map(String.init) else {
                throw EnvelopeError(.badAttribute, "the record's key has no usable value for \(name)")
            }
            parts.append(text)
        }
        return try Self.key(Self.joined(parts))
    }

    /// Several values as one key: a bar between them, bars and backslashes inside them marked by a backslash. A single one as it is.
    static func joined(_ parts: [String]) -> String {
        if parts.count == 1 { return parts[0] }
        return parts.map { part in
            var text = String.UnicodeScalarView()
            for scalar in part.unicodeScalars {
                if scalar == "|" || scalar == "\\" { text.append("\\") }
                text.append(scalar)
            }
            return String(text)
        }.joined(separator: "|")
    }

    static func key(_ text: String) throws(EnvelopeError) -> NativeKey? {
        if text.utf8.contains(0) { throw EnvelopeError(.nulCharacter, "the key holds the character NUL") }
        return text.isEmpty ? nil : NativeKey(text)
    }

    /// A source position as text: `42` or, with its log, `3/42`; nil for anything else.
    static func position(_ text: String) -> SourcePosition? {
        let parts = text.utf8.split(separator: 0x2F, maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 1 { return Int64(text).map { SourcePosition(minor: $0) } }
        guard let major = Int64(Substring(parts[0])), let minor = Int64(Substring(parts[1])) else { return nil }
        return SourcePosition(major: major, minor: minor)
    }
}
