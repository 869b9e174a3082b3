package import HubModel

/// Which envelope a topic's records wear.
package enum EnvelopeFormat: Sendable, Hashable {
    /// CloudEvents by their headers, Debezium by its shape; nothing else.
    case auto
    case cloudEvents
    case debezium
    case plain(PlainShape)
}

/// What is known of one topic before its first record.
package struct EnvelopeDeclaration: Sendable, Hashable {
    /// What a record without a value means where its envelope does not say.
    package enum TombstoneMeaning: String, Sendable, Hashable {
        /// Housekeeping of a compacted topic, behind a delete that told it already.
        case ignored
        /// The document of the record's key was deleted.
        case delete
    }

    package var format: EnvelopeFormat
    /// What stands before the native name in CloudEvents types and is taken off, without the dot behind it; empty where nothing does.
    package var typePrefix: String
    /// The native type, where the envelope's own name for it is not the one to use; needed for deletes by tombstone.
    package var type: String?
    package var tombstone: TombstoneMeaning

    package init(
        _ format: EnvelopeFormat = .auto, typePrefix: String = "", type: String? = nil, tombstone: TombstoneMeaning = .ignored
    ) {
        self.format = format
        self.typePrefix = typePrefix
        self.type = type
        self.tombstone = tombstone
    }
}

/// Where a plain JSON document keeps what an envelope would say. Paths lead through nested objects.
package struct PlainShape: Sendable, Hashable {
    /// The native type of every document.
    package var type: String
    /// Where the document itself stands; empty for the whole value.
    package var dataPath: [String]
    /// Where the native key stands; nil for the record's key.
    package var keyPath: [String]?
    /// Where the operation's word stands; nil where every record is an upsert.
    package var operationPath: [String]?
    /// What the application's words (or numbers and truth values, as text) for operations mean.
    package var operations: [String: ChangeEvent.Operation]
    /// The time: a text as RFC 3339 has it, or a number of milliseconds since 1970.
    package var timePath: [String]?
    /// The source position: a whole number, or a text `major/minor`.
    package var positionPath: [String]?
    package var tokenPath: [String]?
    package var referencePath: [String]?
    package var companyPath: [String]?

    package init(
        type: String, dataPath: [String] = [], keyPath: [String]? = nil, operationPath: [String]? = nil,
        operations: [String: ChangeEvent.Operation] = [:], timePath: [String]? = nil, positionPath: [String]? = nil,
        tokenPath: [String]? = nil, referencePath: [String]? = nil, companyPath: [String]? = nil
    ) {
        self.type = type
        self.dataPath = dataPath
        self.keyPath = keyPath
        self.operationPath = operationPath
        self.operations = operations
        self.timePath = timePath
        self.positionPath = positionPath
        self.tokenPath = tokenPath
        self.referencePath = referencePath
        self.companyPath = companyPath
    }
}
