package import HubModel

extension Fields {
    /// From dotted leaf names to objects inside objects: `address.city` becomes `{"address": {"city": …}}`. Lists stay as they are.
    /// Where a name is both a leaf and the start of another, the longer one wins.
    package func nested() -> Fields {
        var result = Fields()
        result.reserveCapacity(count)
        var place = startIndex
        while place < endIndex {
            let (name, value) = self[place]
            place += 1
            guard let dot = name.utf8.firstIndex(of: 0x2E) else {
                result[name] = value
                continue
            }
            // Names are sorted by their bytes: all that begin alike stand together.
            let group = name[...dot]
            var inner = Fields([(String(name[name.utf8.index(after: dot)...]), value)])
            while place < endIndex, self[place].name.utf8.starts(with: group.utf8) {
                let next = self[place].name
                inner[String(next[next.utf8.index(next.startIndex, offsetBy: group.utf8.count)...])] = self[place].value
                place += 1
            }
            result[String(name[..<dot])] = .object(inner.nested())
        }
        return result
    }

    /// From objects inside objects to dotted leaf names; the opposite of ``nested()``. An empty object is a leaf, so are lists.
    package func flattened() -> Fields {
        guard contains(where: { if case .object = $0.value { true } else { false } }) else { return self }
        var leaves: [(String, Value)] = []
        // Without recursion: what waits to be looked at, last first.
        var open: [(String, Value)] = reversed().map { ($0.name, $0.value) }
        while let (name, value) = open.popLast() {
            if case .object(let inner) = value, !inner.isEmpty {
                for (below, value) in inner.reversed() { open.append((name + "." + below, value)) }
            } else {
                leaves.append((name, value))
            }
        }
        leaves.sort { $0.0.precedesInBytes($1.0) }
        return Fields(leaves)
    }
}
