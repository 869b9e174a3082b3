import HubDriver
import HubModel

/// A document as it was read: the record with the parts that belong to it.
struct Record: Sendable {
    var row: Fields
    /// Models of the nested parts that count for the version, by the name under which they stand in the row.
    let parts: [String: String]
    let model: String
    /// True where a person has duplicated a document of the hub's, with its reference.
    var isDuplicate = false
    /// When something was filed about the document elsewhere, in microseconds since 1970: it is newer from then on, in the same version.
    var filed: Int64?
    /// The record's and each part's. Gathered once, as everything that tells versions asks for them.
    private let raw: [Stamp]

    private struct Stamp: Sendable {
        var model: String
        var id: Int64
        /// As Tryton wrote it.
        var text: String
        /// In microseconds since 1970; nil where the text is no moment.
        var time: Int64?
    }

    init(row: Fields, parts: [String: String], model: String) {
        self.row = row
        self.parts = parts
        self.model = model
        var raw: [Stamp] = []
        Self.collect(row, model, parts, "", &raw)
        self.raw = raw
    }

    var id: Int64 { row["id"]?.integer ?? 0 }

    /// The last change of the record or any part, in microseconds since 1970.
    var stamp: Int64 { raw.lazy.compactMap(\.time).max() ?? 0 }

    /// The place in the feed. A transaction is stamped with its beginning and seen at its end, so that a part may change behind another one
    /// that began later: the last change alone would then not move, and the sum of all changes does.
    var position: SourcePosition {
        let sum = (stamps.map(\.time) + [filed ?? 0]).reduce(Int64(0)) { sum, time in
            let (next, isTooMuch) = sum.addingReportingOverflow(time)
            return isTooMuch ? .max : next
        }
        return SourcePosition(major: max(stamp, filed ?? 0), minor: sum)
    }

    /// The version: the last change, and a sum over every part's, which also tells parts that have gone.
    var token: VersionToken {
        var sum: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ bytes: some Sequence<UInt8>) { for byte in bytes { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01b3 } }
        for stamp in stamps.sorted(by: { ($0.model, $0.id) < ($1.model, $1.id) }) {
            // model,id=time;
            add(stamp.model.utf8)
            add(CollectionOfOne(UInt8(ascii: ",")))
            add(String(stamp.id).utf8)
            add(CollectionOfOne(UInt8(ascii: "=")))
            add(String(stamp.time).utf8)
            add(CollectionOfOne(UInt8(ascii: ";")))
        }
        let digits = String(sum, radix: 16)
        return VersionToken("\(stamp)-" + String(repeating: "0", count: 16 - digits.count) + digits)
    }

    /// Tryton's own condition for a write: these records are as they were read.
    func timestamps(_ touched: [(model: String, id: Int64)]) -> Fields {
        var result = Fields()
        for name in [(model: model, id: id)] + touched {
            guard let stamp = raw.first(where: { $0.model == name.model && $0.id == name.id }) else { continue }
            result["\(name.model),\(name.id)"] = .string(stamp.text)
        }
        return result
    }

    /// When each part was last changed, in microseconds since 1970.
    var stamps: [(model: String, id: Int64, time: Int64)] {
        raw.compactMap { stamp in stamp.time.map { (stamp.model, stamp.id, $0) } }
    }

    private static func collect(
        _ row: Fields, _ model: String, _ parts: [String: String], _ prefix: String, _ stamps: inout [Stamp]
    ) {
        if let id = row["id"]?.integer, let text = row["_timestamp"]?.text {
            stamps.append(Stamp(model: model, id: id, text: text, time: Timestamp.microseconds(text)))
        }
        for (name, value) in row where name.utf8.last == UInt8(ascii: ".") {
            let path = prefix + name
            guard let part = parts[path] else { continue }
            for nested in value.array ?? [value] {
                guard let nested = nested.object else { continue }
                collect(nested, part, parts, path, &stamps)
            }
        }
    }
}

extension Fields {
    /// The nested records under a field of many.
    func many(_ name: String) -> [Fields] { (self[name + "."]?.array ?? []).compactMap(\.object) }
    /// The nested record under a field of one.
    func one(_ name: String) -> Fields? { self[name + "."]?.object }
    var id: Int64 { self["id"]?.integer ?? 0 }
    /// Records without the field count as active.
    var isActive: Bool { self["active"]?.bool ?? true }
}
