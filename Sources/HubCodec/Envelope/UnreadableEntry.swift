package import HubModel

/// The record that stands in an inbound topic for what a capture could not publish as an event: it goes straight to the dead letters, so
/// that nothing of a feed vanishes and the feed flows on.
package struct UnreadableEntry: Sendable, Hashable {
    /// A stable short name: `bad-row`, `too-large`.
    package var code: String
    /// For people: where it stands and what is wrong with it.
    package var reason: String

    private static let codeHeader = "mp-unreadable"
    private static let reasonHeader = "mp-reason"
    /// Bytes that are kept of what could not be read.
    package static let keptBytes = 16_384

    /// What a record says of itself; nil for an event.
    package init?(_ record: Record) {
        guard let first = record.headers.first, first.name == Self.codeHeader else { return nil }
        code = record.header(Self.codeHeader) ?? "unreadable"
        reason = record.header(Self.reasonHeader) ?? "no reason given"
    }

    package init(code: String, reason: String) {
        self.code = code
        self.reason = reason
    }

    /// The record to publish; of long texts it carries the beginning.
    package func record(topic: String, key: [UInt8]?, raw: [UInt8]?) -> Record {
        var words = reason
        if let raw, raw.count > Self.keptBytes { words += " (kept here: the first \(Self.keptBytes) of its \(raw.count) bytes)" }
        // The code comes first: that is where readers look.
        let headers = [Record.Header(Self.codeHeader, code), Record.Header(Self.reasonHeader, words)]
        return Record(topic: topic, partition: -1, key: key, value: raw.map { Array($0.prefix(Self.keptBytes)) }, headers: headers)
    }
}
