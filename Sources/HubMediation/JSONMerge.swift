import HubCodec
import HubModel

/// Lays a partly told native document over the last one.
enum JSONMerge {
    /// Members that the new one names replace the old ones, objects member by member; everything else stays.
    static func overlay(_ old: [UInt8], with new: [UInt8]) -> [UInt8] {
        guard let told = try? JSONDocument.parse(new).root, let known = try? JSONDocument.parse(old).root else { return new }
        // A whole document, the usual case, needs no merge.
        if told.covers(known) { return new }
        guard let before = known.fields, let after = told.fields else { return new }
        var writer = JSONWriter()
        writer.write(.object(merge(before, after)))
        return writer.bytes
    }

    private static func merge(_ old: Fields, _ new: Fields) -> Fields {
        var result = old
        for member in new {
            if let inner = member.value.object, let outer = old[member.name]?.object {
                result[member.name] = .object(merge(outer, inner))
            } else {
                result[member.name] = member.value
            }
        }
        return result
    }
}
