import HubDriver
import HubModel
import PostgresClient

/// A place in a slot's stream: behind the first `index` changes of the transaction whose commit stands at `lsn`, or, with index 0, before
/// everything that was committed there or later.
struct LogPlace: Sendable, Hashable, Comparable {
    var lsn: LogSequenceNumber
    var index: Int

    init(_ lsn: LogSequenceNumber, _ index: Int = 0) {
        self.lsn = lsn
        self.index = index
    }

    static func < (a: Self, b: Self) -> Bool { (a.lsn, a.index) < (b.lsn, b.index) }

    /// The feed position of an event here.
    var source: SourcePosition { SourcePosition(major: Int64(clamping: lsn.rawValue), minor: Int64(index)) }
}

/// How far the hub has the feed: tables that are being read whole, or compared by their keys, and the place from which the stream goes on.
struct SlotPosition: Sendable, Hashable {
    /// Where the stream goes on.
    var place: LogPlace
    /// Native types that have been read whole.
    var known: [String]
    /// What is done before the stream goes on.
    var work: [Work] = []

    /// One table read from a snapshot, or its keys compared with those that have been told.
    struct Work: Sendable, Hashable {
        enum Kind: String { case read, compare }

        var kind: Kind
        var native: String
        /// Comparing: the place that deletions are told at.
        var at: LogPlace?
        /// The key behind which it goes on; nil at the beginning.
        var key: String?
    }

    init(place: LogPlace, known: [String], work: [Work] = []) {
        self.place = place
        self.known = known
        self.work = work
    }

    var text: String {
        var fields: Fields = [
            "lsn": .string(place.lsn.description), "index": .number(Number(Int64(place.index))),
            "tables": .array(known.map { .string($0) }),
        ]
        if !work.isEmpty { fields["work"] = .array(work.map(\.value)) }
        return JSONText.text(.object(fields))
    }

    /// - Throws: where the text is no position of this feed.
    init(_ text: String) throws(DriverError) {
        guard let fields = try? JSONText.fields(text), let place = LogPlace(fields), let tables = fields["tables"]?.array else {
            throw DriverError(
                .configuration,
                "\(text.prefix(200)) is no position in the stream of a replication slot: where another feed has told it, remove the "
                    + "application's capture position.")
        }
        self.init(place: place, known: tables.compactMap(\.text), work: (fields["work"]?.array ?? []).compactMap { Work($0) })
    }
}

extension LogPlace {
    fileprivate init?(_ fields: Fields) {
        guard let lsn = fields["lsn"]?.text.flatMap({ LogSequenceNumber($0) }), let index = fields["index"]?.integer, index >= 0 else {
            return nil
        }
        self.init(lsn, Int(index))
    }
}

extension SlotPosition.Work {
    fileprivate var value: Value {
        var fields: Fields = ["do": .string(kind.rawValue), "table": .string(native)]
        if let at {
            fields["lsn"] = .string(at.lsn.description)
            fields["index"] = .number(Number(Int64(at.index)))
        }
        if let key { fields["key"] = .string(key) }
        return .object(fields)
    }

    fileprivate init?(_ value: Value) {
        guard let kind = value["do"]?.text.flatMap({ Kind(rawValue: $0) }), let native = value["table"]?.text else { return nil }
        self.init(kind: kind, native: native, at: value.object.flatMap { LogPlace($0) }, key: value["key"]?.text)
    }
}
