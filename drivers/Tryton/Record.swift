import HubDriver
import HubModel

/// A document as it was read: the record with the parts that belong to it.
struct Record: Sendable {
    var row: Fields
    /// Models of the nested parts that count for the version, by the name under which they stand in the row.
    var parts: [String: String]
    var model: String
    /// True where a person has duplicated a document of the hub's, with its reference.
    var isDuplicate = false

    var id: Int64 { row["id"]?.integer ?? 0 }

    /// The last change of the record or any part, in microseconds since 1970.
    var stamp: Int64 { stamps.map(\.time).max() ?? 0 }

    /// The place in the feed. A transaction is stamped with its beginning and seen at its end, so that a part may change behind another one
    /// that began later: the last change alone would then not move, and the sum of all changes does.
    var position: SourcePosition {
        let sum = stamps.reduce(Int64(0)) { sum, stamp in
            let (next, isTooMuch) = sum.addingReportingOverflow(stamp.time)
            return isTooMuch ? .max : next
        }
        return SourcePosition(major: stamp, minor: sum)
    }

    /// The version: the last change, and a sum over every part's, which also tells parts that have gone.
    var token: VersionToken {
        var sum: UInt64 = 0xcbf2_9ce4_8422_2325
        for stamp in stamps.sorted(by: { ($0.model, $0.id) < ($1.model, $1.id) }) {
            for byte in "\(stamp.model),\(stamp.id)=\(stamp.time);".utf8 { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01b3 }
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
        raw.compactMap { stamp in Timestamp.microseconds(stamp.text).map { (stamp.model, stamp.id, $0) } }
    }

    private var raw: [(model: String, id: Int64, text: String)] { Self.raw(row, model, parts, "") }

    private static func raw(
        _ row: Fields, _ model: String, _ parts: [String: String], _ prefix: String
    ) -> [(model: String, id: Int64, text: String)] {
        var result: [(model: String, id: Int64, text: String)] = []
        if let id = row["id"]?.integer, let text = row["_timestamp"]?.text { result.append((model, id, text)) }
        for (name, value) in row {
            guard name.hasSuffix("."), let part = parts[prefix + name] else { continue }
            for nested in value.array ?? [value] {
                guard let nested = nested.object else { continue }
                result += raw(nested, part, parts, prefix + name)
            }
        }
        return result
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
