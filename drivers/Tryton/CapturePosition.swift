import HubDriver
import HubModel

/// How far the feed has been told, as the text that the hub keeps.
///
/// Per type: first the documents are told in the order of their keys, then what changes. `since` is where the next look begins, `seen`
/// are records changed after that which have been told already, by the microsecond of their change.
struct CapturePosition: Sendable, Hashable {
    struct Feed: Sendable, Hashable {
        /// While the documents are told for the first time: the last key told.
        var cursor: Int64?
        /// Microseconds since 1970.
        var since: Int64 = 0
        var seen: Set<Change> = []
        /// Documents that are known to be there: what is missing from them has been deleted.
        var keys = KeyRanges()
    }

    /// One change of one record: `source` counts the type's sources.
    struct Change: Sendable, Hashable, Comparable {
        var time: Int64
        var source: Int
        var id: Int64

        static func < (a: Self, b: Self) -> Bool { (a.time, a.source, a.id) < (b.time, b.source, b.id) }
    }

    var feeds: [String: Feed] = [:]

    init() {}

    init(_ text: String) throws(DriverError) {
        do {
            for (native, value) in try JSONText.fields(text) {
                var feed = Feed()
                feed.cursor = value["cursor"]?.integer
                feed.since = value["since"]?.integer ?? 0
                guard let keys = KeyRanges(value["keys"]?.text ?? "") else { throw DriverError(.configuration, text) }
                feed.keys = keys
                for (time, sources) in value["seen"]?.object ?? Fields() {
                    for (source, ids) in sources.object ?? Fields() {
                        guard let time = Int64(time), let source = Int(source), let ids = KeyRanges(ids.text ?? "") else {
                            throw DriverError(.configuration, text)
                        }
                        for id in ids.runs.joined() { feed.seen.insert(Change(time: time, source: source, id: id)) }
                    }
                }
                feeds[native] = feed
            }
        } catch {
            throw DriverError(.configuration, "This is no position of a Tryton feed: \(text.prefix(100))", cause: error)
        }
    }

    var text: String {
        JSONText.text(
            .object(
                Fields(
                    feeds.map { native, feed in
                        var fields: Fields = ["since": .id(feed.since), "keys": .string(feed.keys.text)]
                        if let cursor = feed.cursor { fields["cursor"] = .id(cursor) }
                        if !feed.seen.isEmpty { fields["seen"] = .object(Self.seen(feed.seen)) }
                        return (native, .object(fields))
                    })))
    }

    private static func seen(_ changes: Set<Change>) -> Fields {
        var result: [Int64: [Int: KeyRanges]] = [:]
        for change in changes { result[change.time, default: [:]][change.source, default: KeyRanges()].insert(change.id) }
        return Fields(
            result.map { time, sources in
                (String(time), .object(Fields(sources.map { (String($0.key), .string($0.value.text)) })))
            })
    }
}
