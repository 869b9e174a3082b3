package import HubModel

extension JSONWriter {
    /// Flat fields with dotted names as objects inside objects: what ``HubModel/Fields/nested()`` makes of them, without making it.
    package mutating func write(nested fields: Fields) {
        // Where a name is both a leaf and the start of another, the longer one wins, which is told by its own way.
        for place in fields.indices where Self.isCovered(place, fields) {
            write(fields.nested())
            return
        }
        writeGroup(fields, fields.startIndex..<fields.endIndex, prefix: 0)
    }

    /// The members of one object: those in the range, their names from `prefix` bytes on.
    private mutating func writeGroup(_ fields: Fields, _ range: Range<Int>, prefix: Int) {
        beginObject()
        var place = range.lowerBound
        while place < range.upperBound {
            let (name, value) = fields[place]
            let rest = name.utf8.dropFirst(prefix)
            guard let dot = rest.firstIndex(of: 0x2E) else {
                self.name(prefix == 0 ? name : String(Substring(rest)))
                write(value)
                place += 1
                continue
            }
            // Names are sorted by their bytes: all that begin alike stand together.
            let group = name.utf8[...dot]
            var end = place + 1
            while end < range.upperBound, fields[end].name.utf8.starts(with: group) { end += 1 }
            self.name(String(Substring(rest[..<dot])))
            writeGroup(fields, place..<end, prefix: group.count)
            place = end
        }
        endObject()
    }

    /// True where another name goes on from this one with a dot.
    private static func isCovered(_ place: Int, _ fields: Fields) -> Bool {
        let name = fields[place].name.utf8
        var next = place + 1
        while next < fields.endIndex {
            let other = fields[next].name.utf8
            guard other.count > name.count, other.starts(with: name) else { return false }
            if other[other.index(other.startIndex, offsetBy: name.count)] == 0x2E { return true }
            next += 1
        }
        return false
    }
}
