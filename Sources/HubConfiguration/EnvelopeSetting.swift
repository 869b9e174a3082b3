package import HubCodec
import HubModel

/// How records of an application, or of one of its topics, are wrapped.
///
/// `auto`, `cloudevents` or `debezium`; or in full `{ format: …, typePrefix: …, tombstone: delete }`; or plain JSON with its shape:
/// `{ format: plain, key: id, operation: op, operations: { D: delete }, time: changed_at }`.
package struct EnvelopeSetting: Sendable, Hashable {
    package enum Format: String, Sendable, Hashable, CaseIterable {
        case auto, cloudevents, debezium, plain
    }

    package var format = Format.auto
    package var typePrefix = ""
    package var tombstone = EnvelopeDeclaration.TombstoneMeaning.ignored
    /// Where a plain document keeps what an envelope would say; its type is the topic's native type.
    package var shape = PlainShape(type: "")

    package init() {}

    /// What the codec is told of one topic.
    ///
    /// - Parameters:
    ///   - native: the one native type of the topic; nil where it carries several.
    ///   - isNamed: the topic was given to that type by the configuration, so that the envelope's own name for it does not count.
    package func declaration(native: String?, isNamed: Bool) -> EnvelopeDeclaration {
        let format: EnvelopeFormat
        switch self.format {
        case .auto: format = .auto
        case .cloudevents: format = .cloudEvents
        case .debezium: format = .debezium
        case .plain:
            var shape = shape
            shape.type = native ?? ""
            format = .plain(shape)
        }
        let needsType = isNamed || self.format == .debezium || tombstone == .delete
        return EnvelopeDeclaration(format, typePrefix: typePrefix, type: needsType ? native : nil, tombstone: tombstone)
    }
}
