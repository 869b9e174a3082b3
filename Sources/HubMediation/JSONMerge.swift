import HubCodec
import HubModel

/// Lays a partly told native document over the last one.
enum JSONMerge {
    /// Members that the new one names replace the old ones, objects member by member; everything else stays.
    static func overlay(_ old: RawJSON, with new: RawJSON) -> RawJSON {
        // A whole document, the usual case, needs no merge.
        if new.hasShape(of: old) { return new }
        guard let told = new.root, let known = old.root, !told.covers(known), let before = known.fields, let after = told.fields
        else { return new }
        var writer = JSONWriter()
        writer.write(.object(merge(before, after)))
        return (try? JSONDocument.parse(writer.bytes, limits: JSONLimits(maxBytes: .max, maxDepth: 100_000))).map { RawJSON($0.root) }
            ?? new
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
