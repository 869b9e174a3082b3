package import HubModel

/// A record with its envelope taken off.
package struct DecodedEvent: Sendable {
    /// The envelope that it wore.
    package enum Kind: String, Sendable, Hashable {
        case structuredCloudEvent, binaryCloudEvent, debezium, plain, tombstone
    }

    package var event: ChangeEvent
    /// The document, always an object; nil for deletes that tell none.
    package var data: JSONNode?
    package var kind: Kind

    package init(event: ChangeEvent, data: JSONNode?, kind: Kind) {
        self.event = event
        self.data = data
        self.kind = kind
    }
}

/// What a record turned out to be.
package enum DecodedRecord: Sendable {
    case change(DecodedEvent)
    /// No change, and nothing wrong with it: the reason, for people.
    case ignored(reason: String)

    /// The change; nil for what is ignored.
    package var change: DecodedEvent? { if case .change(let event) = self { event } else { nil } }
}
